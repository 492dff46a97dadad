//! Amendments of orders.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::intake::{AddressInput, ContactDetailsInput, read_address, read_contact};
use super::{act, clean_optional, id, payload};
use crate::app::amendment::AmendOrder;
use crate::domain::amendment::{Amendment, LineAmendment};
use crate::domain::intake::Priority;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::scalars::{Date, Decimal};
use crate::graphql::types::order::{Order, order};

/// What is to change of a line; what is absent stays.
#[derive(InputObject)]
pub struct LineAmendmentInput {
    /// The order's line.
    line_id: ID,
    /// How much is wanted instead, in the line's unit of measure: above zero, at most three decimals.
    quantity: Option<Decimal>,
    /// Details of what is wanted instead.
    specification: Option<String>,
}

/// What is to change of an order; what is absent stays.
#[derive(InputObject)]
pub struct AmendOrderInput {
    /// The `version` of the order you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
    /// How to reach the customer about it. Reviewed again.
    contact: Option<ContactDetailsInput>,
    /// Where it goes. Reviewed again.
    delivery_address: Option<AddressInput>,
    /// Quantities and specifications of lines. Reviewed again.
    #[graphql(default)]
    lines: Vec<LineAmendmentInput>,
    /// A remark by the submitter.
    note: Option<String>,
    /// How urgent it is.
    priority: Option<Priority>,
    /// The date delivery is expected by.
    required_by: Option<Date>,
}

payload! {
    /// The order with its changes.
    AmendOrderPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// Amendments.
#[derive(Default)]
pub struct AmendmentMutation;

#[Object]
impl AmendmentMutation {
    /// Changes an order before a unit has a share of it (R1.4). What a review looks at is reviewed again: an order
    /// that was approved goes back under review, and former approvals are kept but hold no more (R2.6). What asks for
    /// nothing new does nothing. For the customer, the partner that submitted it, and sales staff.
    #[graphql(directive = access::apply(roles("amendOrder"), limit("amendOrder")))]
    async fn amend_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: AmendOrderInput,
    ) -> Result<AmendOrderPayload> {
        let amendment = Amendment {
            contact: input.contact.map(|contact| read_contact(ctx, contact)).transpose()?,
            delivery_address: input.delivery_address.map(|address| read_address(ctx, address)).transpose()?,
            lines: lines(ctx, input.lines)?,
            required_by: input.required_by.map(|date| date.0),
            priority: input.priority,
            note: clean_optional(ctx, "note", input.note)?,
        };
        let command = AmendOrder {
            order_id: id(ctx, &input.order_id)?,
            amendment,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(AmendOrderPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() }),
            Err(errors) => Ok(AmendOrderPayload::refused(errors)),
        }
    }
}

fn lines(ctx: &Context<'_>, lines: Vec<LineAmendmentInput>) -> Result<Vec<LineAmendment>> {
    let each = lines.into_iter().enumerate().map(|(index, line)| {
        Ok(LineAmendment {
            line_id: id(ctx, &line.line_id)?,
            quantity: line.quantity.map(|quantity| quantity.0),
            specification: clean_optional(ctx, &format!("lines.{index}.specification"), line.specification)?,
        })
    });
    each.collect()
}
