//! Review (R2): start, ask, answer, approve, reject.

pub mod clock;
pub mod queue;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::app::command::Command;
use crate::domain::actor::Role;
use crate::domain::event::EventKind;
use crate::domain::ids::{ClarificationId, OrderId};
use crate::domain::intake::received::IntakeFault;
use crate::domain::money::Currency;
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::domain::reference::Customer;
use crate::domain::review::{self, Answer, CheckFacts, LineSpecification, Waiver};
use crate::domain::rules::RuleSet;
use crate::store::work::Tracked;
use crate::store::{Result, Work, channel, order, reference, review as cases};

/// The order a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnOrder {
    /// The order.
    pub order_id: OrderId,
}

/// What the five checks look at besides the order.
pub(super) struct Facts {
    customer: Customer,
    rules: Arc<RuleSet>,
    lookalikes: Vec<String>,
    others: Vec<(Currency, Decimal)>,
    intake_faults: Vec<IntakeFault>,
    now: DateTime<Utc>,
}

impl Facts {
    pub(super) async fn gather(work: &Work, order: &Order) -> Result<Self> {
        let rules = work.rules(order.rule_set_version).await?;
        let days_before = |days: i64| order.submitted_at - Duration::days(days);
        let rolling = rules.review.rolling_days;
        let since = days_before(rules.duplicate_window_days);
        Ok(Self {
            others: if rolling > 0 {
                order::totals_of_others(work, order, days_before(rolling)).await?
            } else {
                Vec::new()
            },
            // Only orders that came over a channel can have any.
            intake_faults: match order.account {
                Some(_) => channel::faults_of(work, order.id).await?,
                None => Vec::new(),
            },
            now: work.now(),
            customer: reference::customer_by_id(work.reference(), order.customer_id).await?,
            lookalikes: order::lookalikes(work, order, since).await?,
            rules,
        })
    }

    /// The levels at which an order like this is approved (R2.5).
    pub(super) fn levels(&self, order: &Order) -> Vec<Vec<Role>> {
        self.rules.assess(order, &self.others).levels
    }

    pub(super) fn checks(&self) -> CheckFacts<'_> {
        CheckFacts {
            customer: &self.customer,
            rules: &self.rules,
            lookalikes: &self.lookalikes,
            others: &self.others,
            intake_faults: &self.intake_faults,
            now: self.now,
        }
    }
}

/// Take a submitted order into review: the five checks are run and kept (R2.1).
#[derive(Clone, Debug, Serialize)]
pub struct StartReview {
    /// The order.
    pub order_id: OrderId,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for StartReview {
    const ACTION: Action = Action::StartReview;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        let facts = Facts::gather(work, &order).await?;
        let case = review::start(&mut order, work.actor(), work.id(), &facts.checks())?;
        work.save(order, EventKind::OrderReviewStarted).await?;
        work.save(Tracked::new(case), EventKind::ReviewOpened).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Send a question back to whoever placed the order (R2.3).
#[derive(Clone, Debug, Serialize)]
pub struct RequestClarification {
    /// The order.
    pub order_id: OrderId,
    /// What is unclear.
    pub question: String,
    /// By when an answer is wanted; as the rules say where absent.
    pub due_at: Option<DateTime<Utc>>,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for RequestClarification {
    const ACTION: Action = Action::RequestClarification;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        order.blockers(Action::RequestClarification, work.actor()).into_result()?;
        let mut case = cases::of_order(work, self.order_id).await?;
        let rules = work.rules(order.rule_set_version).await?;
        let happening = case.ask(&mut order, &work.act(), self.question.clone(), self.due_at, &rules)?;
        work.save(order, happening).await?;
        work.save(case, EventKind::ReviewQuestionAsked).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Answer the open question, and name the products of lines that named only a category.
#[derive(Clone, Debug, Serialize)]
pub struct AnswerClarification {
    /// The order.
    pub order_id: OrderId,
    /// The answer.
    pub answer: String,
    /// The question it answers; every open one where absent.
    pub clarification_id: Option<ClarificationId>,
    /// What the unclear lines turned out to be.
    pub lines: Vec<LineSpecification>,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for AnswerClarification {
    const ACTION: Action = Action::AnswerClarification;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        order.blockers(Action::AnswerClarification, work.actor()).into_result()?;
        let mut case = cases::of_order(work, self.order_id).await?;
        let skus: Vec<String> = self.lines.iter().filter_map(|line| line.sku.clone()).collect();
        let products =
            if skus.is_empty() { BTreeMap::new() } else { reference::products_by_sku(work.reference(), &skus).await? };
        let facts = Facts::gather(work, &order).await?;
        let answer = Answer { text: self.answer.clone(), question: self.clarification_id, lines: &self.lines };
        let happening = case.answer(&mut order, &work.act(), answer, &products, &facts.checks())?;
        work.save(order, happening).await?;
        work.save(case, EventKind::ReviewQuestionAnswered).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Give the next approval to an order under review (R2.5, R2.6). The checks are run once more on what is
/// known now.
#[derive(Clone, Debug, Serialize)]
pub struct ApproveOrder {
    /// The order.
    pub order_id: OrderId,
    /// Checks that need a human decision, and why they do not stand in the way.
    pub waivers: Vec<Waiver>,
    /// A remark.
    pub reason: Option<String>,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ApproveOrder {
    const ACTION: Action = Action::ApproveOrder;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        order.blockers(Action::ApproveOrder, work.actor()).into_result()?;
        let mut case = cases::of_order(work, self.order_id).await?;
        let facts = Facts::gather(work, &order).await?;
        let (waivers, reason) = (self.waivers.clone(), self.reason.clone());
        let (happening, of_review) = case.approve(&mut order, &work.act(), &facts.checks(), waivers, reason)?;
        work.save(order, happening).await?;
        work.save(case, of_review).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Reject an order under review, with a reason.
#[derive(Clone, Debug, Serialize)]
pub struct RejectOrder {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: String,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for RejectOrder {
    const ACTION: Action = Action::RejectOrder;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        order.blockers(Action::RejectOrder, work.actor()).into_result()?;
        let mut case = cases::of_order(work, self.order_id).await?;
        let happening = case.reject(&mut order, &work.act(), self.reason.clone())?;
        work.save(order, happening).await?;
        work.save(case, EventKind::ReviewDecided).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}
