//! What the clock does about reviews: looks at new orders where the rules let it, reminds of questions, and
//! lets orders expire whose questions nobody answered.

use serde::Serialize;

use super::{Facts, OnOrder};
use crate::app::command::Command;
use crate::app::due::{AT_ONCE, each};
use crate::app::{Failure, Session};
use crate::domain::event::EventKind;
use crate::domain::ids::OrderId;
use crate::domain::permission::Action;
use crate::domain::review as domain;
use crate::store::work::Tracked;
use crate::store::{Result, Work, review as cases};

/// Look at a submitted order by the rules alone (R2.6).
#[derive(Clone, Debug, Serialize)]
pub struct ReviewAutomatically {
    /// The order.
    pub order_id: OrderId,
}

impl Command for ReviewAutomatically {
    const ACTION: Action = Action::ReviewAutomatically;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        order.blockers(Action::ReviewAutomatically, work.actor()).into_result()?;
        let facts = Facts::gather(work, &order).await?;
        let (case, happening, of_review) = domain::look_by_itself(&mut order, &work.act(), work.id(), &facts.checks())?;
        work.save(order, happening).await?;
        work.save(Tracked::new(case), of_review).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Remind whoever placed the order of what is asked (R2.3).
#[derive(Clone, Debug, Serialize)]
pub struct RemindClarification {
    /// The order.
    pub order_id: OrderId,
}

impl Command for RemindClarification {
    const ACTION: Action = Action::RemindClarification;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let order = work.order(self.order_id).await?;
        order.blockers(Action::RemindClarification, work.actor()).into_result()?;
        let mut case = cases::of_order(work, self.order_id).await?;
        let happening = case.remind(&order, &work.act())?;
        work.save(order, happening).await?;
        work.save(case, EventKind::ReviewReminded).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Let an order expire whose question nobody answered in time (R2.3).
#[derive(Clone, Debug, Serialize)]
pub struct ExpireClarification {
    /// The order.
    pub order_id: OrderId,
}

impl Command for ExpireClarification {
    const ACTION: Action = Action::ExpireClarification;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        order.blockers(Action::ExpireClarification, work.actor()).into_result()?;
        let mut case = cases::of_order(work, self.order_id).await?;
        let happening = case.expire(&mut order, work.actor(), work.now())?;
        work.save(order, happening).await?;
        work.save(case, EventKind::ReviewExpired).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Looks at the orders that the rules they are handled under let the clock look at.
///
/// # Errors
/// The database is away.
pub async fn look_at_new_orders(session: &Session) -> std::result::Result<usize, Failure> {
    let due = cases::due_for_the_clock(session.app.store(), session.app.clock.now(), AT_ONCE).await?;
    each(session, due.into_iter().map(|order_id| ReviewAutomatically { order_id })).await
}

/// Reminds of questions that are due soon.
///
/// # Errors
/// The database is away.
pub async fn remind_of_questions(session: &Session) -> std::result::Result<usize, Failure> {
    let due = cases::reminders_due(session.app.store(), session.app.clock.now(), AT_ONCE).await?;
    each(session, due.into_iter().map(|order_id| RemindClarification { order_id })).await
}

/// Lets orders expire whose questions nobody answered in time.
///
/// # Errors
/// The database is away.
pub async fn let_questions_expire(session: &Session) -> std::result::Result<usize, Failure> {
    let due = cases::answers_overdue(session.app.store(), session.app.clock.now(), AT_ONCE).await?;
    each(session, due.into_iter().map(|order_id| ExpireClarification { order_id })).await
}
