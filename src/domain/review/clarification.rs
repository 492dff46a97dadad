//! Clarification (R2.3): questions to whoever placed the order, answers, and what happens without one.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{CheckFacts, ReviewCase, ReviewStatus};
use crate::domain::actor::{Act, Actor};
use crate::domain::event::EventKind;
use crate::domain::ids::{ClarificationId, OrderLineId};
use crate::domain::intake::{FARTHEST_DAYS, LONG_TEXT, text};
use crate::domain::order::{Order, OrderStatus};
use crate::domain::permission::Action;
use crate::domain::reference::Product;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::rules::RuleSet;

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clarification {
    /// Identity.
    pub id: ClarificationId,
    /// What was asked.
    pub question: String,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// By when an answer is wanted; none for questions older than this record of it.
    #[serde(default)]
    pub due_at: Option<DateTime<Utc>>,
    /// When whoever placed the order is to be reminded of it.
    #[serde(default)]
    pub remind_at: Option<DateTime<Utc>>,
    /// When that was done.
    #[serde(default)]
    pub reminded_at: Option<DateTime<Utc>>,
    /// The answer, once there is one.
    pub answer: Option<String>,
    /// Who answered.
    pub answered_by: Option<String>,
    /// When.
    pub answered_at: Option<DateTime<Utc>>,
}

/// The specification of a line that named only a category, or that lacks one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSpecification {
    /// The line.
    pub line_id: OrderLineId,
    /// The product it turned out to be; none where the line names one already.
    pub sku: Option<String>,
    /// Details of what is wanted.
    pub specification: Option<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// In words.
    pub text: String,
    /// The question it answers; every open one where absent.
    pub question: Option<ClarificationId>,
    /// What unclear lines turned out to be.
    pub lines: &'a [LineSpecification],
}

impl ReviewCase {
    fn open_questions(&self) -> impl Iterator<Item = &Clarification> {
        self.clarifications.iter().filter(|one| one.answer.is_none())
    }

    /// By when the thread must be answered: the latest date that an open question gives. None when nothing is
    /// asked.
    pub fn answer_due_at(&self) -> Option<DateTime<Utc>> {
        self.open_questions().filter_map(|one| one.due_at).max()
    }

    /// When whoever placed the order is to be reminded; none when that was done for every open question, or
    /// nothing is asked.
    pub fn reminder_due_at(&self) -> Option<DateTime<Utc>> {
        let latest = self.open_questions().max_by_key(|one| one.due_at)?;
        latest.remind_at.filter(|_| latest.reminded_at.is_none())
    }

    /// Puts a question to whoever placed the order. While one is open, more may follow; who wants to give
    /// more time asks again with a later date.
    pub fn ask(
        &mut self,
        order: &mut Order,
        act: &Act<'_>,
        question: String,
        due_at: Option<DateTime<Utc>>,
        rules: &RuleSet,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = order.blockers(Action::RequestClarification, act.actor);
        text(&mut refusals, "question", Some(&question), true, LONG_TEXT);
        let due_at = due_at.unwrap_or_else(|| act.now + Duration::days(rules.review.clarification_days));
        refusals.require(due_at > act.now, || {
            Refusal::new(Code::DateInPast, "R2.3", "An answer can be wanted at a later time only.").at("dueAt")
        });
        refusals.require(due_at <= act.now + Duration::days(FARTHEST_DAYS), || {
            Refusal::new(Code::DateTooFar, "R2.3", format!("At most {FARTHEST_DAYS} days ahead.")).at("dueAt")
        });
        refusals.into_result()?;
        order.status = OrderStatus::ClarificationRequested;
        self.status = ReviewStatus::AwaitingAnswer;
        self.waiting_since = Some(act.now);
        self.clarifications.push(Clarification {
            id: act.id(),
            question,
            asked_by: act.actor.subject.clone(),
            asked_at: act.now,
            due_at: Some(due_at),
            // Whoever gets less time than that is reminded by the question itself.
            remind_at: Some(due_at - Duration::hours(rules.review.reminder_hours)).filter(|at| *at > act.now),
            reminded_at: None,
            answer: None,
            answered_by: None,
            answered_at: None,
        });
        Ok(EventKind::OrderClarificationRequested)
    }

    /// Keeps the answer, ties clarified lines to their products, and runs the checks again. The order is back
    /// under review when no question is open any more.
    pub fn answer(
        &mut self,
        order: &mut Order,
        act: &Act<'_>,
        answer: Answer<'_>,
        products: &BTreeMap<String, Product>,
        facts: &CheckFacts<'_>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = order.blockers(Action::AnswerClarification, act.actor);
        text(&mut refusals, "answer", Some(&answer.text), true, LONG_TEXT);
        if let Some(question) = answer.question {
            refusals.require(self.open_questions().any(|one| one.id == question), || {
                Refusal::new(Code::UnknownClarification, "R2.3", "No such question is open.").at("clarificationId")
            });
        }
        check_specifications(order, answer.lines, products, facts, &mut refusals);
        refusals.into_result()?;
        for specification in answer.lines {
            specify(order, specification, products);
        }
        let is_answered = |one: &Clarification| answer.question.is_none_or(|question| question == one.id);
        for open in self.clarifications.iter_mut().filter(|one| one.answer.is_none() && is_answered(one)) {
            open.answer = Some(answer.text.clone());
            open.answered_by = Some(act.actor.subject.clone());
            open.answered_at = Some(act.now);
        }
        if self.open_questions().next().is_none() {
            order.status = OrderStatus::UnderReview;
            self.status = ReviewStatus::Open;
            self.waiting_since = Some(act.now);
        }
        self.reassess(order, act, facts, "An answer changed what was approved.");
        Ok(EventKind::OrderClarificationAnswered)
    }

    /// Reminds whoever placed the order of what is still asked.
    pub fn remind(&mut self, order: &Order, act: &Act<'_>) -> Result<EventKind, Refusals> {
        let mut refusals = order.blockers(Action::RemindClarification, act.actor);
        require_due(&mut refusals, self.reminder_due_at(), act.now, "Nobody is to be reminded yet.");
        refusals.into_result()?;
        for open in self.clarifications.iter_mut().filter(|one| one.answer.is_none()) {
            open.reminded_at = open.reminded_at.or(Some(act.now));
        }
        Ok(EventKind::OrderClarificationReminded)
    }

    /// Lets the order expire, since nobody answered in time.
    pub fn expire(&mut self, order: &mut Order, actor: &Actor, now: DateTime<Utc>) -> Result<EventKind, Refusals> {
        let mut refusals = order.blockers(Action::ExpireClarification, actor);
        require_due(&mut refusals, self.answer_due_at(), now, "An answer may still come in time.");
        refusals.into_result()?;
        order.status = OrderStatus::Expired;
        self.status = ReviewStatus::Expired;
        Ok(EventKind::OrderExpired)
    }
}

fn require_due(refusals: &mut Refusals, due: Option<DateTime<Utc>>, now: DateTime<Utc>, message: &str) {
    refusals.require(due.is_some_and(|due| due <= now), || Refusal::new(Code::NotDue, "R2.3", message));
}

fn check_specifications(
    order: &Order,
    lines: &[LineSpecification],
    products: &BTreeMap<String, Product>,
    facts: &CheckFacts<'_>,
    refusals: &mut Refusals,
) {
    for (index, specification) in lines.iter().enumerate() {
        let at = |field: &str| format!("lines.{index}.{field}");
        let line = order.line(specification.line_id);
        let waits = line.is_some_and(|line| match &specification.sku {
            Some(_) => line.product_id.is_none(),
            None => specification.specification.is_some() && facts.rules.wants_specification(line),
        });
        refusals.require(lines.iter().take(index).all(|other| other.line_id != specification.line_id), || {
            Refusal::new(Code::Repeated, "R2.3", "The line is named twice.").at(at("lineId"))
        });
        refusals.require(waits, || {
            Refusal::new(Code::UnknownLine, "R2.3", "No line of this order waits for this specification.")
                .at(at("lineId"))
        });
        if let Some(sku) = &specification.sku {
            match products.get(sku) {
                None => {
                    refusals.push(Refusal::new(Code::UnknownSku, "R2.3", "No product has this SKU.").at(at("sku")));
                }
                Some(product) => refusals.require(product.currency == order.currency, || {
                    let message = format!("The product is priced in {}.", product.currency.code());
                    Refusal::new(Code::CurrencyMismatch, "R2.5", message).at(at("sku"))
                }),
            }
        }
        text(refusals, &at("specification"), specification.specification.as_deref(), false, LONG_TEXT);
    }
}

fn specify(order: &mut Order, specification: &LineSpecification, products: &BTreeMap<String, Product>) {
    let currency = order.currency;
    let Some(line) = order.lines.iter_mut().find(|line| line.id == specification.line_id) else { return };
    if let Some(product) = specification.sku.as_ref().and_then(|sku| products.get(sku)) {
        // A price agreed with the category was for something unspecified; the list price counts.
        line.specify(product, None, currency);
    }
    line.specification = specification.specification.clone().or(line.specification.take());
}
