//! Changes of orders that are negotiated, and what could be offered on a shortage.

use async_graphql::{Context, ID, Object, Result};

use super::actions::{self, AvailableAction};
use super::common::Money;
use super::order::{Order, OrderLine, order};
use super::reference::{Person, Product, perhaps, person, product};
use super::review::ReviewCheck;
use super::wrapper;
use crate::app::read;
use crate::domain::change as domain;
use crate::domain::change::{OrderChangeKind, OrderChangeStatus};
use crate::domain::ids::{OrderChangeId, OrderId, OrderLineId};
use crate::domain::materials::LateReason;
use crate::graphql::connection::{connection, page_cost};
use crate::graphql::context::{Answer, int, is_external, session};
use crate::graphql::ids;
use crate::graphql::mutation::UserError;
use crate::graphql::scalars::{Date, DateTime, Decimal};

wrapper! {
    /// A change of an order.
    OrderChange(domain::OrderChange)
}
connection!(OrderChangeConnection, OrderChangeEdge, OrderChange, "changes of orders");

/// A change of an order that is negotiated with the customer, as on a shortage (R4.3): alternatives, of
/// which the customer chooses one or none.
#[macros::written]
#[Object]
impl OrderChange {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The order.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        order(ctx, self.0.order_id).await
    }

    /// Where it stands.
    async fn status(&self) -> OrderChangeStatus {
        self.0.status
    }

    /// Why it is offered.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The alternatives, each with what it would do.
    #[graphql(complexity = "page_cost(Some(5), None, child_complexity)")]
    async fn options(&self) -> Vec<OrderChangeOption> {
        self.0.options.iter().map(|option| OrderChangeOption::new(option, self.0.order_id)).collect()
    }

    /// The alternative that was chosen; null until then.
    async fn chosen_option(&self) -> Option<OrderChangeOption> {
        self.0.chosen().map(|option| OrderChangeOption::new(option, self.0.order_id))
    }

    /// Who proposed it. Null for people outside the group.
    async fn proposed_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.proposed_by).await
    }

    /// When it was proposed.
    async fn proposed_at(&self) -> DateTime {
        self.0.proposed_at.into()
    }

    /// When it ends unanswered.
    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }

    /// Who answered, took it back or let it expire. People outside the group see themselves only, else null.
    async fn answered_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        perhaps(ctx, self.0.answered_by.as_ref()).await
    }

    /// When that was.
    async fn answered_at(&self) -> Option<DateTime> {
        self.0.answered_at.map(Into::into)
    }

    /// Why it was declined or taken back.
    async fn answer_reason(&self) -> Option<&String> {
        self.0.answer_reason.as_ref()
    }

    /// The review of what was chosen, where it needs one (R2.6); null before it, and for people outside the
    /// group.
    async fn review(&self, ctx: &Context<'_>) -> Result<Option<OrderChangeReview>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        Ok(self.0.review.clone().map(OrderChangeReview))
    }

    /// When the order was changed by it.
    async fn applied_at(&self) -> Option<DateTime> {
        self.0.applied_at.map(Into::into)
    }

    /// What the caller can do with it right now, and what stands in the way.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let Some(order) = order(ctx, self.0.order_id).await? else { return Ok(Vec::new()) };
        let session = session(ctx)?;
        let now = session.app.clock.now();
        Ok(actions::all(read::actions::of_change(&session.actor, &self.0, &order.0, now)))
    }
}

/// An alternative.
pub struct OrderChangeOption {
    option: domain::ChangeOption,
    order: OrderId,
}

impl OrderChangeOption {
    fn new(option: &domain::ChangeOption, order: OrderId) -> Self {
        Self { option: option.clone(), order }
    }
}

async fn line(ctx: &Context<'_>, of: OrderId, line: Option<OrderLineId>) -> Result<Option<OrderLine>> {
    let Some(line) = line else { return Ok(None) };
    let order = order(ctx, of).await?;
    Ok(order.and_then(|order| Some(OrderLine::new(order.0.line(line)?.clone(), order.0.currency))))
}

/// One of the alternatives of an offer.
#[macros::written]
#[Object]
impl OrderChangeOption {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.option.id)
    }

    /// What it does.
    async fn kind(&self) -> OrderChangeKind {
        self.option.terms.kind
    }

    /// The line it is about; null where it is about the order as a whole.
    async fn order_line(&self, ctx: &Context<'_>) -> Result<Option<OrderLine>> {
        line(ctx, self.order, self.option.terms.line_id).await
    }

    /// How much of the line is cancelled or replaced; null for all of it, and where it is about the whole.
    async fn quantity(&self) -> Option<Decimal> {
        self.option.terms.quantity.map(Into::into)
    }

    /// The later date, or when the rest is expected; null where nobody has said.
    async fn date(&self) -> Option<Date> {
        self.option.terms.date.map(Into::into)
    }

    /// What is delivered instead; null where nothing is.
    async fn substitute(&self) -> Option<OrderChangeSubstitute> {
        let substitute = self.option.terms.substitute.clone()?;
        Some(OrderChangeSubstitute(substitute, self.option.preview.currency))
    }

    /// What it does to quantities, dates and money. It is applied only if it still does exactly that.
    async fn preview(&self) -> OrderChangePreview {
        OrderChangePreview(self.option.preview.clone())
    }

    /// It is reviewed before it is applied: it adds a product, or raises the amount (R2.6).
    async fn needs_review(&self) -> bool {
        self.option.needs_review()
    }
}

/// What is delivered instead.
pub struct OrderChangeSubstitute(domain::Substitute, crate::domain::money::Currency);

/// A product that is delivered instead of another, as it was offered.
#[macros::written]
#[Object]
impl OrderChangeSubstitute {
    /// The product.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.product_id).await
    }

    /// Its stock keeping unit.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// What it is, in words.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// Price of one unit; the discount is that of the line it stands in for.
    async fn unit_price(&self) -> Money {
        Money::new(self.0.unit_price, self.1)
    }
}

/// What a change does.
pub struct OrderChangePreview(domain::Preview);

/// What a change does to quantities, dates and money: what it is now, and what it would be.
#[macros::written]
#[Object]
impl OrderChangePreview {
    /// The lines whose quantity changes; one that is new begins at nothing.
    async fn lines(&self) -> Vec<OrderChangeLineEffect> {
        self.0.lines.iter().map(|line| OrderChangeLineEffect(line.clone(), self.0.currency)).collect()
    }

    /// The parts of a delivery that is split; empty for other changes.
    async fn parts(&self) -> Vec<OrderChangeDeliveryPart> {
        self.0.parts.iter().cloned().map(OrderChangeDeliveryPart).collect()
    }

    /// The date the customer expects delivery by, when it was offered.
    async fn required_by_before(&self) -> Date {
        self.0.required_by_before.into()
    }

    /// The date it would be.
    async fn required_by_after(&self) -> Date {
        self.0.required_by_after.into()
    }

    /// What is due for the order, without what was cancelled, when it was offered.
    async fn total_before(&self) -> Money {
        Money::new(self.0.total_before, self.0.currency)
    }

    /// What would be due.
    async fn total_after(&self) -> Money {
        Money::new(self.0.total_after, self.0.currency)
    }

    /// What would be due more; negative for less.
    async fn difference(&self) -> Money {
        Money::new(self.0.total_after - self.0.total_before, self.0.currency)
    }
}

/// What becomes of a line.
pub struct OrderChangeLineEffect(domain::LineEffect, crate::domain::money::Currency);

/// What a change does to a line.
#[macros::written]
#[Object]
impl OrderChangeLineEffect {
    /// The line's id: as in `Order.lines`, where a line that is new appears once the change is applied.
    async fn order_line_id(&self) -> ID {
        ids::encode(self.0.line_id)
    }

    /// The product's stock keeping unit.
    async fn sku(&self) -> Option<&String> {
        self.0.sku.as_ref()
    }

    /// What it is, in words.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// What is wanted of it: ordered less cancelled.
    async fn quantity_before(&self) -> Decimal {
        self.0.quantity_before.into()
    }

    /// What would be wanted.
    async fn quantity_after(&self) -> Decimal {
        self.0.quantity_after.into()
    }

    /// What is due for it.
    async fn amount_before(&self) -> Money {
        Money::new(self.0.amount_before, self.1)
    }

    /// What would be due.
    async fn amount_after(&self) -> Money {
        Money::new(self.0.amount_after, self.1)
    }
}

/// A part of a delivery.
pub struct OrderChangeDeliveryPart(domain::DeliveryPart);

/// A part of a line that would be delivered by itself.
#[macros::written]
#[Object]
impl OrderChangeDeliveryPart {
    /// The line's id, as in `Order.lines`.
    async fn order_line_id(&self) -> ID {
        ids::encode(self.0.line_id)
    }

    /// The product's stock keeping unit.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// How much of it.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// It waits for stock; otherwise it can go ahead at once.
    async fn waits(&self) -> bool {
        self.0.waits
    }

    /// When what it waits for is expected; null where nobody has said, and for what need not wait.
    async fn expected_on(&self) -> Option<Date> {
        self.0.expected_on.map(Into::into)
    }
}

/// The review of what was chosen.
pub struct OrderChangeReview(domain::ChangeReview);

/// The review of an alternative that adds a product or raises the amount (R2.6).
#[macros::written]
#[Object]
impl OrderChangeReview {
    /// Approved, or declined.
    async fn approved(&self) -> bool {
        self.0.approved
    }

    /// The checks of the order as it would be; empty where it could no longer be done.
    async fn checks(&self) -> Vec<ReviewCheck> {
        self.0.checks.iter().map(ReviewCheck::from).collect()
    }

    /// Why.
    async fn reason(&self) -> Option<&String> {
        self.0.reason.as_ref()
    }

    /// Who decided.
    async fn decided_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.decided_by).await
    }

    /// When it was decided.
    async fn decided_at(&self) -> DateTime {
        self.0.decided_at.into()
    }
}

/// What is missing of an order.
pub struct OrderShortage(pub std::sync::Arc<read::change::Shortages>);

/// What is missing of an order, and what could be offered to the customer about it (R4.3).
#[macros::written]
#[Object]
impl OrderShortage {
    /// The order.
    async fn order(&self) -> Order {
        self.0.order.clone().into()
    }

    /// The lines of which something is missing; empty when nothing is.
    async fn lines(&self) -> Vec<ShortLine> {
        self.0.lines.iter().map(|line| ShortLine(line.clone(), self.0.clone())).collect()
    }

    /// What could be offered, and what could not with the reasons; substitutes by rank.
    #[graphql(complexity = "page_cost(Some(5), None, child_complexity)")]
    async fn options(&self) -> Vec<ShortageOption> {
        self.0.options.iter().map(|option| ShortageOption(option.clone(), self.0.clone())).collect()
    }
}

/// A line of which something is missing.
pub struct ShortLine(domain::Shortage, std::sync::Arc<read::change::Shortages>);

/// A line of an order of which something is waited for.
#[macros::written]
#[Object]
impl ShortLine {
    /// The line.
    async fn order_line(&self) -> Option<OrderLine> {
        let line = self.1.order.line(self.0.line_id)?.clone();
        Some(OrderLine::new(line, self.1.order.currency))
    }

    /// How much of it is missing; of what is made to order, what cannot be made of the parts that are there.
    async fn missing(&self) -> Decimal {
        self.0.missing.into()
    }

    /// When there is enough on order for everybody who waits; null when nobody can say, for the reason under
    /// `lateReason`.
    async fn expected_on(&self) -> Option<Date> {
        self.0.expected_on.ok().map(Into::into)
    }

    /// Why nobody can say when it comes; null when somebody can.
    async fn late_reason(&self) -> Option<LateReason> {
        self.0.expected_on.err()
    }
}

/// An alternative that could be offered.
pub struct ShortageOption(domain::ShortageOption, std::sync::Arc<read::change::Shortages>);

/// An alternative that could be offered, or why it could not.
#[macros::written]
#[Object]
impl ShortageOption {
    /// What it does.
    async fn kind(&self) -> OrderChangeKind {
        self.0.terms.kind
    }

    /// Could it be offered as it is?
    async fn possible(&self) -> bool {
        self.0.preview.is_some()
    }

    /// The line it is about; null where it is about the order as a whole.
    async fn order_line(&self) -> Option<OrderLine> {
        let line = self.1.order.line(self.0.terms.line_id?)?.clone();
        Some(OrderLine::new(line, self.1.order.currency))
    }

    /// How much of the line is cancelled or replaced; null for all of it, and where it is about the whole.
    async fn quantity(&self) -> Option<Decimal> {
        self.0.terms.quantity.map(Into::into)
    }

    /// The later date, or when the rest is expected; null where nobody has said.
    async fn date(&self) -> Option<Date> {
        self.0.terms.date.map(Into::into)
    }

    /// What would be delivered instead, at its list price; null where nothing is.
    async fn substitute(&self) -> Option<OrderChangeSubstitute> {
        let substitute = self.0.terms.substitute.clone()?;
        Some(OrderChangeSubstitute(substitute, self.1.order.currency))
    }

    /// The place of the substitute among those of the product: 1 is the best; null where there is none.
    async fn rank(&self) -> Option<i32> {
        self.0.rank
    }

    /// What it would do to quantities, dates and money; null where it is not possible.
    async fn preview(&self) -> Option<OrderChangePreview> {
        self.0.preview.clone().map(OrderChangePreview)
    }

    /// Why it is not possible; empty where it is.
    async fn why_not(&self) -> Vec<UserError> {
        self.0.why_not.iter().cloned().map(UserError::from).collect()
    }
}

/// A change by id, if it exists for the caller.
pub async fn order_change(ctx: &Context<'_>, id: OrderChangeId) -> Result<Option<OrderChange>> {
    let found = read::change::by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(OrderChange::from))
}
