//! Changes of orders that are negotiated (R4.3).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::due::{self, AT_ONCE};
use super::review::Facts;
use super::{Failure, Session};
use crate::domain::allocation::{Allocation, AllocationStatus};
use crate::domain::change::{self as rules_of, ChangeOption, Offer, OptionWish, OrderChange, Scene, Terms};
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationId, ChangeOptionId, OrderChangeId, OrderId, ProductId, StockItemId};
use crate::domain::inventory::{StockItem, StockMovement};
use crate::domain::materials::Structure;
use crate::domain::order::{Order, OrderStatus};
use crate::domain::permission::Action;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::Refusals;
use crate::domain::review::run_checks;
use crate::domain::rules::RuleSet;
use crate::domain::transition::Lifecycle;
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work, allocation, change, inventory, materials, reference};

/// The change a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnChange {
    /// The order.
    pub order_id: OrderId,
    /// The change.
    pub change_id: OrderChangeId,
}

/// Offer the customer alternatives.
#[derive(Clone, Debug, Serialize)]
pub struct ProposeOrderChange {
    /// The order.
    pub order_id: OrderId,
    /// Why; the customer reads it.
    pub reason: String,
    /// The alternatives.
    pub options: Vec<OptionWish>,
    /// Hours to answer; by the rules when absent.
    pub answer_hours: Option<i64>,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ProposeOrderChange {
    const ACTION: Action = Action::ProposeOrderChange;
    type Answer = OnChange;

    async fn run(&self, work: &Work) -> Result<OnChange> {
        let order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        let rules = work.rules(order.rule_set_version).await?;
        let mut shares = allocation::all_of_order(work, self.order_id).await?;
        shares.retain(|share| share.status.is_live());
        let structure = structure(work, shares.iter().map(|share| &**share)).await?;
        let skus: Vec<String> = self.options.iter().filter_map(|one| one.substitute_sku.clone()).collect();
        let products = reference::products_by_sku(work.reference(), &skus).await?;
        let is_another_open = change::is_open(work, self.order_id).await?;
        let scene = Scene {
            order: (*order).clone(),
            shares: shares.iter().map(|share| (**share).clone()).collect(),
            items: BTreeMap::new(),
            structure,
            journal: Vec::new(),
        };
        let offer =
            Offer { reason: self.reason.clone(), options: self.options.clone(), answer_hours: self.answer_hours };
        let proposed = rules_of::propose(offer, &scene, &products, is_another_open, &rules, &work.act())?;
        let change_id = work.save(Tracked::new(proposed), EventKind::OrderChangeProposed).await?.id;
        let mut offered = change::find(work, change_id).await?;
        let happening = offered.offer();
        work.save(offered, happening).await?;
        Ok(OnChange { order_id: self.order_id, change_id })
    }
}

/// What goes into what some shares make.
async fn structure(work: &Work, shares: impl Iterator<Item = &Allocation>) -> Result<Structure> {
    let made = shares.filter(|share| share.kind == ProductKind::MadeToOrder);
    let products: Vec<ProductId> = made.flat_map(|share| &share.lines).map(|line| line.product_id).collect();
    if products.is_empty() { Ok(Structure::default()) } else { materials::structure(work.reference(), &products).await }
}

/// Choose one of the alternatives. The order changes with it, unless it must be reviewed first.
#[derive(Clone, Debug, Serialize)]
pub struct AcceptOrderChange {
    /// The change.
    pub change_id: OrderChangeId,
    /// The alternative.
    pub option_id: ChangeOptionId,
    /// The version of the change the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for AcceptOrderChange {
    const ACTION: Action = Action::AcceptOrderChange;
    type Answer = OnChange;

    async fn run(&self, work: &Work) -> Result<OnChange> {
        let order_id = change::order_of(work, self.change_id).await?;
        let locked = Locked::of(work, order_id).await?;
        let mut accepted = change::find(work, self.change_id).await?;
        work.expect(&accepted, self.expected_version)?;
        let happening = accepted.accept(self.option_id, locked.order(order_id)?, &work.act())?;
        let rules = work.rules(locked.order(order_id)?.rule_set_version).await?;
        let option = chosen(&accepted)?;
        let scene = locked.changed(order_id, &option, &rules, work).await?;
        work.save(accepted, happening).await?;
        if !option.needs_review() {
            locked.save(work, order_id, scene).await?;
            let mut applied = change::find(work, self.change_id).await?;
            let happening = applied.applied(&work.act());
            work.save(applied, happening).await?;
        }
        Ok(OnChange { order_id, change_id: self.change_id })
    }
}

fn chosen(change: &OrderChange) -> Result<ChangeOption> {
    change.chosen().cloned().ok_or(StoreError::NotFound)
}

/// Approve or decline what the customer chose, where it must be reviewed (R2.6).
#[derive(Clone, Debug, Serialize)]
pub struct ReviewOrderChange {
    /// The change.
    pub change_id: OrderChangeId,
    /// Approve it, or decline.
    pub approve: bool,
    /// Why; required to decline, and to approve in spite of a doubtful check.
    pub reason: Option<String>,
    /// The version of the change the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ReviewOrderChange {
    const ACTION: Action = Action::ReviewOrderChange;
    type Answer = OnChange;

    async fn run(&self, work: &Work) -> Result<OnChange> {
        let order_id = change::order_of(work, self.change_id).await?;
        let locked = Locked::of(work, order_id).await?;
        let mut reviewed = change::find(work, self.change_id).await?;
        work.expect(&reviewed, self.expected_version)?;
        let order = locked.order(order_id)?;
        let rules = work.rules(order.rule_set_version).await?;
        // Whatever else is wrong with it, what is not accepted is not tried out.
        if !reviewed.status.admits(Action::ReviewOrderChange) {
            reviewed.blockers(Action::ReviewOrderChange, order, work.actor(), work.now()).into_result()?;
        }
        let option = chosen(&reviewed)?;
        let facts = Facts::gather(work, order).await?;
        // What can no longer be done can still be declined.
        let changed = locked.changed(order_id, &option, &rules, work).await;
        let checks = match &changed {
            Ok(scene) => run_checks(&scene.order, &facts.checks()),
            Err(StoreError::Refused(_)) if !self.approve => Vec::new(),
            Err(_) => return changed.map(|_| OnChange { order_id, change_id: self.change_id }),
        };
        let levels = changed.as_ref().map(|scene| facts.levels(&scene.order)).unwrap_or_default();
        let approvers = levels.last().map(Vec::as_slice);
        let happening = reviewed.review(self.approve, self.reason.clone(), order, checks, approvers, &work.act())?;
        work.save(reviewed, happening).await?;
        if self.approve {
            locked.save(work, order_id, changed?).await?;
        }
        Ok(OnChange { order_id, change_id: self.change_id })
    }
}

/// Decline all alternatives.
#[derive(Clone, Debug, Serialize)]
pub struct DeclineOrderChange {
    /// The change.
    pub change_id: OrderChangeId,
    /// Why.
    pub reason: String,
    /// The version of the change the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for DeclineOrderChange {
    const ACTION: Action = Action::DeclineOrderChange;
    type Answer = OnChange;

    async fn run(&self, work: &Work) -> Result<OnChange> {
        let (order, mut change) = with_order(work, self.change_id, self.expected_version).await?;
        let happening = change.decline(self.reason.clone(), &order, &work.act())?;
        work.save(change, happening).await?;
        Ok(OnChange { order_id: order.id, change_id: self.change_id })
    }
}

/// Take an offer back.
#[derive(Clone, Debug, Serialize)]
pub struct WithdrawOrderChange {
    /// The change.
    pub change_id: OrderChangeId,
    /// Why.
    pub reason: String,
    /// The version of the change the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for WithdrawOrderChange {
    const ACTION: Action = Action::WithdrawOrderChange;
    type Answer = OnChange;

    async fn run(&self, work: &Work) -> Result<OnChange> {
        let (order, mut change) = with_order(work, self.change_id, self.expected_version).await?;
        let happening = change.withdraw(self.reason.clone(), &order, &work.act())?;
        work.save(change, happening).await?;
        Ok(OnChange { order_id: order.id, change_id: self.change_id })
    }
}

/// End an offer that nobody answered in time.
#[derive(Clone, Debug, Serialize)]
pub struct ExpireOrderChange {
    /// The change.
    pub change_id: OrderChangeId,
}

impl Command for ExpireOrderChange {
    const ACTION: Action = Action::WithdrawOrderChange;
    type Answer = OnChange;

    async fn run(&self, work: &Work) -> Result<OnChange> {
        let (order, mut change) = with_order(work, self.change_id, None).await?;
        let happening = change.expire(&work.act())?;
        work.save(change, happening).await?;
        Ok(OnChange { order_id: order.id, change_id: self.change_id })
    }
}

/// The clock's duty: offers whose time is over.
///
/// # Errors
/// The database is away.
pub async fn expire(session: &Session) -> Result<usize, Failure> {
    let due = change::unanswered(session.app.store(), session.app.clock.now(), AT_ONCE).await?;
    due::each(session, due.into_iter().map(|change_id| ExpireOrderChange { change_id })).await
}

/// A change that exists for the caller, and its order; both locked, the order first.
async fn with_order(
    work: &Work,
    id: OrderChangeId,
    expected_version: Option<i64>,
) -> Result<(Tracked<Order>, Tracked<OrderChange>)> {
    let order = work.order(change::order_of(work, id).await?).await?;
    let change = change::find(work, id).await?;
    work.expect(&change, expected_version)?;
    Ok((order, change))
}

/// An order and everything that follows when it changes, locked: its shares, what is reserved for them, and
/// whoever else waits for that.
struct Locked {
    orders: BTreeMap<OrderId, Tracked<Order>>,
    shares: BTreeMap<AllocationId, Tracked<Allocation>>,
    items: Vec<Tracked<StockItem>>,
    /// Which of the shares are the order's own.
    own: Vec<AllocationId>,
}

impl Locked {
    async fn of(work: &Work, order_id: OrderId) -> Result<Self> {
        // Who waits for what may become free is found before anything is locked, since their orders are locked
        // together with this one, by their ids.
        let own = change::open_shares(work, order_id).await?;
        let reserved = change::reserved_items(work, &own).await?;
        let mut wanted: BTreeSet<AllocationId> = own.iter().copied().collect();
        wanted.extend(inventory::waiting(work, &reserved).await?.into_iter().map(|one| one.allocation_id));
        let (mut orders, mut shares) = (BTreeMap::new(), BTreeMap::new());
        for (order, share) in allocation::all_with_orders(work, wanted).await? {
            orders.entry(order.id).or_insert(order);
            shares.insert(share.id, share);
        }
        if let std::collections::btree_map::Entry::Vacant(none) = orders.entry(order_id) {
            none.insert(work.order(order_id).await?);
        }
        if change::open_shares(work, order_id).await? != own {
            return Err(StoreError::Conflict);
        }
        let ids: Vec<uuid::Uuid> = reserved.iter().map(|id| id.0).collect();
        let items = work.find_many(&ids).await?;
        // What was reserved between the two looks is not among what is locked.
        if change::reserved_items(work, &own).await?.iter().any(|id| !reserved.contains(id)) {
            return Err(StoreError::Conflict);
        }
        Ok(Self { orders, shares, items, own })
    }

    fn order(&self, id: OrderId) -> Result<&Order> {
        self.orders.get(&id).map(|order| &**order).ok_or(StoreError::NotFound)
    }

    /// The order as the alternative makes it; refused where that is no longer what was offered.
    async fn changed(&self, id: OrderId, option: &ChangeOption, rules: &RuleSet, work: &Work) -> Result<Scene> {
        let shares = || self.own.iter().filter_map(|id| self.shares.get(id)).map(|share| &**share);
        let mut scene = Scene {
            order: self.order(id)?.clone(),
            shares: shares().cloned().collect(),
            items: self.items.iter().map(|item| (item.id, (**item).clone())).collect(),
            structure: structure(work, shares()).await?,
            journal: Vec::new(),
        };
        let terms: &Terms = &option.terms;
        let effect = rules_of::apply(terms, &mut scene, rules, &work.act()).map_err(|Refusals(reasons)| {
            let reasons: Vec<String> = reasons.into_iter().map(|refusal| refusal.message).collect();
            StoreError::Refused(rules_of::stale(&reasons.join(" ")))
        })?;
        if effect != option.preview {
            return Err(StoreError::Refused(rules_of::stale("it would not do what was said.")));
        }
        Ok(scene)
    }

    /// Saves the order as it was changed, with all that follows; what became free goes to whoever waits.
    async fn save(mut self, work: &Work, id: OrderId, scene: Scene) -> Result<()> {
        let Scene { order, shares, mut items, mut journal, .. } = scene;
        let mut new = Vec::new();
        for share in shares {
            match self.shares.get_mut(&share.id) {
                Some(tracked) => **tracked = share,
                None => new.push(share),
            }
        }
        if let Some(tracked) = self.orders.get_mut(&id) {
            **tracked = order;
        }
        for before in &self.items {
            if let Some(item) = items.get_mut(&before.id)
                && item.available() > before.available()
            {
                fill(work, item, &mut self.orders, &mut self.shares, &mut journal).await?;
            }
        }
        for (other, order) in self.orders.into_iter().filter(|(_, order)| order.is_changed()) {
            let happening = match order.status {
                _ if other != id => EventKind::OrderReserved,
                OrderStatus::Cancelled => EventKind::OrderCancelled,
                OrderStatus::Completed => EventKind::OrderCompleted,
                _ => EventKind::OrderChanged,
            };
            work.save(order, happening).await?;
        }
        for (share_id, share) in self.shares.into_iter().filter(|(_, share)| share.is_changed()) {
            let happening = match share.status {
                _ if !self.own.contains(&share_id) => EventKind::AllocationBackorderFilled,
                AllocationStatus::Cancelled => EventKind::AllocationCancelled,
                AllocationStatus::Closed => EventKind::AllocationClosed,
                _ => EventKind::AllocationChanged,
            };
            work.save(share, happening).await?;
        }
        for share in new {
            work.save(Tracked::new(share), EventKind::AllocationChanged).await?;
        }
        for mut tracked in self.items {
            if let Some(item) = items.remove(&tracked.id) {
                *tracked = item;
            }
            if tracked.is_changed() {
                work.save(tracked, EventKind::StockReleased).await?;
            }
        }
        inventory::keep_movements(work, &journal)
    }
}

/// Gives what became free of a stock item to whoever waits for it, by priority and then by age.
async fn fill(
    work: &Work,
    item: &mut StockItem,
    orders: &mut BTreeMap<OrderId, Tracked<Order>>,
    shares: &mut BTreeMap<AllocationId, Tracked<Allocation>>,
    journal: &mut Vec<StockMovement>,
) -> Result<()> {
    let id: StockItemId = item.id;
    for one in inventory::waiting(work, &[id]).await? {
        // Whoever began to wait between the two looks has an order we hold no lock on.
        let (Some(order), Some(share)) = (orders.get_mut(&one.order_id), shares.get_mut(&one.allocation_id)) else {
            return Err(StoreError::Conflict);
        };
        if order.status.is_executing() {
            let rules = work.rules(order.rule_set_version).await?;
            share.fill_backorder(one.backorder.id, order, item, &rules, &work.act(), journal);
        }
    }
    Ok(())
}
