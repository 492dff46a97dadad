//! Review (R2): start, ask, answer, approve, reject.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::command::Command;
use crate::domain::event::EventKind;
use crate::domain::ids::OrderId;
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::domain::reference::Customer;
use crate::domain::review::{self, CheckFacts, LineSpecification, Waiver};
use crate::domain::rules::RuleSet;
use crate::store::work::Tracked;
use crate::store::{Result, Work, order, reference, review as cases};

/// The order a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnOrder {
    /// The order.
    pub order_id: OrderId,
}

/// What the five checks look at besides the order.
struct Facts {
    customer: Customer,
    rules: Arc<RuleSet>,
    lookalikes: Vec<String>,
}

impl Facts {
    async fn gather(work: &Work, order: &Order) -> Result<Self> {
        let rules = work.rules(order.rule_set_version).await?;
        let since = order.submitted_at - Duration::days(rules.duplicate_window_days);
        Ok(Self {
            customer: reference::customer_by_id(work.reference(), order.customer_id).await?,
            lookalikes: order::lookalikes(work, order, since).await?,
            rules,
        })
    }

    fn checks(&self) -> CheckFacts<'_> {
        CheckFacts { customer: &self.customer, rules: &self.rules, lookalikes: &self.lookalikes }
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
        let case = review::start(&mut order, work.actor(), work.id(), &facts.checks(), work.now())?;
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
        let happening = case.ask(&mut order, work.actor(), work.id(), self.question.clone(), work.now())?;
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
        let skus: Vec<String> = self.lines.iter().map(|line| line.sku.clone()).collect();
        let products =
            if skus.is_empty() { BTreeMap::new() } else { reference::products_by_sku(work.reference(), &skus).await? };
        let facts = Facts::gather(work, &order).await?;
        let happening =
            case.answer(&mut order, &work.act(), self.answer.clone(), &self.lines, &products, &facts.checks())?;
        work.save(order, happening).await?;
        work.save(case, EventKind::ReviewQuestionAnswered).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Approve an order under review (R2.6). The checks are run once more on what is known now.
#[derive(Clone, Debug, Serialize)]
pub struct ApproveOrder {
    /// The order.
    pub order_id: OrderId,
    /// Checks that need a human decision, and why they do not stand in the way.
    pub waivers: Vec<Waiver>,
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
        case.checks = review::run_checks(&order, &facts.checks());
        let happening = case.approve(&mut order, work.actor(), &facts.rules, self.waivers.clone(), work.now())?;
        work.save(order, happening).await?;
        work.save(case, EventKind::ReviewDecided).await?;
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
        let happening = case.reject(&mut order, work.actor(), self.reason.clone(), work.now())?;
        work.save(order, happening).await?;
        work.save(case, EventKind::ReviewDecided).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Runs the checks again on an order that was changed under review, without anybody's decision: what was found
/// before is of an order that is no more.
pub(super) async fn repeat(work: &Work, order: &Order) -> Result<()> {
    let mut case = cases::of_order(work, order.id).await?;
    let facts = Facts::gather(work, order).await?;
    case.checks = review::run_checks(order, &facts.checks());
    work.save(case, EventKind::ReviewRepeated).await?;
    Ok(())
}
