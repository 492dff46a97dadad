//! Customers, products, units and the caller.

use std::sync::Arc;

use async_graphql::{Context, Object, Result};

use crate::app::read;
use crate::app::read::reference::ScopeKind;
use crate::domain::actor::{Role, Scope};
use crate::domain::reference::ProductKind;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::text;
use crate::graphql::types::reference::{
    Customer, CustomerConnection, Person, ProductConnection, Unit, customer, person,
};
use crate::graphql::write::Tree;

/// Customers, products, units and the caller.
#[derive(Default)]
pub struct ReferenceQuery;

/// Customers, products, units and the caller.
#[Object]
impl ReferenceQuery {
    /// The customers that exist for the caller, by number; a customer sees itself.
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("customers"), limit("customers"))
    )]
    async fn customers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Text in the number or the company's name.")] text: Option<String>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<CustomerConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let text = text::clean_optional("text", text).answer(ctx)?;
        let page = read::reference::customers(session, text.as_deref(), keyset).await.answer(ctx)?;
        let counting = (session.clone(), text);
        let total = Arc::new(move || {
            let (session, text) = counting.clone();
            Box::pin(async move { read::reference::count_customers(&session, text.as_deref()).await }) as _
        });
        Ok(Tree(CustomerConnection(Slice::new(page, Into::into, total))))
    }

    /// The products and services that can be ordered, by stock keeping unit.
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("products"), limit("products"))
    )]
    #[expect(clippy::too_many_arguments, reason = "four of them are what every list takes")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of this category.")] category: Option<String>,
        #[graphql(desc = "Only of this kind.")] kind: Option<ProductKind>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<ProductConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let category = text::clean_optional("category", category).answer(ctx)?;
        let page = read::reference::products(session, category.as_deref(), kind, keyset).await.answer(ctx)?;
        let counting = (session.clone(), category);
        let total = Arc::new(move || {
            let (session, category) = counting.clone();
            Box::pin(async move { read::reference::count_products(&session, category.as_deref(), kind).await }) as _
        });
        Ok(Tree(ProductConnection(Slice::new(page, Into::into, total))))
    }

    /// The group's organizational units that exist for the caller, by code.
    #[graphql(
        complexity = "page_cost(None, None, child_complexity)",
        directive = access::apply(roles("units"), limit("units"))
    )]
    async fn units(&self, ctx: &Context<'_>) -> Result<Tree<Vec<Unit>>> {
        let units = read::reference::units(session(ctx)?).await.answer(ctx)?;
        Ok(Tree(units.into_iter().map(Into::into).collect()))
    }

    /// The caller: who the token says it is, and what exists for it.
    #[graphql(directive = access::apply(roles("viewer"), limit("viewer")))]
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Tree<Viewer>> {
        session(ctx)?.may_read("viewer").answer(ctx)?;
        Ok(Tree(Viewer))
    }
}

/// The caller.
pub struct Viewer;

/// The caller: who the token says it is, and what exists for it.
#[macros::written]
#[Object]
impl Viewer {
    /// The stable subject of the token.
    async fn subject<'c>(&self, ctx: &Context<'c>) -> Result<&'c str> {
        Ok(&session(ctx)?.actor.subject)
    }

    /// The caller as others see it.
    async fn person(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &session(ctx)?.actor.subject).await
    }

    /// The roles that count: those the token grants, without those that were taken away.
    async fn roles<'c>(&self, ctx: &Context<'c>) -> Result<&'c [Role]> {
        Ok(&session(ctx)?.actor.roles)
    }

    /// The part of the group's business that exists for the caller.
    async fn scope(&self, ctx: &Context<'_>) -> Result<ScopeKind> {
        Ok(ScopeKind::of(&session(ctx)?.actor.scope))
    }

    /// The customer the caller acts for; null for others.
    async fn customer(&self, ctx: &Context<'_>) -> Result<Option<Customer>> {
        match session(ctx)?.actor.scope {
            Scope::Customer(id) => customer(ctx, id).await,
            _ => Ok(None),
        }
    }

    /// The channel account of the caller's system; null for others.
    async fn account<'c>(&self, ctx: &Context<'c>) -> Result<Option<&'c String>> {
        Ok(match &session(ctx)?.actor.scope {
            Scope::Account(account) => Some(account),
            _ => None,
        })
    }

    /// The caller's unit and those below it. Null for callers who see all units or none.
    async fn units(&self, ctx: &Context<'_>) -> Result<Option<Vec<Unit>>> {
        let Scope::Units(ids) = &session(ctx)?.actor.scope else {
            return Ok(None);
        };
        let units = read::reference::units_by_ids(session(ctx)?, ids).await.answer(ctx)?;
        Ok(Some(units.into_iter().map(Into::into).collect()))
    }
}
