//! What rules of allocation would do: now, to an order or to wishes that nobody has placed; and then, to
//! orders of the past. Nothing is changed by asking.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::app::{Failure, Session};
use crate::domain::allocation::{
    self as rules_of, AllocationDecision, AllocationRules, Demand, DemandLine, Move, Plan,
};
use crate::domain::ids::{OrderId, OrderLineId};
use crate::domain::intake::{Channel, Priority, check_quantity};
use crate::domain::refusal::{Refusal, RefusalCode, Refusals};
use crate::store::allocation::{self, Past};
use crate::store::{order, reference};

/// Which rules to ask.
#[derive(Clone, Debug)]
pub enum Asked {
    /// Those the order is handled under; for wishes, those in force.
    Own,
    /// A stored version.
    Version(i32),
    /// Rules that are not stored.
    Draft(Box<AllocationRules>),
}

/// What somebody might order.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// Region code.
    pub region: String,
    /// Where it would come from.
    pub channel: Channel,
    /// How urgent it would be.
    pub priority: Priority,
    /// The customer's group.
    pub customer_group: String,
    /// What would be ordered: SKU and quantity.
    pub lines: Vec<(String, Decimal)>,
}

/// Of what to ask.
#[derive(Clone, Debug)]
pub enum Subject {
    /// What no unit has of an order.
    Order(OrderId),
    /// What nobody has ordered.
    Wishes(Wishes),
}

/// What would happen.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The version of the rules; none for rules that are not stored.
    pub rule_set_version: Option<i32>,
    /// Who would take what, one plan for each kind of line.
    pub plans: Vec<Plan>,
}

/// Says what an allocation now would come to, by the very function that allocates.
pub async fn simulate(session: &Session, subject: Subject, asked: Asked) -> Result<Simulation, Failure> {
    session.may_read("simulateAllocation")?;
    let store = session.app.store();
    let now = session.app.clock.now();
    let (situation, own) = match subject {
        Subject::Order(id) => {
            let order = order::visible(store, &session.actor, &[id]).await?.pop().ok_or(Failure::NotFound)?;
            let situation = allocation::situation(store.reader(), store.reader(), &order, now).await?;
            (situation, Some(order.rule_set_version))
        }
        Subject::Wishes(wishes) => {
            let demand = demand(session, wishes, now).await?;
            (allocation::wished(store.reader(), demand, now).await?, None)
        }
    };
    let (version, rules) = match asked {
        Asked::Draft(rules) => {
            check(session, &rules).await?;
            (None, Cow::Owned(*rules))
        }
        Asked::Own | Asked::Version(_) => {
            let version = match asked {
                Asked::Version(version) => Some(version),
                _ => own,
            };
            let set = match version {
                Some(version) => reference::rules(store.reader(), version).await?,
                None => reference::active_rules(store.reader()).await?,
            };
            (Some(set.version), Cow::Owned(set.allocation().into_owned()))
        }
    };
    Ok(Simulation { rule_set_version: version, plans: rules_of::plan(&situation.demand, &situation.units, &rules) })
}

async fn demand(session: &Session, wishes: Wishes, now: DateTime<Utc>) -> Result<Demand, Failure> {
    let skus: Vec<String> = wishes.lines.iter().map(|(sku, _)| sku.clone()).collect();
    let products = reference::products_by_sku(session.app.store().reader(), &skus).await?;
    let mut refusals = Refusals::default();
    let mut lines = Vec::new();
    for (index, (sku, quantity)) in wishes.lines.into_iter().enumerate() {
        check_quantity(&mut refusals, &format!("order.lines.{index}.quantity"), quantity);
        let Some(product) = products.get(&sku) else {
            refusals.push(Refusal::new(RefusalCode::UnknownSku, "R1.4", format!("There is no product {sku}.")));
            continue;
        };
        let number = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        lines.push(DemandLine {
            // Nobody has ordered it: its place among the lines is all the identity it has.
            id: OrderLineId(Uuid::from_u128(u128::from(number))),
            line_number: i32::try_from(number).unwrap_or(i32::MAX),
            kind: product.kind,
            product_id: product.id,
            sku,
            category: Some(product.category.clone()),
            quantity,
        });
    }
    refusals.into_result().map_err(Failure::Refused)?;
    Ok(Demand {
        region: wishes.region,
        channel: wishes.channel,
        priority: wishes.priority,
        customer_group: wishes.customer_group,
        day: now.date_naive(),
        lines,
    })
}

/// Refuses rules that are not usable, with everything that is wrong with them.
async fn check(session: &Session, rules: &AllocationRules) -> Result<(), Failure> {
    let units = reference::all_units(session.app.store().reader()).await?;
    rules.faults(|code| units.iter().any(|unit| unit.code == code)).into_result().map_err(Failure::Refused)
}

/// Decisions made again by one call at most.
pub const MOST_REPLAYED: usize = 5_000;
/// Orders told of by one call at most.
const MOST_SAMPLES: usize = 100;
/// Decisions read at a time.
const BATCH: u64 = 200;
/// One call looks no longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a replay goes on: behind a decision.
pub type Mark = (DateTime<Utc>, Uuid);

/// What to replay.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Decisions from this moment on.
    pub from: DateTime<Utc>,
    /// Decisions before this moment.
    pub to: DateTime<Utc>,
    /// Only decisions behind this one.
    pub after: Option<Mark>,
    /// Decisions to make again, at most.
    pub limit: usize,
}

/// How much would have gone from one unit to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// Of so many orders.
    pub orders: BTreeSet<OrderId>,
    /// So much, each line in its unit of measure.
    pub quantity: Decimal,
}

/// What other rules would have done.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Decisions that were made again.
    pub decisions: usize,
    /// Decisions that cannot be made again, since no facts were kept with them.
    pub skipped: usize,
    /// Orders whose decisions were made again.
    pub orders: BTreeSet<OrderId>,
    /// Orders of which something would have gone elsewhere.
    pub moved: BTreeSet<OrderId>,
    /// How much would have gone from where to where, by the codes of the units; none is nobody.
    pub shifts: BTreeMap<(Option<String>, Option<String>), Shift>,
    /// Some of what would have gone elsewhere, oldest first: the order, the decision, and where to go on
    /// behind it.
    pub samples: Vec<(AllocationDecision, Vec<Move>)>,
    /// Where to go on; none when everything was looked at.
    pub next: Option<Mark>,
}

/// Makes past decisions again under other rules, from the facts that were kept with them.
pub async fn replay(session: &Session, asked: Asked, wanted: Wanted) -> Result<Replay, Failure> {
    session.may_read("replayAllocations")?;
    let store = session.app.store();
    let rules = match asked {
        Asked::Draft(rules) => {
            check(session, &rules).await?;
            *rules
        }
        Asked::Version(version) => reference::rules(store.reader(), version).await?.allocation().into_owned(),
        Asked::Own => reference::active_rules(store.reader()).await?.allocation().into_owned(),
    };
    let begun = Instant::now();
    let limit = wanted.limit.clamp(1, MOST_REPLAYED);
    let mut past = Past { from: wanted.from, to: wanted.to, after: wanted.after };
    let mut replay = Replay::default();
    loop {
        let left = limit - replay.decisions - replay.skipped;
        let size = BATCH.min(u64::try_from(left).unwrap_or(BATCH));
        let found = allocation::decided_between(store, &session.actor, past, size).await?;
        let is_last = u64::try_from(found.len()).unwrap_or(0) < size;
        for decision in found {
            past.after = Some((decision.decided_at, decision.id.0));
            count(&mut replay, decision, &rules);
        }
        if is_last {
            return Ok(replay);
        }
        if replay.decisions + replay.skipped >= limit || begun.elapsed() > PATIENCE {
            replay.next = past.after;
            return Ok(replay);
        }
    }
}

fn count(replay: &mut Replay, decision: AllocationDecision, rules: &AllocationRules) {
    let Some(moves) = rules_of::replay(&decision, rules) else {
        replay.skipped += 1;
        return;
    };
    replay.decisions += 1;
    replay.orders.insert(decision.order_id);
    if moves.is_empty() {
        return;
    }
    replay.moved.insert(decision.order_id);
    for one in &moves {
        let shift = replay.shifts.entry((one.from.clone(), one.to.clone())).or_default();
        shift.orders.insert(decision.order_id);
        shift.quantity += one.quantity;
    }
    if replay.samples.len() < MOST_SAMPLES {
        replay.samples.push((decision, moves));
    }
}
