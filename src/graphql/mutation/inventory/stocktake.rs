//! Stocktakes.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::filled;
use crate::app::inventory::{ApproveStocktake, FinishStocktake, OpenStocktake, RecordCount, RejectStocktake};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::context::Answer;
use crate::graphql::ids;
use crate::graphql::mutation::{act, clean, clean_optional, id, payload};
use crate::graphql::scalars::Decimal;
use crate::graphql::types::allocation::Allocation;
use crate::graphql::types::inventory::{Stocktake, stocktake};

/// What is to be counted.
#[derive(InputObject)]
pub struct OpenStocktakeInput {
    /// True: nobody sees what the books say before all is counted.
    blind: Option<bool>,
    /// Only products of this category; all when absent.
    category: Option<String>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Only these stock items; all when absent.
    stock_item_ids: Option<Vec<ID>>,
    /// The warehouse, by the unit's id.
    warehouse_id: ID,
}

payload! {
    /// The new stocktake.
    OpenStocktakePayload {
        /// The stocktake as it is now.
        stocktake: Stocktake,
    }
}

/// What was counted of an item.
#[derive(InputObject)]
pub struct RecordCountInput {
    /// What was counted, in the product's unit of measure.
    counted: Decimal,
    /// The `version` of the stocktake you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The stock item.
    stock_item_id: ID,
    /// The stocktake.
    stocktake_id: ID,
}

payload! {
    /// The stocktake.
    RecordCountPayload {
        /// The stocktake as it is now.
        stocktake: Stocktake,
    }
}

/// The stocktake of which all is counted.
#[derive(InputObject)]
pub struct FinishStocktakeInput {
    /// The `version` of the stocktake you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The stocktake.
    stocktake_id: ID,
}

payload! {
    /// The stocktake, and who got what they waited for.
    FinishStocktakePayload {
        /// Allocations that got what they waited for, or part of it.
        filled_allocations: Vec<Allocation>,
        /// The stocktake as it is now.
        stocktake: Stocktake,
    }
}

/// The stocktake to approve.
#[derive(InputObject)]
pub struct ApproveStocktakeInput {
    /// The `version` of the stocktake you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// A remark; kept.
    reason: Option<String>,
    /// True: what is reserved and was not found is taken back, from the newest reservations first, as far as
    /// nobody has taken the goods from their place. Those orders wait again. Without it such a stocktake is
    /// refused with STOCK_RESERVED, and the message says who has what.
    release_reservations: Option<bool>,
    /// The stocktake.
    stocktake_id: ID,
}

payload! {
    /// The stocktake, and who got what they waited for.
    ApproveStocktakePayload {
        /// Allocations that got what they waited for, or part of it.
        filled_allocations: Vec<Allocation>,
        /// The stocktake as it is now.
        stocktake: Stocktake,
    }
}

/// The stocktake to reject, and why.
#[derive(InputObject)]
pub struct RejectStocktakeInput {
    /// The `version` of the stocktake you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why; kept.
    reason: String,
    /// The stocktake.
    stocktake_id: ID,
}

payload! {
    /// The stocktake.
    RejectStocktakePayload {
        /// The stocktake as it is now.
        stocktake: Stocktake,
    }
}

/// Stocktakes.
#[derive(Default)]
pub struct StocktakeMutation;

#[Object]
impl StocktakeMutation {
    /// Begins to count stock: all of a warehouse, a category of it, or some items, at most 500 (R4.1). An item
    /// is counted in one stocktake at a time. Stock moves on meanwhile. For warehouse staff.
    #[graphql(directive = access::apply(roles("openStocktake"), limit("openStocktake")))]
    async fn open_stocktake(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be counted.")] input: OpenStocktakeInput,
    ) -> Result<OpenStocktakePayload> {
        let command = OpenStocktake {
            warehouse_id: id(ctx, &input.warehouse_id)?,
            category: clean_optional(ctx, "category", input.category)?,
            stock_item_ids: ids::parse_all(input.stock_item_ids).answer(ctx)?,
            blind: input.blind.unwrap_or_default(),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(OpenStocktakePayload {
                stocktake: stocktake(ctx, answer.stocktake_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(OpenStocktakePayload::refused(errors)),
        }
    }

    /// Records what was counted of a stock item, against what the books say at that moment. Counting again
    /// replaces it (R4.1). For warehouse staff.
    #[graphql(directive = access::apply(roles("recordCount"), limit("recordCount")))]
    async fn record_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was counted of an item.")] input: RecordCountInput,
    ) -> Result<RecordCountPayload> {
        let command = RecordCount {
            stocktake_id: id(ctx, &input.stocktake_id)?,
            stock_item_id: id(ctx, &input.stock_item_id)?,
            counted: input.counted.0,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(RecordCountPayload {
                stocktake: stocktake(ctx, answer.stocktake_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(RecordCountPayload::refused(errors)),
        }
    }

    /// Says that all is counted. If every variance is within the tolerance of the rules and nothing reserved is
    /// missing, they are booked at once; otherwise somebody else decides (R4.1). For warehouse staff.
    #[graphql(directive = access::apply(roles("finishStocktake"), limit("finishStocktake")))]
    async fn finish_stocktake(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stocktake of which all is counted.")] input: FinishStocktakeInput,
    ) -> Result<FinishStocktakePayload> {
        let command = FinishStocktake {
            stocktake_id: id(ctx, &input.stocktake_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(FinishStocktakePayload {
                filled_allocations: Some(filled(ctx, answer.filled_allocation_ids).await?),
                stocktake: stocktake(ctx, answer.stocktake_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(FinishStocktakePayload::refused(errors)),
        }
    }

    /// Books the variances of a stocktake, all in one step. What turned up fills what waits (R4.1, R4.3).
    /// For finance approvers and administrators who neither opened nor counted it.
    #[graphql(directive = access::apply(roles("approveStocktake"), limit("approveStocktake")))]
    async fn approve_stocktake(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stocktake to approve.")] input: ApproveStocktakeInput,
    ) -> Result<ApproveStocktakePayload> {
        let command = ApproveStocktake {
            stocktake_id: id(ctx, &input.stocktake_id)?,
            reason: clean_optional(ctx, "reason", input.reason)?,
            release_reservations: input.release_reservations.unwrap_or_default(),
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ApproveStocktakePayload {
                filled_allocations: Some(filled(ctx, answer.filled_allocation_ids).await?),
                stocktake: stocktake(ctx, answer.stocktake_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ApproveStocktakePayload::refused(errors)),
        }
    }

    /// Rejects a stocktake: nothing is booked, and its items may be counted anew. For finance approvers and
    /// administrators.
    #[graphql(directive = access::apply(roles("rejectStocktake"), limit("rejectStocktake")))]
    async fn reject_stocktake(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stocktake to reject, and why.")] input: RejectStocktakeInput,
    ) -> Result<RejectStocktakePayload> {
        let command = RejectStocktake {
            stocktake_id: id(ctx, &input.stocktake_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(RejectStocktakePayload {
                stocktake: stocktake(ctx, answer.stocktake_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(RejectStocktakePayload::refused(errors)),
        }
    }
}
