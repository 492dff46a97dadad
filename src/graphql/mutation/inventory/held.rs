//! Stock whose quality is in doubt.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::filled;
use crate::app::inventory::{HoldStock, ReleaseHeldStock, ScrapHeldStock};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::mutation::{act, clean, id, payload};
use crate::graphql::scalars::Decimal;
use crate::graphql::types::allocation::Allocation;
use crate::graphql::types::inventory::{StockItem, stock_item};

/// What is put aside, and why.
#[derive(InputObject)]
pub struct HoldStockInput {
    /// The `version` of the stock item you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// How much, in the product's unit of measure; at most what is available.
    quantity: Decimal,
    /// Why; kept.
    reason: String,
    /// The stock item.
    stock_item_id: ID,
}

payload! {
    /// The stock item.
    HoldStockPayload {
        /// The stock item as it is now.
        stock_item: StockItem,
    }
}

/// What is found good, and why.
#[derive(InputObject)]
pub struct ReleaseHeldStockInput {
    /// The `version` of the stock item you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// How much, in the product's unit of measure; at most what is put aside.
    quantity: Decimal,
    /// Why; kept.
    reason: String,
    /// The stock item.
    stock_item_id: ID,
}

payload! {
    /// The stock item, and who got what they waited for.
    ReleaseHeldStockPayload {
        /// Allocations that got what they waited for, or part of it.
        filled_allocations: Vec<Allocation>,
        /// The stock item as it is now.
        stock_item: StockItem,
    }
}

/// What is thrown away, and why.
#[derive(InputObject)]
pub struct ScrapHeldStockInput {
    /// The `version` of the stock item you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// How much, in the product's unit of measure; at most what is put aside.
    quantity: Decimal,
    /// Why; kept.
    reason: String,
    /// The stock item.
    stock_item_id: ID,
}

payload! {
    /// The stock item.
    ScrapHeldStockPayload {
        /// The stock item as it is now.
        stock_item: StockItem,
    }
}

/// Stock whose quality is in doubt.
#[derive(Default)]
pub struct HeldMutation;

#[Object]
impl HeldMutation {
    /// Puts stock aside until its quality is known. It is not available meanwhile; what is reserved is not
    /// touched (R4.2, R6.1). For warehouse staff and inspectors.
    #[graphql(directive = access::apply(roles("holdStock"), limit("holdStock")))]
    async fn hold_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is put aside, and why.")] input: HoldStockInput,
    ) -> Result<HoldStockPayload> {
        let command = HoldStock {
            stock_item_id: id(ctx, &input.stock_item_id)?,
            quantity: input.quantity.0,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(HoldStockPayload {
                stock_item: stock_item(ctx, answer.stock_item_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(HoldStockPayload::refused(errors)),
        }
    }

    /// Gives stock free that was put aside. It fills what waits, by priority and then by age (R4.3).
    /// For inspectors.
    #[graphql(directive = access::apply(roles("releaseHeldStock"), limit("releaseHeldStock")))]
    async fn release_held_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is found good, and why.")] input: ReleaseHeldStockInput,
    ) -> Result<ReleaseHeldStockPayload> {
        let command = ReleaseHeldStock {
            stock_item_id: id(ctx, &input.stock_item_id)?,
            quantity: input.quantity.0,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ReleaseHeldStockPayload {
                filled_allocations: Some(filled(ctx, answer.filled_allocation_ids).await?),
                stock_item: stock_item(ctx, answer.stock_item_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ReleaseHeldStockPayload::refused(errors)),
        }
    }

    /// Throws away stock that was put aside (R4.1). For inspectors.
    #[graphql(directive = access::apply(roles("scrapHeldStock"), limit("scrapHeldStock")))]
    async fn scrap_held_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is thrown away, and why.")] input: ScrapHeldStockInput,
    ) -> Result<ScrapHeldStockPayload> {
        let command = ScrapHeldStock {
            stock_item_id: id(ctx, &input.stock_item_id)?,
            quantity: input.quantity.0,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ScrapHeldStockPayload {
                stock_item: stock_item(ctx, answer.stock_item_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ScrapHeldStockPayload::refused(errors)),
        }
    }
}
