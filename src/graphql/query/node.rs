//! Anything by its global id, and the service's limits.

use async_graphql::{Context, ID, Object, Result};

use crate::app::Failure;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::page_cost;
use crate::graphql::context::{Answer, failure, int, session};
use crate::graphql::types::config::{LIMITS, ServiceConfig};
use crate::graphql::types::node::{Node, nodes};
use crate::graphql::write::Tree;

/// Anything by its global id.
#[derive(Default)]
pub struct NodeQuery;

/// Anything by its global id.
#[Object]
impl NodeQuery {
    /// What a global id stands for; null when it does not exist for the caller (Relay).
    #[graphql(directive = access::apply(roles("node"), limit("node")))]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The global id.")] id: ID) -> Result<Tree<Option<Node>>> {
        session(ctx)?.may_read("node").answer(ctx)?;
        Ok(Tree(nodes(ctx, &[id]).await?.pop().flatten()))
    }

    /// What global ids stand for, in their order; null for each that does not exist for the caller.
    #[graphql(
        complexity = "page_cost(Some(int(ids.len())), None, child_complexity)",
        directive = access::apply(roles("nodes"), limit("nodes"))
    )]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100 global ids.")] ids: Vec<ID>,
    ) -> Result<Tree<Vec<Option<Node>>>> {
        session(ctx)?.may_read("nodes").answer(ctx)?;
        if ids.len() > LIMITS.node_ids {
            let message = format!("Give at most {} ids.", LIMITS.node_ids);
            return Err(failure(ctx, &Failure::BadInput(message)));
        }
        nodes(ctx, &ids).await.map(Tree)
    }

    /// What the service accepts and how much of it.
    #[graphql(directive = access::apply(roles("serviceConfig"), limit("serviceConfig")))]
    async fn service_config(&self, ctx: &Context<'_>) -> Result<Tree<ServiceConfig>> {
        session(ctx)?.may_read("serviceConfig").answer(ctx)?;
        Ok(Tree(ServiceConfig::current()))
    }
}
