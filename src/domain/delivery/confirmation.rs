//! The customer's confirmation (R8), with what proves it.

use crate::domain::actor::{Act, Actor, Role};
use crate::domain::allocation::{Allocation, AllocationStatus};
use crate::domain::codes::codes;
use crate::domain::event::EventKind;
use crate::domain::ids::{ConfirmationId, DeliveryLineId};
use crate::domain::intake::{SHORT_TEXT, text};
use crate::domain::money::QUANTITY_SCALE;
use crate::domain::order::{Counter, Order};
use crate::domain::permission::Action;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Delivery;

codes! {
    /// What the customer has confirmed of a delivery.
    ConfirmationStatus {
        /// Nothing yet.
        Pending = "PENDING",
        /// Part of it.
        PartiallyConfirmed = "PARTIALLY_CONFIRMED",
        /// All of it.
        Confirmed = "CONFIRMED",
    }
}

codes! {
    /// What proves a confirmation (R8.1).
    EvidenceKind {
        /// The courier's slip, signed. Goods only.
        SignedSlip = "SIGNED_SLIP",
        /// The customer's own receipt.
        CustomerReceipt = "CUSTOMER_RECEIPT",
        /// The completion report, signed. Services only.
        ServiceReportSignature = "SERVICE_REPORT_SIGNATURE",
        /// A rating given online. Services only.
        OnlineRating = "ONLINE_RATING",
    }
}

/// What proves a confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// Where to find it: a slip's number, a file's name, a rating.
    pub reference: String,
    /// SHA-256 of the file in hexadecimal, where there is one.
    pub file_hash: Option<String>,
}

/// How much of a delivery line the customer confirms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedQuantity {
    /// The line.
    pub line_id: DeliveryLineId,
    /// How much of it.
    pub quantity: Decimal,
}

/// A customer's confirmation; never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Identity.
    pub id: ConfirmationId,
    /// What proves it.
    pub evidence: Evidence,
    /// What was confirmed.
    pub quantities: Vec<ConfirmedQuantity>,
    /// Who recorded it.
    pub confirmed_by: String,
    /// When.
    pub confirmed_at: DateTime<Utc>,
}

impl Delivery {
    /// Confirms receipt of all that is open, or of the quantities named.
    pub fn confirm(
        &mut self,
        evidence: Evidence,
        quantities: Option<Vec<ConfirmedQuantity>>,
        allocation: &mut Allocation,
        order: &mut Order,
        act: &Act<'_>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::ConfirmDelivery, order, act.actor);
        let quantities = quantities.unwrap_or_else(|| {
            self.lines
                .iter()
                .filter(|line| line.confirmed < line.quantity)
                .map(|line| ConfirmedQuantity { line_id: line.id, quantity: line.quantity - line.confirmed })
                .collect()
        });
        self.check_confirmation(&evidence, &quantities, allocation.kind, act.actor, &mut refusals);
        refusals.into_result()?;
        for one in &quantities {
            let Some(line) = self.lines.iter_mut().find(|line| line.id == one.line_id) else {
                continue;
            };
            line.confirmed += one.quantity;
            order.count(Counter::Confirmed, line.order_line_id, one.quantity);
            if let Some(share) = allocation.lines.iter_mut().find(|share| share.id == line.allocation_line_id) {
                share.confirmed += one.quantity;
            }
        }
        let all = self.lines.iter().all(|line| line.confirmed == line.quantity);
        self.confirmation_status =
            if all { ConfirmationStatus::Confirmed } else { ConfirmationStatus::PartiallyConfirmed };
        self.confirmations.push(Confirmation {
            id: act.id(),
            evidence,
            quantities,
            confirmed_by: act.actor.subject.clone(),
            confirmed_at: act.now,
        });
        if allocation.lines.iter().all(|line| line.confirmed == line.quantity) {
            allocation.status = AllocationStatus::Closed;
        }
        Ok(EventKind::DeliveryConfirmed)
    }

    fn check_confirmation(
        &self,
        evidence: &Evidence,
        quantities: &[ConfirmedQuantity],
        kind: ProductKind,
        actor: &Actor,
        refusals: &mut Refusals,
    ) {
        text(refusals, "evidence.reference", Some(&evidence.reference), true, SHORT_TEXT);
        let hash_fits = |hash: &String| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        refusals.require(evidence.file_hash.as_ref().is_none_or(hash_fits), || {
            Refusal::new(Code::Malformed, "R8.1", "A SHA-256 in 64 hexadecimal digits.").at("evidence.fileHash")
        });
        let service = kind == ProductKind::Service;
        let fits = match evidence.kind {
            EvidenceKind::SignedSlip => !service,
            EvidenceKind::CustomerReceipt => true,
            EvidenceKind::ServiceReportSignature | EvidenceKind::OnlineRating => service,
        };
        refusals.require(fits, || {
            Refusal::new(
                Code::EvidenceNotAcceptable,
                "R8.1",
                "Goods: SIGNED_SLIP or CUSTOMER_RECEIPT. Services: SERVICE_REPORT_SIGNATURE, ONLINE_RATING or CUSTOMER_RECEIPT.",
            )
            .at("evidence.kind")
        });
        // An online rating is the customer's own word; staff cannot give it.
        refusals.require(evidence.kind != EvidenceKind::OnlineRating || actor.is(Role::Customer), || {
            Refusal::new(Code::EvidenceNotAcceptable, "R8.1", "Only the customer rates online.").at("evidence.kind")
        });
        for (index, one) in quantities.iter().enumerate() {
            let at = |field: &str| format!("lines.{index}.{field}");
            let Some(line) = self.lines.iter().find(|line| line.id == one.line_id) else {
                refusals.push(Refusal::new(Code::UnknownLine, "R8.1", "Not a line of this delivery.").at(at("lineId")));
                continue;
            };
            refusals.require(quantities[..index].iter().all(|other| other.line_id != one.line_id), || {
                Refusal::new(Code::Repeated, "R8.1", "This line is named twice.").at(at("lineId"))
            });
            let open = line.quantity - line.confirmed;
            refusals.require(
                one.quantity > Decimal::ZERO && one.quantity.normalize().scale() <= QUANTITY_SCALE,
                || {
                    Refusal::new(Code::QuantityNotPositive, "R8.1", "Above zero, at most three decimals.")
                        .at(at("quantity"))
                },
            );
            refusals.require(one.quantity <= open, || {
                Refusal::new(Code::QuantityExceeded, "R8.1", format!("{} are open.", open.normalize()))
                    .at(at("quantity"))
            });
        }
    }
}
