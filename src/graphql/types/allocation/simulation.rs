//! What rules of allocation would do, and would have done.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::decision::{AllocationAbstention, AllocationCandidate, AllocationPart, AllocationRemainder};
use crate::app::read::allocation::simulation as read;
use crate::domain::allocation as domain;
use crate::domain::allocation::AllocationRule;
use crate::domain::ids::OrderId;
use crate::domain::reference::ProductKind;
use crate::graphql::connection::write_cursor;
use crate::graphql::context::int;
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::order::{Order, order};

/// A simulation.
pub struct AllocationSimulation(pub read::Simulation);

/// What an allocation now would come to. Nothing was changed by asking.
#[macros::written]
#[Object]
impl AllocationSimulation {
    /// The version of the rules that were asked; null for rules that are not stored.
    async fn rule_set_version(&self) -> Option<i32> {
        self.0.rule_set_version
    }

    /// What would be decided, one for each kind of line that no unit has. The same rules on the same state
    /// decide the same when the order is allocated.
    async fn decisions(&self) -> Vec<SimulatedDecision> {
        self.0.plans.iter().cloned().map(SimulatedDecision).collect()
    }
}

/// A decision that was not made.
#[derive(Clone, Debug)]
pub struct SimulatedDecision(domain::Plan);

/// What would be decided about the lines of one kind.
#[macros::written]
#[Object]
impl SimulatedDecision {
    /// The kind of the lines.
    async fn kind(&self) -> ProductKind {
        self.0.kind
    }

    /// The rule that would decide; null where nobody would take anything.
    async fn decided_by_rule(&self) -> Option<AllocationRule> {
        self.0.decided_by
    }

    /// Rules that say nothing, and why.
    async fn abstentions(&self) -> Vec<AllocationAbstention> {
        self.0.abstentions.iter().map(Into::into).collect()
    }

    /// Which unit would take how much of which line.
    async fn parts(&self) -> Vec<AllocationPart> {
        self.0.parts.iter().map(Into::into).collect()
    }

    /// What no unit would take.
    async fn unallocated(&self) -> Vec<AllocationRemainder> {
        self.0.unallocated.iter().map(Into::into).collect()
    }

    /// Every unit, and what each rule says of it.
    async fn candidates(&self) -> Vec<AllocationCandidate> {
        self.0.candidates.iter().cloned().map(AllocationCandidate).collect()
    }
}

/// A replay.
pub struct AllocationReplay(pub read::Replay);

/// What other rules would have done to decisions of the past. The facts are those that were kept with each
/// decision: what was wanted, and of each unit what it could do, its load, its capacity used, its stock and
/// what it had declined, as they were then. The rules' own tables, such as capacity and cost, are those of the
/// rules that are asked.
#[macros::written]
#[Object]
impl AllocationReplay {
    /// Decisions that were made again.
    async fn decisions(&self) -> i32 {
        int(self.0.decisions)
    }

    /// Decisions that cannot be made again, since a former version of this service kept no facts with them.
    async fn skipped(&self) -> i32 {
        int(self.0.skipped)
    }

    /// Orders they were about.
    async fn orders(&self) -> i32 {
        int(self.0.orders.len())
    }

    /// Orders of which something would have gone elsewhere.
    async fn moved_orders(&self) -> i32 {
        int(self.0.moved.len())
    }

    /// From where to where.
    async fn moves(&self) -> Vec<AllocationMove> {
        let shift = |((from, to), shift): (&(Option<String>, Option<String>), &read::Shift)| AllocationMove {
            from_unit_code: from.clone(),
            to_unit_code: to.clone(),
            orders: int(shift.orders.len()),
            quantity: shift.quantity.into(),
        };
        self.0.shifts.iter().map(shift).collect()
    }

    /// The first hundred decisions that would have been others, oldest first.
    async fn sample(&self) -> Vec<ReplayedDecision> {
        let sample = |(decision, moves): &(domain::AllocationDecision, Vec<domain::Move>)| ReplayedDecision {
            order: decision.order_id,
            mark: (decision.decided_at, decision.id.0),
            moves: moves.clone(),
        };
        self.0.samples.iter().map(sample).collect()
    }

    /// Pass it as `after` to go on where this call stopped for its limit or its time; null when everything
    /// was looked at.
    async fn cursor(&self) -> Option<String> {
        self.0.next.map(cursor)
    }
}

fn cursor((moment, id): read::Mark) -> String {
    write_cursor(&(moment.to_rfc3339(), id))
}

/// What would have gone from one unit to another.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct AllocationMove {
    /// Code of the unit that got it; null where no unit did.
    pub from_unit_code: Option<String>,
    /// Code of the unit that would have got it; null where no unit would.
    pub to_unit_code: Option<String>,
    /// Orders it was of.
    pub orders: i32,
    /// How much, over all lines, each in its unit of measure.
    pub quantity: Decimal,
}

/// A decision that would have been another.
#[derive(Clone, Debug)]
pub struct ReplayedDecision {
    order: OrderId,
    mark: read::Mark,
    moves: Vec<domain::Move>,
}

/// A decision of the past that would have been another.
#[macros::written]
#[Object]
impl ReplayedDecision {
    /// Pass it as `after` to look at what was decided later only.
    async fn cursor(&self) -> String {
        cursor(self.mark)
    }

    /// When it was decided.
    async fn decided_at(&self) -> DateTime {
        self.mark.0.into()
    }

    /// The order as it is now.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        order(ctx, self.order).await
    }

    /// From where to where.
    async fn moves(&self) -> Vec<AllocationMove> {
        let of = |one: &domain::Move| AllocationMove {
            from_unit_code: one.from.clone(),
            to_unit_code: one.to.clone(),
            orders: 1,
            quantity: one.quantity.into(),
        };
        self.moves.iter().map(of).collect()
    }
}
