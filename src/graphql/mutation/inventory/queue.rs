//! What is done for those who wait.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::filled;
use crate::app::inventory::{ExpireReservations, FillBackorders};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::mutation::{act, id, payload};
use crate::graphql::types::allocation::Allocation;
use crate::graphql::types::inventory::{StockItem, stock_item};

/// The stock item.
#[derive(InputObject)]
pub struct ExpireReservationsInput {
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The stock item.
    stock_item_id: ID,
}

payload! {
    /// The stock item, and who got what they waited for.
    ExpireReservationsPayload {
        /// Allocations that got what they waited for, or part of it.
        filled_allocations: Vec<Allocation>,
        /// The stock item as it is now.
        stock_item: StockItem,
    }
}

/// The stock item.
#[derive(InputObject)]
pub struct FillBackordersInput {
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The stock item.
    stock_item_id: ID,
}

payload! {
    /// The stock item, and who got what they waited for.
    FillBackordersPayload {
        /// Allocations that got what they waited for, or part of it.
        filled_allocations: Vec<Allocation>,
        /// The stock item as it is now.
        stock_item: StockItem,
    }
}

/// What is done for those who wait.
#[derive(Default)]
pub struct QueueMutation;

#[Object]
impl QueueMutation {
    /// Frees what is reserved for shares nobody began to work on in time; those who wait get it in their turn, and
    /// those who lost it wait at the end of the queue (R4.2). NOT_FOUND when nothing is due. Done by the clock.
    #[graphql(directive = access::apply(roles("expireReservations"), limit("expireReservations")))]
    async fn expire_reservations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stock item.")] input: ExpireReservationsInput,
    ) -> Result<ExpireReservationsPayload> {
        let command = ExpireReservations { stock_item_id: id(ctx, &input.stock_item_id)? };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ExpireReservationsPayload {
                filled_allocations: Some(filled(ctx, answer.filled_allocation_ids).await?),
                stock_item: stock_item(ctx, answer.stock_item_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ExpireReservationsPayload::refused(errors)),
        }
    }

    /// Gives what is free of a stock item to those who wait for it, by priority and then by age (R4.3). The clock
    /// does it by itself a moment after something became free. For warehouse staff and procurement.
    #[graphql(directive = access::apply(roles("fillBackorders"), limit("fillBackorders")))]
    async fn fill_backorders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stock item.")] input: FillBackordersInput,
    ) -> Result<FillBackordersPayload> {
        let command = FillBackorders { stock_item_id: id(ctx, &input.stock_item_id)? };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(FillBackordersPayload {
                filled_allocations: Some(filled(ctx, answer.filled_allocation_ids).await?),
                stock_item: stock_item(ctx, answer.stock_item_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(FillBackordersPayload::refused(errors)),
        }
    }
}
