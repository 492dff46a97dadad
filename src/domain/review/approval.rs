//! Approvals: one for each level that the amount asks for, each by another person, none by the submitter,
//! and all for what the order is now (R2.5, R2.6).

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::checks::clause_of;
use super::{CheckFacts, CheckKind, CheckOutcome, ReviewCase, ReviewDecision, ReviewStatus, Waiver, run_checks};
use crate::domain::actor::{Act, Actor, Role};
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::ReviewCaseId;
use crate::domain::intake::{LONG_TEXT, text};
use crate::domain::order::{Order, OrderStatus};
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::rules::RuleSet;

/// An approval at one level. It is never changed but for being declared void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The level: 1, 2, 3, …
    pub level: i32,
    /// Who could give it.
    pub roles: Vec<Role>,
    /// Who gave it.
    pub approved_by: String,
    /// When.
    pub approved_at: DateTime<Utc>,
    /// A remark.
    pub reason: Option<String>,
    /// What was waived.
    pub waivers: Vec<Waiver>,
    /// Digest of what the order was then (`Order::reviewed_content`).
    pub content: String,
    /// Given by the clock. Absent where a person gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<bool>,
    /// Why it no longer holds; none while it does.
    pub invalidation: Option<Invalidation>,
}

/// Why an approval no longer holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalidation {
    /// Who changed what it was given for.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What was changed.
    pub reason: String,
}

impl ReviewCase {
    /// The approvals that hold, by level.
    pub fn valid_approvals(&self) -> impl Iterator<Item = &Approval> {
        self.approvals.iter().filter(|approval| approval.invalidation.is_none())
    }

    /// The level that the review waits for: 1, 2, 3, … None when it is decided.
    pub fn awaited_level(&self) -> Option<i32> {
        let is_open = matches!(self.status, ReviewStatus::Open | ReviewStatus::AwaitingAnswer);
        is_open.then(|| i32::try_from(self.valid_approvals().count()).unwrap_or(i32::MAX).saturating_add(1))
    }

    /// Who may approve at each level. A review older than levels has those of the order's amount.
    pub fn levels(&self, order: &Order, rules: &RuleSet) -> Vec<Vec<Role>> {
        match &self.assessment {
            Some(assessment) => assessment.levels.clone(),
            None => rules.assess(order, &[]).levels,
        }
    }

    /// What stands between the actor and the next approval, apart from waivers they may give.
    pub fn approval_blockers(&self, order: &Order, actor: &Actor, rules: &RuleSet) -> Refusals {
        let mut refusals = order.blockers(Action::ApproveOrder, actor);
        for check in &self.checks {
            refusals.require(check.outcome != CheckOutcome::Fail, || {
                Refusal::new(Code::CheckFailed, clause_of(check.kind), format!("{}: {}", check.kind, check.message))
            });
        }
        let levels = self.levels(order, rules);
        let given = self.valid_approvals().count();
        let approvers = levels.get(given).map_or(&[][..], Vec::as_slice);
        refusals.require(actor.is_any(approvers), || {
            let names: Vec<&str> = approvers.iter().copied().map(Role::code).collect();
            Refusal::new(
                Code::ApprovalLevelTooLow,
                "R2.5",
                format!(
                    "An order of {} {} takes {} of {} by {}.",
                    order.total(),
                    order.currency.code(),
                    if levels.len() > 1 { format!("approval {}", given + 1) } else { "the approval".to_owned() },
                    levels.len().max(1),
                    names.join(" or ")
                ),
            )
        });
        refusals.require(self.valid_approvals().all(|former| former.approved_by != actor.subject), || {
            Refusal::new(Code::ApprovedBefore, "R2.5", "You gave an approval before; the next is for somebody else.")
        });
        refusals
    }

    /// Gives the next approval. With the last one the order is approved; before that it stays under review,
    /// and the review goes back into the queue for the next level.
    pub fn approve(
        &mut self,
        order: &mut Order,
        act: &Act<'_>,
        facts: &CheckFacts<'_>,
        waivers: Vec<Waiver>,
        reason: Option<String>,
    ) -> Result<(EventKind, EventKind), Refusals> {
        // What is known now counts, not what was known when the review was opened.
        let mut case = self.clone();
        case.reassess(order, act, facts, "The amount asks for other approvals than when this one was given.");
        let mut refusals = case.approval_blockers(order, act.actor, facts.rules);
        text(&mut refusals, "reason", reason.as_deref(), false, LONG_TEXT);
        for (index, waiver) in waivers.iter().enumerate() {
            text(&mut refusals, &format!("waivers.{index}.reason"), Some(&waiver.reason), true, LONG_TEXT);
            refusals.require(waiver.check != CheckKind::Legality, || {
                Refusal::new(Code::CheckNotWaivable, "R2.4", "The law is not waived.")
                    .at(format!("waivers.{index}.check"))
            });
        }
        let former: Vec<Waiver> = case.valid_approvals().flat_map(|approval| approval.waivers.clone()).collect();
        for check in case.checks.iter().filter(|check| check.outcome == CheckOutcome::NeedsHuman) {
            refusals.require(former.iter().chain(&waivers).any(|waiver| waiver.check == check.kind), || {
                Refusal::new(
                    Code::CheckNeedsDecision,
                    clause_of(check.kind),
                    format!("{}: {} Waive it with a reason, or reject.", check.kind, check.message),
                )
                .at("waivers")
            });
        }
        refusals.into_result()?;
        *self = case;
        Ok(self.add_approval(order, act, waivers, reason, None))
    }

    fn add_approval(
        &mut self,
        order: &mut Order,
        act: &Act<'_>,
        waivers: Vec<Waiver>,
        reason: Option<String>,
        automatic: Option<bool>,
    ) -> (EventKind, EventKind) {
        let levels = self.assessment.as_ref().map_or(&[][..], |assessment| &assessment.levels);
        let given = self.valid_approvals().count();
        let is_last = automatic == Some(true) || given + 1 >= levels.len();
        self.approvals.push(Approval {
            level: self.awaited_level().unwrap_or(1),
            roles: levels.get(given).cloned().unwrap_or_default(),
            approved_by: act.actor.subject.clone(),
            approved_at: act.now,
            reason: reason.clone(),
            waivers,
            content: order.reviewed_content(),
            automatic,
            invalidation: None,
        });
        if !is_last {
            self.owner = None;
            self.waiting_since = Some(act.now);
            return (EventKind::OrderApprovalGiven, EventKind::ReviewApprovalGiven);
        }
        order.status = OrderStatus::Approved;
        self.status = ReviewStatus::Approved;
        self.decision = Some(ReviewDecision {
            approved: true,
            decided_by: act.actor.subject.clone(),
            decided_at: act.now,
            reason,
            waivers: self.valid_approvals().flat_map(|approval| approval.waivers.clone()).collect(),
            automatic,
            rule_set_version: Some(order.rule_set_version),
        });
        (EventKind::OrderApproved, EventKind::ReviewDecided)
    }

    /// Runs the checks again. Approvals that were given for something else, or by others than the amount now
    /// asks for, no longer hold.
    pub(super) fn reassess(&mut self, order: &Order, act: &Act<'_>, facts: &CheckFacts<'_>, reason: &str) {
        self.checks = run_checks(order, facts);
        let assessment = facts.rules.assess(order, facts.others);
        let content = order.reviewed_content();
        let holds = self
            .valid_approvals()
            .zip(&assessment.levels)
            .all(|(approval, roles)| approval.content == content && approval.roles == *roles);
        self.assessment = Some(assessment);
        if !holds || self.valid_approvals().count() > self.levels_asked_for() {
            self.void_approvals(act, reason);
        }
    }

    fn levels_asked_for(&self) -> usize {
        self.assessment.as_ref().map_or(0, |assessment| assessment.levels.len())
    }

    fn void_approvals(&mut self, act: &Act<'_>, reason: &str) {
        for approval in self.approvals.iter_mut().filter(|approval| approval.invalidation.is_none()) {
            approval.invalidation =
                Some(Invalidation { by: act.actor.subject.clone(), at: act.now, reason: reason.to_owned() });
        }
    }

    /// Is the order approved at every level it takes, in sequence, each by another person, none of them its
    /// submitter? The clock's own approval stands for all.
    pub fn is_completely_approved(&self, order: &Order) -> bool {
        if !self.decision.as_ref().is_some_and(|decision| decision.approved) {
            return false;
        }
        let Some(assessment) = &self.assessment else { return true };
        let given: Vec<&Approval> = self.valid_approvals().collect();
        if let [only] = given[..]
            && only.automatic == Some(true)
        {
            return true;
        }
        let in_sequence = given.iter().zip(1..).all(|(approval, level)| approval.level == level);
        let by_others = given.iter().enumerate().all(|(index, approval)| {
            approval.approved_by != order.submitted_by
                && given[..index].iter().all(|former| former.approved_by != approval.approved_by)
        });
        in_sequence && by_others && !given.is_empty() && given.len() >= assessment.levels.len()
    }

    /// Were the approvals that hold given for what the order is now?
    pub fn is_approved_as_it_is(&self, order: &Order) -> bool {
        let content = order.reviewed_content();
        self.valid_approvals().all(|approval| approval.content == content)
    }
}

/// Takes back what was approved of an order, since something that a review looks at was changed: the checks
/// are run again, former approvals are kept but void, and an order that was approved goes back under review,
/// into the queue. An order that units are at work on stays where it is: whoever changes such an order must
/// have the change approved before it takes effect.
pub fn invalidate(
    order: &mut Order,
    case: &mut ReviewCase,
    act: &Act<'_>,
    facts: &CheckFacts<'_>,
    reason: &str,
) -> Happening {
    if order.status == OrderStatus::Approved {
        order.status = OrderStatus::UnderReview;
        order.unallocatable = None;
    }
    if case.status == ReviewStatus::Approved {
        case.status = ReviewStatus::Open;
        case.owner = None;
        case.decision = None;
    }
    case.void_approvals(act, reason);
    case.reassess(order, act, facts, reason);
    case.waiting_since = Some(act.now);
    EventKind::ReviewReopened.because(reason)
}

/// The clock looks at a submitted order: one that passes every check, is not on hold, and whose amount needs
/// nobody is approved (R2.6). Every other one waits in the queue, with the checks that were run.
pub fn look_by_itself(
    order: &mut Order,
    act: &Act<'_>,
    id: ReviewCaseId,
    facts: &CheckFacts<'_>,
) -> Result<(ReviewCase, EventKind, EventKind), Refusals> {
    let mut refusals = order.blockers(Action::ReviewAutomatically, act.actor);
    let rules = facts.rules.review.automatic.as_ref().filter(|rules| rules.channels.contains(&order.channel));
    let is_due = rules.is_some_and(|rules| order.submitted_at + Duration::minutes(rules.after_minutes) <= act.now);
    refusals.require(is_due, || {
        Refusal::new(Code::NotDue, "R2.6", "The rules do not let the clock look at this order, or not yet.")
    });
    refusals.into_result()?;
    let mut case = ReviewCase::open(order, act.actor, id, facts);
    let passes = case.checks.iter().all(|check| check.outcome == CheckOutcome::Pass);
    let needs_nobody = case.assessment.as_ref().is_some_and(|assessment| assessment.automatic);
    if passes && needs_nobody && order.holds.is_empty() {
        let (happening, decided) = case.add_approval(order, act, Vec::new(), None, Some(true));
        return Ok((case, happening, decided));
    }
    order.status = OrderStatus::UnderReview;
    Ok((case, EventKind::OrderReviewStarted, EventKind::ReviewOpened))
}
