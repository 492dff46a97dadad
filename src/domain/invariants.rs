//! What must hold of all data at all times. `ordergraph verify` checks a live database against it.

use rust_decimal::Decimal;

use super::access::{AccessRestriction, AccessRestrictionStatus};
use super::allocation::{Allocation, AllocationStatus};
use super::change::{ChangeOption, OrderChange, OrderChangeStatus};
use super::channel::SalesChannel;
use super::channel::order::ChannelOrder;
use super::delivery::Delivery;
use super::import::{ErrorPolicy, ImportBatch, ImportStatus};
use super::inventory::{StockItem, StockTransfer, Stocktake, StocktakeStatus, TransferStatus};
use super::materials::Structure;
use super::order::{Coverage, LineQuantities, Order, OrderStatus};
use super::review::ReviewCase;

/// A row that breaks an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Stable code of the invariant.
    pub invariant: &'static str,
    /// Table of the row.
    pub table: &'static str,
    /// Identity of the row.
    pub id: String,
    /// What is wrong with it.
    pub message: String,
}

/// Collects violations.
#[derive(Debug, Default)]
pub struct Findings(pub Vec<Violation>);

impl Findings {
    /// Adds a violation unless the condition holds.
    pub fn expect(
        &mut self,
        holds: bool,
        invariant: &'static str,
        table: &'static str,
        id: impl std::fmt::Display,
        message: impl FnOnce() -> String,
    ) {
        if !holds {
            self.0.push(Violation { invariant, table, id: id.to_string(), message: message() });
        }
    }
}

/// What a settled line adds up to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settled {
    /// Quantity over all records.
    pub quantity: Decimal,
    /// Amount over all records.
    pub amount: Decimal,
}

/// An order with everything that must agree with it.
pub struct OrderPicture<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its review.
    pub review: Option<&'a ReviewCase>,
    /// Its allocations.
    pub allocations: &'a [&'a Allocation],
    /// Its deliveries.
    pub deliveries: &'a [&'a Delivery],
    /// What is settled of each line, in the order of the lines.
    pub settled: &'a [Settled],
}

/// Checks an order.
pub fn check_order(picture: &OrderPicture<'_>, findings: &mut Findings) {
    let order = picture.order;
    for line in &order.lines {
        check_counts(&line.quantities, line.id, findings);
    }
    check_status(order, findings);
    if order.is_past() {
        check_past(picture, findings);
        return;
    }
    let live = || picture.allocations.iter().filter(|share| share.status.is_live());
    for (index, line) in order.lines.iter().enumerate() {
        let shares = || live().flat_map(|share| &share.lines).filter(|share| share.order_line_id == line.id);
        let counts = &line.quantities;
        for (name, counted, summed) in [
            ("allocated", counts.allocated, shares().map(|share| share.quantity).sum::<Decimal>()),
            ("reserved", counts.reserved, shares().map(|share| share.reserved).sum()),
            ("passed", counts.passed, shares().map(|share| share.passed).sum()),
            ("dispatched", counts.dispatched, shares().map(|share| share.dispatched).sum()),
            ("confirmed", counts.confirmed, shares().map(|share| share.confirmed).sum()),
        ] {
            findings.expect(counted == summed, "LINE_EQUALS_SHARES", "order_line", line.id, || {
                format!("{name} is {counted}, its allocations say {summed}")
            });
        }
        let settled = picture.settled.get(index).copied().unwrap_or_default();
        findings.expect(
            settled.quantity == counts.confirmed,
            "SETTLED_EQUALS_CONFIRMED",
            "order_line",
            line.id,
            || format!("{} settled, {} confirmed", settled.quantity, counts.confirmed),
        );
        let due = line.due(order.currency);
        let whole = counts.confirmed == counts.open();
        findings.expect(!whole || settled.amount == due, "PARTS_SUM_TO_WHOLE", "order_line", line.id, || {
            format!("settled for {} of {due}", settled.amount)
        });
    }
    check_approval(picture, findings);
    for share in picture.allocations {
        check_allocation(share, picture.deliveries, findings);
    }
}

/// An order of the past was handled elsewhere: nothing here was, or will be, done for it.
fn check_past(picture: &OrderPicture<'_>, findings: &mut Findings) {
    let order = picture.order;
    let settled = picture.settled.iter().any(|settled| settled.quantity != Decimal::ZERO);
    let worked_on = picture.review.is_some() || !picture.allocations.is_empty() || !picture.deliveries.is_empty();
    findings.expect(order.status.is_final() && !settled && !worked_on, "PAST_WITHOUT_WORK", "orders", order.id, || {
        format!("it was taken over from the past and is {}, but something was done for it here", order.status)
    });
}

/// Checks an import.
pub fn check_import(batch: &ImportBatch, findings: &mut Findings) {
    let counts = &batch.counts;
    let summed = counts.taken + counts.duplicates + counts.refused;
    let nothing_taken = batch.status == ImportStatus::Rejected && counts.taken == 0 && counts.duplicates == 0;
    findings.expect(
        (nothing_taken || counts.handled == summed) && counts.handled <= counts.orders,
        "EVERY_ORDER_OF_A_FILE_IS_COUNTED",
        "import_batch",
        batch.id,
        || format!("{} of {} orders handled, {summed} counted", counts.handled, counts.orders),
    );
    let over = batch.status.is_final() || batch.status == ImportStatus::Checked;
    findings.expect(
        (!over || batch.worker.is_none()) && batch.status.is_final() <= batch.finished_at.is_some(),
        "NOBODY_WORKS_ON_WHAT_IS_OVER",
        "import_batch",
        batch.id,
        || format!("it is {} but somebody is at work, or nobody knows when it ended", batch.status),
    );
    findings.expect(
        batch.status != ImportStatus::Completed
            || batch.error_policy == ErrorPolicy::IgnoreFailed
            || counts.refused == 0,
        "COMPLETED_WITHOUT_FAULTS",
        "import_batch",
        batch.id,
        || format!("it is complete under {} with {} bad orders", batch.error_policy, counts.refused),
    );
}

/// Nothing is allocated without an approval that is still valid, and nothing is approved but completely (R2.6).
fn check_approval(picture: &OrderPicture<'_>, findings: &mut Findings) {
    let (order, review) = (picture.order, picture.review);
    let is_approved = review.is_some_and(|review| review.is_completely_approved(order));
    let was_approved = is_approved || review.is_some_and(|review| !review.approvals.is_empty());
    let has_live = picture.allocations.iter().any(|share| share.status.is_live());
    findings.expect(
        if has_live { is_approved } else { was_approved || picture.allocations.is_empty() },
        "ALLOCATED_ONLY_WHEN_APPROVED",
        "orders",
        order.id,
        || "it has allocations but no approval that is complete".to_owned(),
    );
    let must_be =
        order.status == OrderStatus::Approved || order.status.is_executing() || order.status == OrderStatus::Completed;
    findings.expect(!must_be || is_approved, "APPROVED_AT_EVERY_LEVEL", "orders", order.id, || {
        format!("it is {} without a valid approval at every level by another person", order.status)
    });
    let as_it_is = review.is_none_or(|review| review.is_approved_as_it_is(order));
    findings.expect(order.status != OrderStatus::Approved || as_it_is, "APPROVED_AS_IT_IS", "orders", order.id, || {
        "it was approved as something else than it is now".to_owned()
    });
}

fn check_counts(counts: &LineQuantities, id: impl std::fmt::Display + Copy, findings: &mut Findings) {
    let all = [
        counts.ordered,
        counts.cancelled,
        counts.allocated,
        counts.reserved,
        counts.produced,
        counts.passed,
        counts.dispatched,
        counts.delivered,
        counts.confirmed,
        counts.returned,
    ];
    findings.expect(all.iter().all(|count| *count >= Decimal::ZERO), "NEVER_NEGATIVE", "order_line", id, || {
        "a count is below zero".to_owned()
    });
    let chain = counts.confirmed <= counts.delivered
        && counts.delivered <= counts.dispatched
        && counts.dispatched <= counts.passed
        && counts.passed <= counts.allocated
        && counts.allocated <= counts.open()
        && counts.returned <= counts.delivered;
    findings.expect(chain, "CHAIN_OF_COUNTS", "order_line", id, || {
        "confirmed ≤ delivered ≤ dispatched ≤ passed ≤ allocated ≤ ordered − cancelled does not hold".to_owned()
    });
}

fn check_status(order: &Order, findings: &mut Findings) {
    findings.expect(
        order.unallocatable.is_none()
            || (order.has_unallocated() && matches!(order.status, OrderStatus::Approved | OrderStatus::InProgress))
            || order.status == OrderStatus::CancellationPending,
        "UNALLOCATABLE_ONLY_WHILE_OPEN",
        "orders",
        order.id,
        || format!("it waits for a unit although it is {} or nothing of it is open", order.status),
    );
    let open = order.lines.iter().any(|line| line.quantities.open() > Decimal::ZERO);
    let confirmed = open && order.coverage(|counts| counts.confirmed) == Coverage::Full;
    findings.expect(
        (order.status == OrderStatus::Completed) == confirmed,
        "COMPLETED_WHEN_CONFIRMED",
        "orders",
        order.id,
        || {
            format!(
                "it is {} although {}everything open is confirmed",
                order.status,
                if confirmed { "" } else { "not " }
            )
        },
    );
    findings.expect(
        open || order.status == OrderStatus::Cancelled,
        "CANCELLED_WHEN_NOTHING_IS_OPEN",
        "orders",
        order.id,
        || format!("it is {} although nothing of it is open", order.status),
    );
}

fn check_allocation(share: &Allocation, deliveries: &[&Delivery], findings: &mut Findings) {
    findings.expect(
        share.accept_by.is_none() || share.status == AllocationStatus::Assigned,
        "DEADLINE_ONLY_BEFORE_THE_ANSWER",
        "allocation",
        share.id,
        || format!("it is {} and yet its unit has to answer", share.status),
    );
    for line in &share.lines {
        let accepted: Decimal = share
            .inspections
            .iter()
            .flat_map(|inspection| &inspection.accepted)
            .filter(|accepted| accepted.line_id == line.id)
            .map(|accepted| accepted.quantity)
            .sum();
        findings.expect(line.passed == accepted, "PASSED_ONLY_BY_INSPECTION", "allocation_line", line.id, || {
            format!("{} passed, inspections accepted {accepted}", line.passed)
        });
        let in_deliveries = |wanted: fn(&Delivery) -> bool| -> Decimal {
            deliveries
                .iter()
                .filter(|delivery| wanted(delivery))
                .flat_map(|delivery| &delivery.lines)
                .filter(|one| one.allocation_line_id == line.id)
                .map(|one| one.quantity)
                .sum()
        };
        let planned = in_deliveries(|delivery| delivery.status != super::delivery::DeliveryStatus::Cancelled);
        findings.expect(line.planned == planned, "PLANNED_EQUALS_DELIVERIES", "allocation_line", line.id, || {
            format!("{} planned, deliveries hold {planned}", line.planned)
        });
        let left = in_deliveries(|delivery| delivery.dispatched_at.is_some());
        findings.expect(line.dispatched == left, "DISPATCHED_EQUALS_DELIVERIES", "allocation_line", line.id, || {
            format!("{} dispatched, deliveries carried {left}", line.dispatched)
        });
    }
}

/// What the journal and the reservations of a stock item add up to.
#[derive(Clone, Copy, Debug, Default)]
pub struct StockSums {
    /// Over all movements: what lies there.
    pub on_hand: Decimal,
    /// Over all movements: what is set aside.
    pub reserved: Decimal,
    /// Over all open reservations.
    pub reservations: Decimal,
    /// Over all movements: what is put aside until its quality is known.
    pub quality_hold: Decimal,
}

/// Checks a stock item.
pub fn check_stock(item: &StockItem, sums: StockSums, findings: &mut Findings) {
    findings.expect(item.on_hand == sums.on_hand, "ON_HAND_EQUALS_MOVEMENTS", "stock_item", item.id, || {
        format!("{} on hand, movements sum to {}", item.on_hand, sums.on_hand)
    });
    findings.expect(item.reserved == sums.reserved, "RESERVED_EQUALS_MOVEMENTS", "stock_item", item.id, || {
        format!("{} reserved, movements sum to {}", item.reserved, sums.reserved)
    });
    findings.expect(item.reserved == sums.reservations, "RESERVED_EQUALS_RESERVATIONS", "stock_item", item.id, || {
        format!("{} reserved, open reservations sum to {}", item.reserved, sums.reservations)
    });
    findings.expect(item.quality_hold == sums.quality_hold, "HELD_EQUALS_MOVEMENTS", "stock_item", item.id, || {
        format!("{} put aside, movements sum to {}", item.quality_hold, sums.quality_hold)
    });
    findings.expect(
        item.available() >= Decimal::ZERO && item.reserved >= Decimal::ZERO && item.quality_hold >= Decimal::ZERO,
        "NEVER_OVERSOLD",
        "stock_item",
        item.id,
        || format!("{} reserved and {} put aside of {}", item.reserved, item.quality_hold, item.on_hand),
    );
}

/// What the journal says of a transfer.
#[derive(Clone, Copy, Debug, Default)]
pub struct TransferSums {
    /// What left.
    pub out: Decimal,
    /// What arrived.
    pub arrived: Decimal,
}

/// Checks a transfer.
pub fn check_transfer(transfer: &StockTransfer, sums: TransferSums, findings: &mut Findings) {
    let has_left = !matches!(transfer.status, TransferStatus::Requested | TransferStatus::Cancelled);
    let left = if has_left { transfer.quantity } else { Decimal::ZERO };
    findings.expect(
        sums.out == left && sums.arrived == transfer.received,
        "TRANSFER_EQUALS_MOVEMENTS",
        "stock_transfer",
        transfer.id,
        || {
            let (received, out, arrived) = (transfer.received, sums.out, sums.arrived);
            format!("{left} left and {received} arrived, movements say {out} and {arrived}")
        },
    );
    let all_arrived = transfer.received == transfer.quantity;
    findings.expect(
        (transfer.status == TransferStatus::Received) == all_arrived,
        "RECEIVED_WHEN_ALL_ARRIVED",
        "stock_transfer",
        transfer.id,
        || format!("it is {} although {} of {} arrived", transfer.status, transfer.received, transfer.quantity),
    );
}

/// Checks a stocktake.
pub fn check_stocktake(stocktake: &Stocktake, findings: &mut Findings) {
    let is_open = matches!(stocktake.status, StocktakeStatus::Open | StocktakeStatus::Counted);
    findings.expect(
        stocktake.lines.iter().all(|line| line.open == is_open),
        "COUNTED_ONCE_AT_A_TIME",
        "stocktake",
        stocktake.id,
        || format!("it is {} but its items are not all so", stocktake.status),
    );
    let counters = stocktake.lines.iter().filter_map(|line| line.counted_by.as_ref());
    let mut involved = counters.chain([&stocktake.opened_by]).chain(&stocktake.finished_by);
    findings.expect(
        stocktake.status != StocktakeStatus::Approved || involved.all(|one| stocktake.decided_by.as_ref() != Some(one)),
        "FOUR_EYES_ON_COUNTS",
        "stocktake",
        stocktake.id,
        || "whoever approved it opened or counted it".to_owned(),
    );
}

/// Checks a channel.
pub fn check_channel(channel: &SalesChannel, findings: &mut Findings) {
    let ends: Vec<bool> = channel.secrets.iter().map(|secret| secret.ends_at.is_some()).collect();
    let fits = ends.len() <= 2 && ends.first() != Some(&true) && ends.get(1) != Some(&false);
    findings.expect(fits, "ONE_SECRET_OR_TWO_IN_TURN", "sales_channel", channel.id, || {
        "of its secrets, the newest has no end and one before it has".to_owned()
    });
}

/// Checks an order as its channel tells of it, against the order.
pub fn check_channel_order(told: &ChannelOrder, order: Option<&Order>, findings: &mut Findings) {
    let reference = order.and_then(|order| order.external_reference.as_ref());
    findings.expect(reference == Some(&told.reference), "REFERENCE_OF_ITS_ORDER", "channel_order", told.id, || {
        format!("the channel's number is {}, its order's {}", told.reference, reference.map_or("none", |one| one))
    });
    let known = told.lines.iter().all(|tie| order.is_some_and(|order| order.line(tie.line_id).is_some()));
    findings.expect(known, "LINES_OF_ITS_ORDER", "channel_order", told.id, || {
        "it names a line that its order does not have".to_owned()
    });
}

/// Checks a change of an order.
pub fn check_change(change: &OrderChange, findings: &mut Findings) {
    let decided = matches!(change.status, OrderChangeStatus::Accepted | OrderChangeStatus::Applied);
    findings.expect(
        !decided || (change.chosen().is_some() && change.answered_by.is_some()),
        "CHANGED_ONLY_AS_CHOSEN",
        "order_change",
        change.id,
        || format!("it is {} but nobody chose one of its alternatives", change.status),
    );
    let needed = change.chosen().is_some_and(ChangeOption::needs_review);
    let approved = change.review.as_ref().is_some_and(|review| review.approved);
    findings.expect(
        change.status != OrderChangeStatus::Applied || !needed || approved,
        "CHANGED_ONLY_AS_REVIEWED",
        "order_change",
        change.id,
        || "it was applied without the review it needs".to_owned(),
    );
    let own = change.review.as_ref().is_some_and(|review| {
        review.decided_by == change.proposed_by || Some(&review.decided_by) == change.answered_by.as_ref()
    });
    findings.expect(!own, "CHANGE_REVIEWED_BY_ANOTHER", "order_change", change.id, || {
        "whoever proposed or accepted it reviewed it".to_owned()
    });
}

/// Checks all bills of materials.
pub fn check_structure(structure: &Structure, findings: &mut Findings) {
    if let Some(sku) = structure.cycle() {
        findings.expect(false, "NO_PART_OF_ITSELF", "component", &sku, || format!("{sku} is a part of itself"));
    }
}

/// Checks a restriction of access.
pub fn check_restriction(restriction: &AccessRestriction, findings: &mut Findings) {
    let deciders = [Some(&restriction.restricted_by), restriction.lifted_by.as_ref()];
    findings.expect(
        deciders.into_iter().flatten().all(|decider| *decider != restriction.subject),
        "FOUR_EYES_ON_ACCESS",
        "access_restriction",
        restriction.id,
        || format!("{} decided about the own access", restriction.subject),
    );
    let told = [restriction.lifted_by.is_some(), restriction.lifted_at.is_some(), restriction.lift_reason.is_some()];
    let lifted = restriction.status == AccessRestrictionStatus::Lifted;
    findings.expect(
        told.into_iter().all(|told| told == lifted),
        "LIFTED_WITH_WHO_WHEN_WHY",
        "access_restriction",
        restriction.id,
        || format!("it is {} but who lifted it, when and why does not fit", restriction.status),
    );
}
