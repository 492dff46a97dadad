//! The rules a group begins with. Whoever imports a catalogue gets them as version 1.

use rust_decimal::Decimal;

use crate::domain::actor::Role;
use crate::domain::allocation::{
    AllocationRule, AllocationRules, AnswerDeadline, AnswerRule, Conditions, Criterion, Overdue, SplitRule,
};
use crate::domain::delivery::DeliveryMethod;
use crate::domain::intake::Priority;
use crate::domain::inventory::InventoryRules;
use crate::domain::reference::ProductKind;
use crate::domain::rules::{
    ApprovalBand, ChangeRules, Checklist, DeliveryTerms, MilestoneStep, MilestoneTemplate, Restriction, ReviewRules,
    RuleSet, TicketRoute,
};
use crate::domain::ticket::TicketType;

/// Version 1 of the rules, with the teams that handle tickets.
pub fn first(team: impl Fn(TicketType) -> String, restrictions: Vec<Restriction>) -> RuleSet {
    RuleSet {
        version: 1,
        approval_bands: vec![
            band(Some(50_000), &[Role::Reviewer, Role::FinanceApprover]),
            band(None, &[Role::FinanceApprover]),
        ],
        restrictions,
        review: ReviewRules::default(),
        duplicate_window_days: 7,
        rankers: Vec::new(),
        allocation: Some(allocation()),
        milestones: vec![
            template(
                ProductKind::Goods,
                &[("PICKING", "Picking", 1, true, false), ("PACKING", "Packing", 1, false, false)],
            ),
            template(
                ProductKind::MadeToOrder,
                &[
                    ("MATERIALS", "Materials", 2, true, false),
                    ("PRODUCTION", "Production", 5, false, true),
                    ("QUALITY_CHECK", "Quality check", 1, false, false),
                    ("PACKING", "Packing and warehousing", 1, false, false),
                ],
            ),
            template(
                ProductKind::Service,
                &[
                    ("PREPARATION", "Preparation", 2, false, false),
                    ("PERFORMANCE", "Performance", 3, false, true),
                    ("REPORT", "Report", 1, false, false),
                ],
            ),
        ],
        checklists: vec![
            checklist(ProductKind::Goods, &["QUALITY", "PACKAGING", "DOCUMENTS"]),
            checklist(ProductKind::MadeToOrder, &["QUALITY", "PACKAGING", "DOCUMENTS"]),
            checklist(ProductKind::Service, &["CONTRACT_FULFILLED", "REPORT_READY"]),
        ],
        delivery_methods: vec![
            terms(DeliveryMethod::Express, 18, 2, 2, Some(60), false, false),
            terms(DeliveryMethod::Freight, 90, 1, 6, None, false, false),
            terms(DeliveryMethod::SelfPickup, 0, 0, 1, None, false, true),
            terms(DeliveryMethod::DedicatedVehicle, 260, 0, 1, Some(500), true, true),
            terms(DeliveryMethod::OnSiteService, 120, 0, 3, None, false, false),
            terms(DeliveryMethod::OnlineService, 0, 0, 1, None, false, false),
        ],
        changes: ChangeRules::default(),
        ticket_routes: TicketType::ALL
            .iter()
            .map(|ticket_type| TicketRoute {
                ticket_type: *ticket_type,
                team: team(*ticket_type),
                first_contact_minutes: if *ticket_type == TicketType::Other { 480 } else { 120 },
            })
            .collect(),
        inventory: InventoryRules::default(),
    }
}

/// A band of single amounts that takes one approval.
pub(super) fn band(up_to: Option<i64>, roles: &[Role]) -> ApprovalBand {
    ApprovalBand {
        up_to: up_to.map(Decimal::from),
        rolling_up_to: None,
        roles: roles.to_vec(),
        further_levels: Vec::new(),
        automatic: false,
    }
}

/// Units that serve the region and have room; nearest, fewest splits, most stock, least load first. Urgent
/// accessories may come from several warehouses, and urgent shares are answered within the day.
fn allocation() -> AllocationRules {
    use AllocationRule::{FewestSplits, HomeRegion, Load, RegionServed, Stock, UnitCapacity};
    let all = |rules: &[AllocationRule]| rules.iter().copied().map(Criterion::always).collect();
    let urgent = Conditions { priorities: vec![Priority::Urgent], ..Conditions::default() };
    AllocationRules {
        filters: all(&[RegionServed, UnitCapacity]),
        rankers: all(&[HomeRegion, FewestSplits, Stock, Load]),
        splitting: vec![SplitRule {
            when: Conditions { categories: vec!["Accessories".to_owned()], ..urgent.clone() },
            by_quantity: true,
            smallest_part: Decimal::from(50),
        }],
        answers: vec![AnswerRule {
            when: urgent,
            deadlines: vec![
                AnswerDeadline { hours: 4, then: Overdue::Escalate, tell: vec![Role::Dispatcher] },
                AnswerDeadline { hours: 24, then: Overdue::Decline, tell: vec![Role::Dispatcher, Role::Supervisor] },
            ],
        }],
        ..AllocationRules::default()
    }
}

fn template(kind: ProductKind, steps: &[(&str, &str, i64, bool, bool)]) -> MilestoneTemplate {
    let steps = steps
        .iter()
        .map(|(code, name, days, needs_stock, produces)| MilestoneStep {
            code: (*code).to_owned(),
            name: (*name).to_owned(),
            days: *days,
            needs_stock: *needs_stock,
            produces: *produces,
        })
        .collect();
    MilestoneTemplate { kind, steps }
}

fn checklist(kind: ProductKind, items: &[&str]) -> Checklist {
    Checklist { kind, items: items.iter().map(|item| (*item).to_owned()).collect() }
}

fn terms(
    method: DeliveryMethod,
    base_cost: i64,
    unit_cost: i64,
    days: i64,
    largest: Option<i64>,
    urgent_only: bool,
    near_only: bool,
) -> DeliveryTerms {
    DeliveryTerms {
        method,
        base_cost: Decimal::from(base_cost),
        unit_cost: Decimal::from(unit_cost),
        days,
        largest_quantity: largest.map(Decimal::from),
        urgent_only,
        near_only,
    }
}
