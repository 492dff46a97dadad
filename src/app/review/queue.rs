//! Who is at work on which review: taken, returned, passed on.

use serde::Serialize;

use super::OnOrder;
use crate::app::command::Command;
use crate::domain::ids::OrderId;
use crate::domain::permission::Action;
use crate::domain::review::NewOwner;
use crate::store::{Result, Work, reference, review as cases};

/// Take a review that nobody is at work on.
#[derive(Clone, Debug, Serialize)]
pub struct TakeReview {
    /// The order.
    pub order_id: OrderId,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for TakeReview {
    const ACTION: Action = Action::TakeReview;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        order.blockers(Action::TakeReview, work.actor()).into_result()?;
        let mut case = cases::of_order(work, self.order_id).await?;
        let happening = case.take(&order, work.actor())?;
        work.save(case, happening).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Put the own review back into the queue.
#[derive(Clone, Debug, Serialize)]
pub struct ReturnReview {
    /// The order.
    pub order_id: OrderId,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ReturnReview {
    const ACTION: Action = Action::ReturnReview;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        order.blockers(Action::ReturnReview, work.actor()).into_result()?;
        let mut case = cases::of_order(work, self.order_id).await?;
        let happening = case.put_back(&order, work.actor())?;
        work.save(case, happening).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Give a review to somebody who reviews orders.
#[derive(Clone, Debug, Serialize)]
pub struct ReassignReview {
    /// The order.
    pub order_id: OrderId,
    /// The subject of whoever is to go on with it.
    pub to: String,
    /// Why.
    pub reason: String,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ReassignReview {
    const ACTION: Action = Action::ReassignReview;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        order.blockers(Action::ReassignReview, work.actor()).into_result()?;
        let mut case = cases::of_order(work, self.order_id).await?;
        let people = reference::people(work.reference(), std::slice::from_ref(&self.to)).await?;
        let to = NewOwner { subject: &self.to, roles: people.first().map(|person| person.roles.as_slice()) };
        let happening = case.reassign(&order, &work.act(), to, &self.reason)?;
        work.save(case, happening).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}
