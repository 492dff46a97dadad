//! An order as its channel tells of it: what it costs there, what was wrong with it, what was told last. What
//! the channel tells later is followed as far as the order's state allows.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::SalesChannel;
use super::delivery::DeliveryOutcome;
use crate::domain::actor::Act;
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::{ChannelOrderId, OrderId, OrderLineId, SalesChannelId};
use crate::domain::intake::LONG_TEXT;
use crate::domain::intake::received::{Charges, Draft, DraftLine, IntakeFault, IntakeFaultCode, Received, total_fault};
use crate::domain::order::{Hold, LineQuantities, Order, OrderStatus};
use crate::domain::permission::Action;
use crate::domain::transition::Lifecycle;
use rust_decimal::Decimal;

/// What a delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// An order.
    Order(Box<Received>),
    /// Nothing that makes an order, and why.
    Ignored(String),
}

/// A line of the order and the channel's, tied together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelLine {
    /// The channel's own number of the line.
    pub reference: String,
    /// The order's line.
    pub line_id: OrderLineId,
    /// Digest of what was told of it.
    pub said: String,
}

/// An order as its channel tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelOrder {
    /// Identity.
    pub id: ChannelOrderId,
    /// Counts the changes.
    pub version: i64,
    /// The channel.
    pub channel_id: SalesChannelId,
    /// The order.
    pub order_id: OrderId,
    /// The channel's own number.
    pub reference: String,
    /// What the channel's people call it.
    pub name: Option<String>,
    /// When it was placed there.
    pub placed_at: Option<DateTime<Utc>>,
    /// When it was changed there, as far as that is known here: what is older comes too late.
    pub told_at: Option<DateTime<Utc>>,
    /// Is it cancelled there?
    pub cancelled: bool,
    /// Digest of what the order was made of.
    pub applied: String,
    /// Digest of what was told last.
    pub told: String,
    /// What it costs there.
    pub charges: Charges,
    /// Its lines there.
    pub lines: Vec<ChannelLine>,
    /// What was missing or wrong.
    pub faults: Vec<IntakeFault>,
}

/// What came of something the channel told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// What came of it.
    pub outcome: DeliveryOutcome,
    /// The same in words.
    pub remark: Option<String>,
    /// What happened to the order.
    pub happening: Option<Happening>,
}

impl Followed {
    fn so(outcome: DeliveryOutcome, remark: impl Into<Option<String>>) -> Self {
        Self { outcome, remark: remark.into(), happening: None }
    }
}

fn ties(lines: &[DraftLine]) -> Vec<ChannelLine> {
    let tie = |one: &DraftLine| ChannelLine {
        reference: one.reference.clone(),
        line_id: one.line.id,
        said: one.said.clone(),
    };
    lines.iter().map(tie).collect()
}

impl ChannelOrder {
    /// What is known of an order that is taken in: of what was told, what was understood, and what was wrong.
    pub fn new(
        received: &Received,
        channel: &SalesChannel,
        lines: &[DraftLine],
        order: OrderId,
        faults: Vec<IntakeFault>,
        act: &Act<'_>,
    ) -> Self {
        Self {
            id: act.id(),
            version: 0,
            channel_id: channel.id,
            order_id: order,
            reference: received.reference.clone(),
            name: received.name.clone(),
            placed_at: received.placed_at,
            told_at: received.changed_at,
            cancelled: received.cancelled.is_some(),
            applied: received.content(),
            told: received.content(),
            charges: received.charges.clone(),
            lines: ties(lines),
            faults,
        }
    }

    /// Follows what the channel tells of the order later. Before the approval the order becomes what the channel
    /// says; afterwards it is held until somebody has looked at it; a cancellation is asked for as by anybody.
    pub fn follow(&mut self, order: &mut Order, received: &Received, draft: Draft, act: &Act<'_>) -> Followed {
        if let (Some(known), Some(told)) = (self.told_at, received.changed_at)
            && told < known
        {
            return Followed::so(DeliveryOutcome::Stale, format!("What was told at {known} is known already."));
        }
        self.told_at = received.changed_at.or(self.told_at);
        let content = received.content();
        if let Some(reason) = &received.cancelled {
            self.told = content;
            return self.cancel(order, reason, act);
        }
        if std::mem::take(&mut self.cancelled) {
            self.told = content;
            let message = "The channel took its cancellation back.".to_owned();
            self.note(IntakeFaultCode::ChangedAfterEnd, message.clone());
            return self.hold(order, message, act);
        }
        if content == self.told {
            return Followed::so(DeliveryOutcome::Unchanged, None);
        }
        self.told.clone_from(&content);
        self.charges = received.charges.clone();
        if content == self.applied {
            self.faults.retain(|fault| fault.code != IntakeFaultCode::ChangedAfterApproval);
            return Followed::so(DeliveryOutcome::Unchanged, "It is again as it was taken over.".to_owned());
        }
        if order.status.admits(Action::ReplayChannelDelivery) && !draft.has_lines {
            return self.cancel(order, "Nothing is left of it at the channel.", act);
        }
        let differences = differences(order, &draft, &self.lines);
        if !order.status.admits(Action::ReplayChannelDelivery) {
            let message = shorten(format!("The channel changed the order after its approval: {differences}"));
            self.note(IntakeFaultCode::ChangedAfterApproval, message.clone());
            return self.hold(order, message, act);
        }
        if draft.currency != order.currency {
            let message = format!("The channel changed the currency to {}.", draft.currency.code());
            self.note(IntakeFaultCode::CurrencyMismatch, message.clone());
            return self.hold(order, message, act);
        }
        self.applied = content;
        self.amend(order, draft);
        Followed {
            outcome: DeliveryOutcome::Amended,
            remark: Some(differences.clone()),
            happening: Some(EventKind::OrderAmended.because(differences)),
        }
    }

    fn amend(&mut self, order: &mut Order, draft: Draft) {
        let mut ties = Vec::new();
        for mut told in draft.lines {
            let known = self.lines.iter().find(|known| known.reference == told.reference);
            let place = known.and_then(|known| order.lines.iter_mut().find(|line| line.id == known.line_id));
            match (known, place) {
                // What was clarified of it since stays clarified.
                (Some(known), Some(line)) if known.said == told.said => told.line.id = line.id,
                (_, Some(line)) => {
                    told.line.id = line.id;
                    told.line.line_number = line.line_number;
                    line.clone_from(&told.line);
                }
                (_, None) => {
                    let last = order.lines.iter().map(|line| line.line_number).max().unwrap_or(0);
                    told.line.line_number = last + 1;
                    order.lines.push(told.line.clone());
                }
            }
            ties.push(ChannelLine { reference: told.reference, line_id: told.line.id, said: told.said });
        }
        for line in &mut order.lines {
            if !ties.iter().any(|tie| tie.line_id == line.id) {
                // Lines are never deleted: of this one nothing is ordered any more.
                line.quantities = LineQuantities::default();
                line.total = Decimal::ZERO;
            }
        }
        self.lines = ties;
        order.contact = draft.contact;
        order.delivery_address = draft.address;
        order.note = draft.note;
        let kept = [IntakeFaultCode::BuyerUnknown, IntakeFaultCode::CurrencyMismatch];
        self.faults.retain(|fault| kept.contains(&fault.code));
        self.faults.extend(draft.faults);
        self.faults.extend(total_fault(&self.charges, order.total(), order.currency));
    }

    fn cancel(&mut self, order: &mut Order, reason: &str, act: &Act<'_>) -> Followed {
        let is_known = std::mem::replace(&mut self.cancelled, true);
        if is_known || matches!(order.status, OrderStatus::Cancelled | OrderStatus::CancellationPending) {
            return Followed::so(
                DeliveryOutcome::Unchanged,
                "It is cancelled already, or that was asked for.".to_owned(),
            );
        }
        match order.cancel(act.actor, reason.to_owned(), act.now) {
            Ok(happening) => {
                let pending = order.status == OrderStatus::CancellationPending;
                let outcome = if pending { DeliveryOutcome::CancellationRequested } else { DeliveryOutcome::Cancelled };
                Followed { outcome, remark: Some(reason.to_owned()), happening: Some(happening) }
            }
            Err(refusals) => {
                let reasons: Vec<String> = refusals.0.into_iter().map(|refusal| refusal.message).collect();
                let message = format!("The channel cancelled the order, which is {}.", order.status);
                self.note(IntakeFaultCode::ChangedAfterEnd, message.clone());
                Followed::so(DeliveryOutcome::NeedsAttention, format!("{message} {}", reasons.join(" ")))
            }
        }
    }

    /// Stops the order until somebody has looked at it, if it goes on at all.
    fn hold(&mut self, order: &mut Order, reason: String, act: &Act<'_>) -> Followed {
        let hold =
            Hold { id: act.id(), reason: reason.clone(), placed_by: act.actor.subject.clone(), placed_at: act.now };
        let happening = order.place_hold(act.actor, hold).ok();
        Followed { outcome: DeliveryOutcome::NeedsAttention, remark: Some(reason), happening }
    }

    /// Keeps a fault; an older one of the same kind is out of date.
    fn note(&mut self, code: IntakeFaultCode, message: String) {
        self.faults.retain(|fault| fault.code != code);
        self.faults.push(IntakeFault::new(code, message));
    }
}

fn shorten(text: String) -> String {
    if text.chars().count() <= LONG_TEXT { text } else { text.chars().take(LONG_TEXT - 1).chain(['…']).collect() }
}

/// What the channel says otherwise than the order, in words.
fn differences(order: &Order, draft: &Draft, ties: &[ChannelLine]) -> String {
    let mut found = Vec::new();
    for told in &draft.lines {
        let what = &told.line.description;
        let tie = ties.iter().find(|tie| tie.reference == told.reference);
        let line = tie.and_then(|tie| order.line(tie.line_id));
        match (tie, line) {
            (Some(tie), _) if tie.said == told.said => {}
            (Some(_), Some(line)) => {
                let (before, after) = (line.quantities.ordered, told.line.quantities.ordered);
                let mut changes = Vec::new();
                if before != after {
                    changes.push(format!("quantity {before} → {after}"));
                }
                if line.total != told.line.total {
                    changes.push(format!("amount {} → {}", line.total, told.line.total));
                }
                if changes.is_empty() {
                    changes.push("details".to_owned());
                }
                found.push(format!("line {} ({what}): {}", line.line_number, changes.join(", ")));
            }
            _ => found.push(format!("new line: {} × {what}", told.line.quantities.ordered)),
        }
    }
    for tie in ties.iter().filter(|tie| draft.lines.iter().all(|told| told.reference != tie.reference)) {
        if let Some(line) = order.line(tie.line_id) {
            found.push(format!("line {} ({}) was taken out", line.line_number, line.description));
        }
    }
    for (differs, what) in [
        (order.contact != draft.contact, "the contact"),
        (order.delivery_address != draft.address, "the delivery address"),
        (order.note != draft.note, "the note"),
        (order.currency != draft.currency, "the currency"),
    ] {
        if differs {
            found.push(what.to_owned());
        }
    }
    if found.is_empty() {
        found.push("shipping, taxes or fees".to_owned());
    }
    shorten(format!("{}.", found.join("; ")))
}
