//! Delivery and its confirmation.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, clean_optional, id, payload};
use crate::app::delivery::{BookDelivery, ConfirmDelivery, DispatchDelivery, PlanDelivery, RecordTrackingEvent};
use crate::domain::delivery::{
    ConfirmedQuantity, DeliveryMethod, DeliveryQuantity, Evidence, EvidenceKind, TrackingKind, TrackingReport,
};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::delivery::{Delivery, delivery};
use crate::graphql::types::order::{Order, order};

/// How much of an allocation's line to deliver.
#[derive(InputObject)]
pub struct DeliveryQuantityInput {
    /// The allocation's line.
    line_id: ID,
    /// How much of it.
    quantity: Decimal,
}

/// How much of a delivery's line the customer confirms.
#[derive(InputObject)]
pub struct ConfirmedQuantityInput {
    /// The delivery's line.
    line_id: ID,
    /// How much of it.
    quantity: Decimal,
}

/// What proves a confirmation (R8.1).
#[derive(InputObject)]
pub struct EvidenceInput {
    /// SHA-256 of the file in 64 hexadecimal digits, where there is a file.
    file_hash: Option<String>,
    /// What it is.
    kind: EvidenceKind,
    /// Where to find it: a slip's number, a file's name, a rating.
    reference: String,
}

/// What to deliver, and how.
#[derive(InputObject)]
pub struct PlanDeliveryInput {
    /// The allocation.
    allocation_id: ID,
    /// The `version` of the allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// How much of which lines; everything that passed and is not planned when absent.
    lines: Option<Vec<DeliveryQuantityInput>>,
    /// The method; the best one for content, need and cost when absent.
    method: Option<DeliveryMethod>,
}

payload! {
    /// The planned delivery with every method that was considered.
    PlanDeliveryPayload {
        /// The delivery as it is now.
        delivery: Delivery,
    }
}

/// The booking of a planned delivery.
#[derive(InputObject)]
pub struct BookDeliveryInput {
    /// When pickup or service is agreed for. Required for services (R7.2).
    appointment: Option<DateTime>,
    /// The carrier, or who performs the service. Required unless it is picked up or a service.
    carrier: Option<String>,
    /// The delivery.
    delivery_id: ID,
    /// The `version` of the delivery you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The carrier's number for it. Required unless it is picked up or a service.
    tracking_number: Option<String>,
}

payload! {
    /// The booked delivery.
    BookDeliveryPayload {
        /// The delivery as it is now.
        delivery: Delivery,
    }
}

/// The delivery that leaves.
#[derive(InputObject)]
pub struct DispatchDeliveryInput {
    /// The delivery.
    delivery_id: ID,
    /// The `version` of the delivery you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
}

payload! {
    /// The delivery that left.
    DispatchDeliveryPayload {
        /// The delivery as it is now.
        delivery: Delivery,
        /// The order as it is now.
        order: Order,
    }
}

/// What the carrier reports.
#[derive(InputObject)]
pub struct RecordTrackingEventInput {
    /// The carrier.
    carrier: String,
    /// The carrier's own id of the report: a repeated one changes nothing.
    carrier_event_id: String,
    /// The delivery.
    delivery_id: ID,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// What happened.
    kind: TrackingKind,
    /// Where.
    location: Option<String>,
    /// When, by the carrier's clock.
    occurred_at: DateTime,
}

payload! {
    /// The delivery that was reported on.
    RecordTrackingEventPayload {
        /// The delivery as it is now.
        delivery: Delivery,
        /// Was the report known before? Then nothing was done.
        duplicate: bool,
        /// The order as it is now.
        order: Order,
    }
}

/// The confirmation and what proves it.
#[derive(InputObject)]
pub struct ConfirmDeliveryInput {
    /// The delivery.
    delivery_id: ID,
    /// What proves it.
    evidence: EvidenceInput,
    /// The `version` of the delivery you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// How much of which lines; everything that is open when absent.
    lines: Option<Vec<ConfirmedQuantityInput>>,
}

payload! {
    /// The confirmed delivery and its order.
    ConfirmDeliveryPayload {
        /// The delivery as it is now.
        delivery: Delivery,
        /// The order as it is now.
        order: Order,
    }
}

/// Delivery and its confirmation.
#[derive(Default)]
pub struct DeliveryMutation;

#[Object]
impl DeliveryMutation {
    /// Chooses how what passed inspection is delivered: methods are ranked by time and cost, each with
    /// its reason (R7.1). For logistics staff.
    #[graphql(directive = access::apply(roles("planDelivery"), limit("planDelivery")))]
    async fn plan_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to deliver, and how.")] input: PlanDeliveryInput,
    ) -> Result<PlanDeliveryPayload> {
        let command = PlanDelivery {
            allocation_id: id(ctx, &input.allocation_id)?,
            method: input.method,
            lines: input.lines.map(|lines| quantities(ctx, lines)).transpose()?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(PlanDeliveryPayload { delivery: delivery(ctx, answer.delivery_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(PlanDeliveryPayload::refused(errors)),
        }
    }

    /// Books a planned delivery with the carrier, or announces the pickup or the appointment (R7.2).
    /// For logistics staff.
    #[graphql(directive = access::apply(roles("bookDelivery"), limit("bookDelivery")))]
    async fn book_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The booking of a planned delivery.")] input: BookDeliveryInput,
    ) -> Result<BookDeliveryPayload> {
        let command = BookDelivery {
            delivery_id: id(ctx, &input.delivery_id)?,
            carrier: clean_optional(ctx, "carrier", input.carrier)?,
            tracking_number: clean_optional(ctx, "trackingNumber", input.tracking_number)?,
            appointment: input.appointment.map(|at| at.0),
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(BookDeliveryPayload { delivery: delivery(ctx, answer.delivery_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(BookDeliveryPayload::refused(errors)),
        }
    }

    /// Hands a booked delivery over to the carrier, or begins the service; goods are issued from the
    /// order's own reservation (R6.2). For logistics staff.
    #[graphql(directive = access::apply(roles("dispatchDelivery"), limit("dispatchDelivery")))]
    async fn dispatch_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The delivery that leaves.")] input: DispatchDeliveryInput,
    ) -> Result<DispatchDeliveryPayload> {
        let command = DispatchDelivery {
            delivery_id: id(ctx, &input.delivery_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(DispatchDeliveryPayload {
                delivery: delivery(ctx, answer.delivery_id).await?,
                order: order(ctx, answer.order_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(DispatchDeliveryPayload::refused(errors)),
        }
    }

    /// Records what a carrier reports, once per carrier and its event id, in any order (R7.3). For a
    /// pickup or a service, `DELIVERED` says it was fetched or performed. For logistics staff.
    #[graphql(directive = access::apply(roles("recordTrackingEvent"), limit("recordTrackingEvent")))]
    async fn record_tracking_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the carrier reports.")] input: RecordTrackingEventInput,
    ) -> Result<RecordTrackingEventPayload> {
        let command = RecordTrackingEvent {
            delivery_id: id(ctx, &input.delivery_id)?,
            report: TrackingReport {
                carrier: clean(ctx, "carrier", input.carrier)?,
                carrier_event_id: clean(ctx, "carrierEventId", input.carrier_event_id)?,
                kind: input.kind,
                occurred_at: input.occurred_at.0,
                location: clean_optional(ctx, "location", input.location)?,
            },
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(RecordTrackingEventPayload {
                delivery: delivery(ctx, answer.delivery_id).await?,
                duplicate: Some(answer.duplicate),
                order: order(ctx, answer.order_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(RecordTrackingEventPayload::refused(errors)),
        }
    }

    /// Confirms the receipt of a delivery, with evidence (R8.1). The order is completed once every open
    /// quantity is confirmed, and what is due is recorded (R8.2). For the customer, the partner that
    /// submitted the order, and logistics staff with the customer's evidence.
    #[graphql(directive = access::apply(roles("confirmDelivery"), limit("confirmDelivery")))]
    async fn confirm_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The confirmation and what proves it.")] input: ConfirmDeliveryInput,
    ) -> Result<ConfirmDeliveryPayload> {
        let command = ConfirmDelivery {
            delivery_id: id(ctx, &input.delivery_id)?,
            evidence: Evidence {
                kind: input.evidence.kind,
                reference: clean(ctx, "evidence.reference", input.evidence.reference)?,
                file_hash: clean_optional(ctx, "evidence.fileHash", input.evidence.file_hash)?,
            },
            lines: input.lines.map(|lines| confirmed(ctx, lines)).transpose()?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ConfirmDeliveryPayload {
                delivery: delivery(ctx, answer.delivery_id).await?,
                order: order(ctx, answer.order_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ConfirmDeliveryPayload::refused(errors)),
        }
    }
}

fn quantities(ctx: &Context<'_>, lines: Vec<DeliveryQuantityInput>) -> Result<Vec<DeliveryQuantity>> {
    lines
        .into_iter()
        .map(|line| Ok(DeliveryQuantity { line_id: id(ctx, &line.line_id)?, quantity: line.quantity.0 }))
        .collect()
}

fn confirmed(ctx: &Context<'_>, lines: Vec<ConfirmedQuantityInput>) -> Result<Vec<ConfirmedQuantity>> {
    lines
        .into_iter()
        .map(|line| Ok(ConfirmedQuantity { line_id: id(ctx, &line.line_id)?, quantity: line.quantity.0 }))
        .collect()
}
