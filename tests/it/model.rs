//! Random lives of orders: what the server says can be done is exactly what can be done, what is
//! refused changes nothing, and every invariant holds whatever was tried.

use std::sync::Arc;

use ordergraph::domain::actor::Role;
use ordergraph::domain::permission::Action;
use proptest::collection::vec;
use proptest::prelude::any;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::support::actor::text;
use crate::support::chance::live;
use crate::support::story::{line, of, order_id, submission, tracking};
use crate::support::{Actor, World, on_both_databases};

const CASES: u32 = 24;
const STEPS: usize = 40;

/// What an actor is told it can do, on whatever of the order exists for it.
const OPTIONS: &str = "query($id: ID!) { order(by: { id: $id }) {
    id availableActions { action allowed }
    allocations { id availableActions { action allowed } milestones { id availableActions { action allowed } } }
    deliveries { id availableActions { action allowed } }
    tickets { id availableActions { action allowed } } } }";

/// What it takes to make valid inputs.
const FACTS: &str =
    "status review { owner { subject } } holds { id } lines { id sku kind quantities { dispatched open allocated } }
    allocations { id kind status unit { code } lines { id quantity passed planned } }
    deliveries { id status lines { id quantity confirmed } }";

/// Numbers that follow from a step's own.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides.max(1) as u64).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

/// Something an actor could try, and whether the server says it would succeed.
#[derive(Clone)]
struct Choice {
    actor: Actor,
    target: String,
    action: Action,
    allowed: bool,
}

impl Choice {
    /// Steps that end or delay things come seldom, or no order would get far.
    fn weight(&self) -> usize {
        match self.action {
            Action::RejectOrder
            | Action::CancelOrder
            | Action::DeclineAllocation
            | Action::ReassignAllocation
            | Action::AllocateManually
            | Action::PlaceHold
            | Action::RequestClarification
            | Action::ReturnReview
            | Action::ReassignReview
            | Action::AmendOrder
            | Action::BlockMilestone
            | Action::OpenTicket => 1,
            Action::RecordTrackingEvent | Action::SplitAllocation | Action::MergeAllocations => 3,
            _ => 10,
        }
    }
}

fn collect(actor: &Actor, of: &Value, choices: &mut Vec<Choice>) {
    for one in of["availableActions"].as_array().into_iter().flatten() {
        choices.push(Choice {
            actor: actor.clone(),
            target: text(&of["id"]),
            action: text(&one["action"]).parse().expect("an action"),
            allowed: one["allowed"] == true,
        });
    }
}

async fn choices_of(actor: &Actor, order: &str) -> Vec<Choice> {
    let found = actor.data(OPTIONS, json!({ "id": order })).await;
    let order = &found["order"];
    let mut choices = Vec::new();
    collect(actor, order, &mut choices);
    for share in order["allocations"].as_array().into_iter().flatten() {
        collect(actor, share, &mut choices);
        for milestone in share["milestones"].as_array().into_iter().flatten() {
            collect(actor, milestone, &mut choices);
        }
    }
    for one in order["deliveries"].as_array().into_iter().flatten() {
        collect(actor, one, &mut choices);
    }
    for one in order["tickets"].as_array().into_iter().flatten() {
        collect(actor, one, &mut choices);
    }
    choices
}

fn with_id<'v>(list: &'v Value, id: &str) -> &'v Value {
    let found = list.as_array().and_then(|list| list.iter().find(|one| one["id"] == id));
    found.unwrap_or(&Value::Null)
}

struct Life {
    world: Arc<World>,
    order: String,
    units: Value,
    told: Vec<String>,
    /// Steps in a row at which nobody could do anything.
    idle: u32,
}

impl Life {
    fn unit(&self, code: &str) -> Value {
        let units = self.units.as_array().expect("units");
        units.iter().find(|unit| unit["code"] == code).expect("the unit")["id"].clone()
    }

    /// A valid input for the choice, and whether it asks for more than the action as such; none
    /// where no valid input exists.
    fn input(&self, choice: &Choice, facts: &Value, dice: &mut Dice) -> Option<(Value, bool)> {
        let id = &choice.target;
        let order = |more: Value| merged(of(id), more);
        let allocation = |more: Value| merged(json!({ "allocationId": id }), more);
        let delivery = |more: Value| merged(json!({ "deliveryId": id }), more);
        let share = with_id(&facts["allocations"], id);
        let going = with_id(&facts["deliveries"], id);
        let input = match choice.action {
            // No step of an order.
            Action::ImportOrders | Action::CancelImport => return None,
            Action::CreatePartnerKey | Action::CreateTrackingLink | Action::RevokeAccessKey => return None,
            Action::CreateSalesChannel
            | Action::UpdateSalesChannel
            | Action::RotateChannelSecret
            | Action::DeactivateSalesChannel
            | Action::ActivateSalesChannel
            | Action::ReplayChannelDelivery => return None,
            Action::StartReview | Action::TakeReview | Action::ReturnReview | Action::AllocateOrder => of(id),
            Action::ReassignReview => {
                let others = ["rita.reviewer", "fiona.finance"];
                let to = others.iter().find(|one| facts["review"]["owner"]["subject"] != **one)?;
                order(json!({ "to": to, "reason": "Chance." }))
            }
            Action::AmendOrder => {
                let line = facts["lines"][0]["id"].clone();
                match dice.roll(3) {
                    0 => order(json!({ "note": "Chance." })),
                    1 => order(json!({ "lines": [{ "lineId": line, "specification": "the better one" }] })),
                    _ => order(json!({ "lines": [{ "lineId": line, "quantity": (dice.roll(5) + 1).to_string() }] })),
                }
            }
            Action::RequestClarification => order(json!({ "question": "Which one?" })),
            Action::AnswerClarification => {
                let lines = facts["lines"].as_array().expect("lines").iter().filter(|line| line["sku"].is_null());
                let lines: Vec<Value> = lines.map(|line| json!({ "lineId": line["id"], "sku": "LAMP-2" })).collect();
                order(json!({ "answer": "This one.", "lines": lines }))
            }
            Action::ApproveOrder => order(json!({ "waivers": [
                { "check": "DUPLICATE_SUSPECT", "reason": "Chance." }, { "check": "FINANCE_LIMIT", "reason": "Good." },
            ] })),
            Action::RejectOrder | Action::PlaceHold | Action::CancelOrder => order(json!({ "reason": "Chance." })),
            Action::ReleaseHold => order(json!({ "holdId": facts["holds"][0]["id"].as_str()? })),
            Action::AnswerCancellation => {
                let grant = dice.roll(2) == 0;
                let left = facts["lines"].as_array().expect("lines");
                let left = left.iter().any(|line| line["quantities"]["dispatched"] != "0");
                return Some((order(json!({ "grant": grant })), !(grant && left)));
            }
            Action::OpenTicket => order(json!({ "type": "OTHER", "subject": "It hums", "description": "All night." })),
            Action::AcceptAllocation => allocation(json!({})),
            Action::DeclineAllocation => allocation(json!({ "reason": "Chance." })),
            Action::ReassignAllocation => {
                let other = match (text(&share["kind"]).as_str(), text(&share["unit"]["code"]).as_str()) {
                    ("GOODS", "AUR-N") => "AUR-S",
                    ("GOODS", _) => "AUR-N",
                    _ => return None,
                };
                allocation(json!({ "unitId": self.unit(other), "reason": "Chance." }))
            }
            Action::AllocateManually => {
                let open =
                    |line: &Value| number(&line["quantities"]["open"]) - number(&line["quantities"]["allocated"]);
                let lines = facts["lines"].as_array().expect("lines").iter();
                let line = lines.filter(|line| !line["kind"].is_null()).find(|line| open(line) > Decimal::ZERO)?;
                let unit = match line["kind"].as_str()? {
                    "GOODS" => *dice.pick(&["AUR-N", "AUR-S"]),
                    "SERVICE" => "AUR-V",
                    _ => "AUR-S",
                };
                let quantity = if dice.roll(2) == 0 { open(line) } else { open(line).min(Decimal::ONE) };
                order(json!({ "reason": "Chance.", "shares": [
                    { "lineId": line["id"], "unitId": self.unit(unit), "quantity": quantity.to_string() },
                ] }))
            }
            Action::SplitAllocation => {
                let lines = share["lines"].as_array()?;
                let line = lines.iter().find(|line| number(&line["quantity"]) >= Decimal::TWO)?;
                let own = text(&share["unit"]["code"]);
                let to = if share["kind"] == "GOODS" { *dice.pick(&["AUR-N", "AUR-S"]) } else { own.as_str() };
                allocation(json!({ "unitId": self.unit(to), "reason": "Chance.",
                    "parts": [{ "lineId": line["id"], "quantity": "1.5" }] }))
            }
            Action::MergeAllocations => {
                let mut others = facts["allocations"].as_array()?.iter().filter(|one| one["id"] != *id);
                let fits = |one: &&Value| ["kind", "status"].iter().all(|name| one[name] == share[name]);
                let other = others.find(|one| fits(one) && one["unit"]["code"] == share["unit"]["code"])?;
                allocation(json!({ "otherAllocationId": other["id"], "reason": "Chance." }))
            }
            Action::RecordInspection => {
                let mut checklist = World::checklist(&text(&share["kind"]), true);
                checklist[0]["passed"] = json!(dice.roll(3) > 0);
                allocation(json!({ "checklist": checklist, "findings": "A scratch." }))
            }
            Action::PlanDelivery => {
                let lines = share["lines"].as_array().cloned().unwrap_or_default();
                let ready =
                    lines.iter().find(|line| number(&line["passed"]) >= number(&line["planned"]) + Decimal::ONE);
                match ready.filter(|_| dice.roll(2) == 0) {
                    Some(line) => allocation(json!({ "lines": [{ "lineId": line["id"], "quantity": "1" }] })),
                    None => allocation(json!({})),
                }
            }
            Action::StartMilestone | Action::CompleteMilestone => json!({ "milestoneId": id }),
            Action::BlockMilestone => {
                json!({ "milestoneId": id, "cause": "Rain.", "measure": "A tent." })
            }
            Action::BookDelivery => {
                let later = (chrono::Utc::now() + chrono::Duration::hours(3)).to_rfc3339();
                delivery(json!({ "carrier": "Swift Parcel", "trackingNumber": "SP-9", "appointment": later }))
            }
            Action::DispatchDelivery => delivery(json!({})),
            Action::RecordTrackingEvent => {
                let pickup = going["status"] == "READY_FOR_PICKUP";
                let kinds = ["DELIVERED", "IN_TRANSIT", "ATTEMPT_FAILED", "OUT_FOR_DELIVERY"];
                let kind = if pickup { "DELIVERED" } else { *dice.pick(&kinds) };
                tracking(id, &uuid::Uuid::now_v7().to_string(), kind)
            }
            Action::ConfirmDelivery => {
                let receipt = json!({ "kind": "CUSTOMER_RECEIPT", "reference": "r" });
                let lines = going["lines"].as_array().cloned().unwrap_or_default();
                let open =
                    lines.iter().find(|line| number(&line["quantity"]) >= number(&line["confirmed"]) + Decimal::ONE);
                match open.filter(|_| dice.roll(2) == 0) {
                    Some(line) => {
                        delivery(json!({ "evidence": receipt, "lines": [{ "lineId": line["id"], "quantity": "1" }] }))
                    }
                    None => delivery(json!({ "evidence": receipt })),
                }
            }
            Action::ContactCustomer => json!({ "ticketId": id, "summary": "Called." }),
            Action::ResolveTicket => json!({ "ticketId": id, "resolution": "Mended." }),
            // Nothing of these is offered on an order and what belongs to it.
            _ => return None,
        };
        Some((input, true))
    }

    async fn step(&mut self, seed: u64) {
        let mut dice = Dice(seed);
        if dice.roll(12) == 0 {
            self.goods_arrive(&mut dice).await;
        }
        let everyone = [
            "sam.sales",
            "rita.reviewer",
            "fiona.finance",
            "dan.dispatcher",
            "olga.operator",
            "oscar.operator",
            "otto.operator",
            "ines.inspector",
            "lars.logistics",
            "sara.service",
            "ada.admin",
            "customer.c-1001",
        ];
        let mut choices = Vec::new();
        // Somebody who can do something, if there is anybody; a few are asked in any case.
        let first = dice.roll(everyone.len());
        for turn in 0..everyone.len() {
            let actor = self.world.person(everyone[(first + turn * 5) % everyone.len()]);
            choices.extend(choices_of(&actor, &self.order).await);
            let hopeful = choices.iter().any(|one| one.allowed && one.weight() > 1);
            if turn >= 1 && (hopeful || turn >= 7) {
                break;
            }
        }
        let bold = dice.roll(5) == 0;
        let mut pool = Vec::new();
        for choice in &choices {
            if bold || choice.allowed {
                pool.extend(std::iter::repeat_n(choice, choice.weight()));
            }
        }
        if pool.is_empty() {
            self.idle += 1;
            return;
        }
        self.idle = 0;
        let choice = (*dice.pick(&pool)).clone();
        let facts = self.world.order(&self.order, FACTS).await;
        let Some((input, sound)) = self.input(&choice, &facts, &mut dice) else {
            return;
        };
        self.try_out(&choice, input, choice.allowed && sound).await;
    }

    async fn try_out(&mut self, choice: &Choice, input: Value, expected: bool) {
        let field = choice.action.field_name();
        let before = self.world.state().await;
        let answer = choice.actor.act(&field, input.clone()).await;
        let errors = answer.data()[&field]["userErrors"].clone();
        let done = errors == json!([]);
        self.told.push(format!("{} {field} {input} -> {errors}", choice.actor.identity.subject));
        if !done {
            assert_eq!(before, self.world.state().await, "refused, yet changed: {:#?}", self.told);
        }
        // Whether any unit is left is found out by asking every unit, which a look at the order does not do.
        let nobody_left = choice.action == Action::AllocateOrder && errors[0]["code"] == "NO_CAPABLE_UNIT";
        assert!(
            done == expected || nobody_left,
            "{field} was said to be {}: {:#?}",
            if expected { "possible" } else { "impossible" },
            self.told
        );
    }

    async fn goods_arrive(&mut self, dice: &mut Dice) {
        let (sku, warehouse, subject) = *dice.pick(&[
            ("PANEL-9", "AUR-N-WH", "walt.warehouse"),
            ("PANEL-9", "AUR-S-WH", "wendy.warehouse"),
            ("TOP-OAK", "AUR-S-WH", "wendy.warehouse"),
            ("LASER-4", "AUR-N-WH", "walt.warehouse"),
        ]);
        let item = self.world.stock(sku, warehouse).await;
        let quantity = (dice.roll(60) + 1).to_string();
        let receipt = json!({ "stockItemId": item["id"], "quantity": quantity });
        self.world.person(subject).does("receiveStock", receipt).await;
        self.told.push(format!("{quantity} {sku} arrive at {warehouse}"));
    }
}

fn number(value: &Value) -> Decimal {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn merged(mut base: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("fields") {
        base[name] = value.clone();
    }
    base
}

/// What a random order asks for: shortages, parts, services, and lines that are not clear.
fn wish(dice: &mut Dice) -> Vec<Value> {
    let quantity = |dice: &mut Dice, most: usize| (dice.roll(most) + 1).to_string();
    let mut lines = Vec::new();
    for _ in 0..=dice.roll(2) {
        lines.push(match dice.roll(7) {
            0 => line("LAMP-1", &quantity(dice, 20)),
            1 => line("PANEL-9", &quantity(dice, 80)),
            2 => line("LASER-4", &quantity(dice, 8)),
            3 => line("BENCH-X", &quantity(dice, 6)),
            4 => line("INSTALL", &quantity(dice, 5)),
            5 => json!({ "sku": "WIRE-C", "quantity": format!("{}.5", dice.roll(9)), "unitPrice": "0.3333" }),
            _ => json!({ "category": "Lighting", "quantity": "2" }),
        });
    }
    lines
}

async fn life(world: Arc<World>, start: u64, steps: Vec<u64>) {
    let mut dice = Dice(start);
    let mut input = submission(&wish(&mut dice));
    if dice.roll(3) == 0 {
        input["customerNumber"] = json!("C-1001");
    }
    let order = order_id(&world.actor(Role::Sales).does("submitOrder", input.clone()).await);
    let units = world.actor(Role::Supervisor).data("{ units { id code } }", json!({})).await["units"].clone();
    let mut life = Life { world: world.clone(), order, units, told: vec![input["lines"].to_string()], idle: 0 };
    for step in steps {
        life.step(step).await;
        if life.idle == 2 {
            break;
        }
    }
    assert_eq!(world.violations().await, Vec::<String>::new(), "{:#?}", life.told);
}

on_both_databases!(whatever_is_tried_the_books_are_right, |world| async move {
    live((CASES, 24), &(any::<u64>(), vec(any::<u64>(), STEPS)), |(start, steps)| life(world.clone(), start, steps));
    // Had no order got far, nothing would have been tested.
    let reached = world.number("SELECT COUNT(DISTINCT kind) FROM event").await;
    assert!(reached >= 25, "only {reached} kinds of events");
});
