//! Sixty-four orders, spread over every stage: each goes through the same commands as a real one.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use rust_decimal::Decimal;

use super::group::{DemoPerson, PEOPLE};
use super::{SteppedClock, session};
use crate::app::allocation::{AllocateOrder, DeclineAllocation};
use crate::app::change::ProposeOrderChange;
use crate::app::delivery::{BookDelivery, ConfirmDelivery, DispatchDelivery, PlanDelivery, RecordTrackingEvent};
use crate::app::inspection::RecordInspection;
use crate::app::intake::SubmitOrder;
use crate::app::inventory::AcceptAllocation;
use crate::app::order::{CancelOrder, PlaceHold};
use crate::app::progress::{BlockMilestone, CompleteMilestone, StartMilestone};
use crate::app::review::{ApproveOrder, RejectOrder, RequestClarification, StartReview};
use crate::app::ticket::{ContactCustomer, OpenTicket, ResolveTicket};
use crate::app::{App, Clock, Command, Failure, Guarded, perform};
use crate::domain::actor::{Actor, Role};
use crate::domain::allocation::Allocation;
use crate::domain::change::{OptionWish, OrderChangeKind};
use crate::domain::delivery::{Evidence, EvidenceKind, TrackingKind, TrackingReport};
use crate::domain::ids::{AllocationId, DeliveryId, OrderId, TicketId};
use crate::domain::inspection::{ChecklistAnswer, InspectionReport};
use crate::domain::intake::{Channel, Priority, Submission, SubmissionLine};
use crate::domain::reference::{Address, ProductKind};
use crate::domain::ticket::{ProblemReport, TicketType};
use crate::store::allocation;

/// How far an order of the demo has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Goal {
    Submitted,
    UnderReview,
    Clarification,
    Rejected,
    Cancelled,
    Approved,
    OnHold,
    Allocated,
    Declined,
    Accepted,
    Working,
    Blocked,
    AwaitingInspection,
    Rectification,
    Planned,
    Dispatched,
    Delivered,
    Completed,
    TicketOpen,
    TicketResolved,
}

/// Sixteen goals, each reached by four orders; the last ones twice as often as ticketed ones.
const GOALS: [Goal; 20] = [
    Goal::Completed,
    Goal::TicketResolved,
    Goal::Completed,
    Goal::TicketOpen,
    Goal::Delivered,
    Goal::Dispatched,
    Goal::Planned,
    Goal::Rectification,
    Goal::AwaitingInspection,
    Goal::Blocked,
    Goal::Working,
    Goal::Accepted,
    Goal::Declined,
    Goal::Allocated,
    Goal::OnHold,
    Goal::Approved,
    Goal::Rejected,
    Goal::Cancelled,
    Goal::Clarification,
    Goal::UnderReview,
];

/// Orders of the demo, and the last few that nobody has looked at yet.
const ORDERS: usize = 64;
const UNTOUCHED: usize = 4;
/// So large an order that it takes two approvals, of which it has one.
const LARGE: usize = 57;
/// An order for a sign that does not say what is to be on it.
const UNSPECIFIED: usize = 58;

struct Play<'a> {
    app: &'a Arc<App>,
    clock: &'a SteppedClock,
}

/// Plays all orders, beginning at a moment.
pub(super) async fn orders(app: &Arc<App>, clock: &SteppedClock, start: DateTime<Utc>) -> Result<(), Failure> {
    let play = Play { app, clock };
    for index in 0..ORDERS {
        clock.set(start + Duration::hours(7 * i64::try_from(index).unwrap_or(0)));
        // The oldest orders have come farthest, as in life.
        let goal = if index + UNTOUCHED >= ORDERS {
            Goal::Submitted
        } else {
            GOALS[index * GOALS.len() / (ORDERS - UNTOUCHED)]
        };
        play.order(index, goal).await?;
    }
    Ok(())
}

impl Play<'_> {
    /// Lets a person do something a few minutes later.
    async fn by<C: Command>(&self, person: &DemoPerson, command: C) -> Result<C::Answer, Failure> {
        self.clock.advance(Duration::minutes(9));
        let session = session(self.app, person).await?;
        let answered = perform(&session, Guarded { command, idempotency_key: None }).await?;
        Ok(answered.answer)
    }

    async fn as_role<C: Command>(&self, role: Role, command: C) -> Result<C::Answer, Failure> {
        let person = super::person_for(role).ok_or(Failure::NotFound)?;
        self.by(person, command).await
    }

    async fn order(&self, index: usize, goal: Goal) -> Result<(), Failure> {
        let id = self.submit(index, goal).await?;
        if goal == Goal::Submitted {
            return Ok(());
        }
        if goal == Goal::Cancelled {
            let reason = "The project was called off.".to_owned();
            self.as_role(Role::Sales, CancelOrder { order_id: id, reason, expected_version: None }).await?;
            return Ok(());
        }
        self.as_role(Role::Reviewer, StartReview { order_id: id, expected_version: None }).await?;
        match goal {
            Goal::UnderReview => {
                if index == LARGE {
                    let reason = Some("The customer's framework contract covers it.".to_owned());
                    let approval = ApproveOrder { order_id: id, waivers: Vec::new(), reason, expected_version: None };
                    self.as_role(Role::Reviewer, approval).await?;
                }
                return Ok(());
            }
            Goal::Clarification => {
                let question = "Which lamps would you like? The order names only the category.".to_owned();
                self.as_role(
                    Role::Reviewer,
                    RequestClarification { order_id: id, question, due_at: None, expected_version: None },
                )
                .await?;
                return Ok(());
            }
            Goal::Rejected => {
                let reason = "This product is not sold to your group of customers.".to_owned();
                self.as_role(Role::Reviewer, RejectOrder { order_id: id, reason, expected_version: None }).await?;
                return Ok(());
            }
            _ => {}
        }
        self.as_role(
            Role::FinanceApprover,
            ApproveOrder { order_id: id, waivers: Vec::new(), reason: None, expected_version: None },
        )
        .await?;
        if goal == Goal::OnHold {
            let reason = "The customer asked us to wait for the building permit.".to_owned();
            self.as_role(Role::Dispatcher, PlaceHold { order_id: id, reason, expected_version: None }).await?;
        }
        if goal < Goal::Allocated {
            return Ok(());
        }
        let allocated = self.as_role(Role::Dispatcher, AllocateOrder { order_id: id, expected_version: None }).await?;
        for share in &allocated.allocation_ids {
            self.share(id, *share, goal, index).await?;
        }
        if goal >= Goal::TicketOpen {
            self.ticket(id, goal).await?;
        }
        Ok(())
    }

    async fn submit(&self, index: usize, goal: Goal) -> Result<OrderId, Failure> {
        let (person, channel, customer) = match index % 3 {
            0 => (Role::Sales, Channel::OfflineSales, format!("C-200{}", 1 + index / 3 % 4)),
            1 => (Role::Customer, Channel::ECommerce, "C-1001".to_owned()),
            _ => (Role::Partner, Channel::PartnerReferral, format!("C-100{}", 2 + index / 3 % 3)),
        };
        // A rejection needs a reason: a laser for a retail customer.
        let (person, channel, customer) = if goal == Goal::Rejected {
            (Role::Sales, Channel::OfflineSales, "C-1002".to_owned())
        } else {
            (person, channel, customer)
        };
        let submission = Submission {
            channel,
            external_reference: Some(format!("DEMO-{:03}", index + 1)),
            customer_number: Some(customer),
            contact: None,
            region: None,
            currency_code: "CNY".to_owned(),
            required_by: None,
            // Some are late by now, most are not.
            required_within_days: Some(if index.is_multiple_of(7) { 3 } else { 25 }),
            priority: if index % 9 == 4 { Priority::Urgent } else { Priority::Normal },
            delivery_address: Address {
                street: format!("{} Lantern Road", index + 1),
                city: "Hangzhou".to_owned(),
                region_name: Some("Zhejiang".to_owned()),
                postal_code: Some("310000".to_owned()),
                country_code: "CN".to_owned(),
            },
            note: index.is_multiple_of(5).then(|| "Please call before delivery.".to_owned()),
            lines: lines(index, goal),
        };
        Ok(self.as_role(person, SubmitOrder { submission }).await?.order_id)
    }

    async fn load(&self, id: AllocationId) -> Result<Allocation, Failure> {
        let system = Actor::system();
        let found = allocation::by_ids(self.app.store(), &system, &[id]).await?;
        found.into_iter().next().ok_or(Failure::NotFound)
    }

    async fn share(&self, order: OrderId, id: AllocationId, goal: Goal, index: usize) -> Result<(), Failure> {
        let share = self.load(id).await?;
        let operator = self.operator_of(&share).await?;
        if goal == Goal::Declined {
            let reason = "Both benches are being serviced this week.".to_owned();
            self.by(operator, DeclineAllocation { allocation_id: id, reason, expected_version: None }).await?;
            return Ok(());
        }
        if goal < Goal::Accepted {
            return Ok(());
        }
        self.by(operator, AcceptAllocation { allocation_id: id, responsible: None, expected_version: None }).await?;
        if goal == Goal::Accepted {
            return self.offer(order, id).await;
        }
        let milestones = self.load(id).await?.milestones;
        for (position, milestone) in milestones.iter().enumerate() {
            let milestone_id = milestone.id;
            self.by(operator, StartMilestone { milestone_id, expected_version: None }).await?;
            if position == 0 && goal == Goal::Blocked {
                let cause = "The lift in the warehouse is out of order.".to_owned();
                let measure = "A technician comes tomorrow; small items are carried.".to_owned();
                self.by(operator, BlockMilestone { milestone_id, cause, measure, expected_version: None }).await?;
                return Ok(());
            }
            if position == 0 && goal == Goal::Working {
                return Ok(());
            }
            self.by(operator, CompleteMilestone { milestone_id, expected_version: None }).await?;
        }
        if goal == Goal::AwaitingInspection {
            return Ok(());
        }
        self.inspect(id, share.kind, goal != Goal::Rectification).await?;
        if goal == Goal::Rectification {
            return Ok(());
        }
        self.deliver(order, id, share.kind, goal, index).await
    }

    /// Where something is missing, the customer is offered to wait or to do without.
    async fn offer(&self, order: OrderId, id: AllocationId) -> Result<(), Failure> {
        let share = self.load(id).await?;
        let Some(short) = share.lines.iter().find(|line| share.missing_of(line.id) > Decimal::ZERO) else {
            return Ok(());
        };
        let later = (self.clock.now() + Duration::days(60)).date_naive();
        let wish = |kind, line_id, date| OptionWish {
            kind,
            line_id,
            date,
            quantity: None,
            substitute_sku: None,
            unit_price: None,
        };
        let offer = ProposeOrderChange {
            order_id: order,
            reason: "More panels were ordered than are in the warehouse.".to_owned(),
            options: vec![
                wish(OrderChangeKind::LaterDate, None, Some(later)),
                wish(OrderChangeKind::CancelLine, Some(short.order_line_id), None),
            ],
            // Still open when the demo begins.
            answer_hours: Some(24 * 60),
            expected_version: None,
        };
        match self.as_role(Role::Sales, offer).await {
            // Another share of the order was short before.
            Ok(_) | Err(Failure::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn operator_of(&self, share: &Allocation) -> Result<&'static DemoPerson, Failure> {
        for person in PEOPLE.iter().filter(|person| person.role == Role::Operator) {
            if session(self.app, person).await?.actor.covers_unit(share.unit_id) {
                return Ok(person);
            }
        }
        Err(Failure::NotFound)
    }

    async fn inspect(&self, id: AllocationId, kind: ProductKind, passes: bool) -> Result<(), Failure> {
        let rules = super::rules::first(|_| String::new(), Vec::new());
        let checklist = rules
            .checklist_for(kind)
            .iter()
            .enumerate()
            .map(|(position, item)| ChecklistAnswer { item: item.clone(), passed: passes || position > 0, note: None })
            .collect();
        let findings = (!passes).then(|| "Scratches on the visible side.".to_owned());
        let report = InspectionReport { checklist, accepted: None, findings };
        self.as_role(Role::Inspector, RecordInspection { allocation_id: id, report, expected_version: None }).await?;
        Ok(())
    }

    async fn deliver(
        &self,
        order: OrderId,
        id: AllocationId,
        kind: ProductKind,
        goal: Goal,
        index: usize,
    ) -> Result<(), Failure> {
        let plan = PlanDelivery { allocation_id: id, method: None, lines: None, expected_version: None };
        let delivery = self.as_role(Role::Logistics, plan).await?.delivery_id;
        if goal == Goal::Planned {
            return Ok(());
        }
        let service = kind == ProductKind::Service;
        let booking = BookDelivery {
            delivery_id: delivery,
            carrier: Some(if service { "Aurora Services" } else { "Swift Parcel" }.to_owned()),
            tracking_number: Some(format!("SP{:07}", 4_100_000 + index)),
            appointment: Some(self.clock.now() + Duration::hours(20)),
            expected_version: None,
        };
        self.as_role(Role::Logistics, booking).await?;
        // A pickup is not dispatched: the customer comes and fetches it.
        let dispatched =
            self.as_role(Role::Logistics, DispatchDelivery { delivery_id: delivery, expected_version: None }).await;
        match dispatched {
            Ok(_) | Err(Failure::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        if goal == Goal::Dispatched {
            return Ok(());
        }
        self.arrive(delivery, index).await?;
        if goal == Goal::Delivered {
            return Ok(());
        }
        let evidence = Evidence {
            kind: if service { EvidenceKind::ServiceReportSignature } else { EvidenceKind::SignedSlip },
            reference: format!("slip {order}"),
            file_hash: None,
        };
        let confirm = ConfirmDelivery { delivery_id: delivery, evidence, lines: None, expected_version: None };
        self.as_role(Role::Logistics, confirm).await?;
        Ok(())
    }

    async fn arrive(&self, delivery: DeliveryId, index: usize) -> Result<(), Failure> {
        self.clock.advance(Duration::hours(2));
        let report = TrackingReport {
            carrier: "Swift Parcel".to_owned(),
            carrier_event_id: format!("{index}-{delivery}"),
            kind: TrackingKind::Delivered,
            occurred_at: self.clock.now(),
            location: Some("Hangzhou".to_owned()),
        };
        self.as_role(Role::Logistics, RecordTrackingEvent { delivery_id: delivery, report }).await?;
        Ok(())
    }

    async fn ticket(&self, order: OrderId, goal: Goal) -> Result<(), Failure> {
        let report = ProblemReport {
            ticket_type: TicketType::ProductQuality,
            order_line_id: None,
            subject: "One lamp flickers".to_owned(),
            description: "It flickers when it has been on for an hour.".to_owned(),
            occurred_at: None,
        };
        let ticket: TicketId =
            self.as_role(Role::ServiceAgent, OpenTicket { order_id: order, report }).await?.ticket_id;
        if goal == Goal::TicketOpen {
            return Ok(());
        }
        let contact = ContactCustomer {
            ticket_id: ticket,
            summary: "The customer sent a film of it; a new driver will mend it.".to_owned(),
            plan: Some("We send a new driver by express.".to_owned()),
            expected_version: None,
        };
        self.as_role(Role::ServiceAgent, contact).await?;
        let resolution = "The driver was replaced; the lamp no longer flickers.".to_owned();
        self.as_role(Role::ServiceAgent, ResolveTicket { ticket_id: ticket, resolution, expected_version: None })
            .await?;
        Ok(())
    }
}

fn line(sku: &str, quantity: i64) -> SubmissionLine {
    SubmissionLine {
        sku: Some(sku.to_owned()),
        category: None,
        quantity: Decimal::from(quantity),
        unit_price: None,
        discount_rate: None,
        specification: None,
    }
}

/// What an order asks for. Shortages are left to the panels, so that those meant to go through do.
fn lines(index: usize, goal: Goal) -> Vec<SubmissionLine> {
    let quantity = i64::try_from(index % 4).unwrap_or(0) + 1;
    match goal {
        Goal::Clarification => {
            return vec![SubmissionLine { sku: None, category: Some("Lighting".to_owned()), ..line("", 10) }];
        }
        Goal::Rejected => return vec![line("LASER-4", 1)],
        Goal::UnderReview if index == LARGE => return vec![line("BENCH-X", 130)],
        Goal::UnderReview if index == UNSPECIFIED => return vec![line("SIGN-X", 1)],
        // Nobody is at work on these yet: they may wait for what is not there.
        Goal::Accepted | Goal::Working | Goal::Blocked => {
            return vec![line("PANEL-9", 30 + quantity), line("CABLE-5", 2)];
        }
        _ => {}
    }
    // Quantities differ from order to order, so that none looks like the double of another.
    let lamps = i64::try_from(index).unwrap_or(0) % 11 + 1;
    match index % 4 {
        0 => vec![line("LAMP-1", lamps), line("CABLE-5", lamps + quantity)],
        1 => vec![line("LAMP-2", lamps % 4 + 1), line("LAMP-1", lamps)],
        2 => vec![line("LAMP-1", lamps), line("INSTALL", quantity)],
        _ => vec![line("BENCH-X", 1), line("CABLE-5", lamps)],
    }
}
