//! Trying rules of allocation out.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, Result};
use chrono::{DateTime as Moment, Utc};

use super::rules::AllocationRuleSet;
use crate::app::Failure;
use crate::app::read::allocation::simulation::{self as read, MOST_REPLAYED, Subject, Wishes};
use crate::domain::intake::{Channel, MOST_LINES, Priority};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::read_cursor;
use crate::graphql::context::{Answer, session};
use crate::graphql::ids;
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::allocation::{AllocationReplay, AllocationSimulation};
use crate::graphql::write::Tree;

/// Of what to ask: an order, or what somebody might order.
#[derive(OneofObject)]
pub enum AllocationSubject {
    /// What no unit has of this order, by id.
    OrderId(ID),
    /// An order that nobody has placed.
    Draft(DraftOrder),
}

/// An order that nobody has placed.
#[derive(InputObject)]
pub struct DraftOrder {
    /// Region code.
    region: String,
    /// Where it would come from.
    channel: Channel,
    /// How urgent it would be.
    #[graphql(default_with = "Priority::Normal")]
    priority: Priority,
    /// The customer's group.
    customer_group: String,
    /// What would be ordered: 1 to 500 lines.
    lines: Vec<DraftOrderLine>,
}

/// A line of an order that nobody has placed.
#[derive(InputObject)]
pub struct DraftOrderLine {
    /// The product's stock keeping unit.
    sku: String,
    /// How much, in the product's unit of measure.
    quantity: Decimal,
}

impl AllocationSubject {
    fn read(self) -> Result<Subject, Failure> {
        Ok(match self {
            Self::OrderId(id) => Subject::Order(ids::parse(&id)?),
            Self::Draft(draft) => {
                if !(1..=MOST_LINES).contains(&draft.lines.len()) {
                    return Err(Failure::BadInput(format!("An order has 1 to {MOST_LINES} lines.")));
                }
                Subject::Wishes(Wishes {
                    region: draft.region,
                    channel: draft.channel,
                    priority: draft.priority,
                    customer_group: draft.customer_group,
                    lines: draft.lines.into_iter().map(|line| (line.sku, line.quantity.0)).collect(),
                })
            }
        })
    }
}

/// Trying rules of allocation out.
#[derive(Default)]
pub struct SimulationQuery;

/// Trying rules of allocation out.
#[Object]
impl SimulationQuery {
    /// What an allocation now would come to, and why (R3.2), by the same function that allocates: on the same
    /// state and rules, the same comes of it. Nothing is changed, nothing is kept.
    #[graphql(
        complexity = "50 + child_complexity",
        directive = access::apply(roles("simulateAllocation"), limit("simulateAllocation"))
    )]
    async fn simulate_allocation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order, or what somebody might order.")] of: AllocationSubject,
        #[graphql(
            desc = "The rules to ask; those the order is handled under when absent, for a draft those in force."
        )]
        rule_set: Option<AllocationRuleSet>,
    ) -> Result<Tree<AllocationSimulation>> {
        let subject = of.read().answer(ctx)?;
        let found = read::simulate(session(ctx)?, subject, AllocationRuleSet::read(rule_set)).await.answer(ctx)?;
        Ok(Tree(AllocationSimulation(found)))
    }

    /// What other rules would have done to decisions of the past, made by the rules of then about orders in
    /// the caller's scope: how many orders would have gone elsewhere, and where (R11.3). Each decision is made
    /// again from the facts that were kept with it, not from those of today; where an order had several kinds
    /// of lines, each is decided as if the others had gone where they went. Looks for two seconds at most.
    #[graphql(
        complexity = "200 + child_complexity",
        directive = access::apply(roles("replayAllocations"), limit("replayAllocations"))
    )]
    async fn replay_allocations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rules to ask; those in force when absent.")] rule_set: Option<AllocationRuleSet>,
        #[graphql(desc = "Decisions from this moment on.")] from: DateTime,
        #[graphql(desc = "Decisions before this moment.")] to: DateTime,
        #[graphql(desc = "Only decisions behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Decisions to make again, at most: 1 to 5000.", default = 1000)] limit: i32,
    ) -> Result<Tree<AllocationReplay>> {
        let limit = usize::try_from(limit).ok().filter(|limit| (1..=MOST_REPLAYED).contains(limit));
        let limit = limit
            .ok_or_else(|| Failure::BadInput(format!("limit is a number from 1 to {MOST_REPLAYED}.")))
            .answer(ctx)?;
        let after = after.as_deref().map(mark).transpose().answer(ctx)?;
        let wanted = read::Wanted { from: from.0, to: to.0, after, limit };
        let found = read::replay(session(ctx)?, AllocationRuleSet::read(rule_set), wanted).await.answer(ctx)?;
        Ok(Tree(AllocationReplay(found)))
    }
}

/// The decision that a cursor points at.
fn mark(cursor: &str) -> Result<read::Mark, Failure> {
    let (moment, id) = read_cursor(cursor)?;
    let moment = Moment::parse_from_rfc3339(&moment)
        .map_err(|_| Failure::BadInput("The cursor was not given out for this list.".to_owned()))?;
    Ok((moment.with_timezone(&Utc), id))
}
