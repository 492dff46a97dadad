//! Approvals (R2.5, R2.6): level by level, each by another person, for what the order is now.

use std::sync::Arc;

use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use ordergraph::domain::money::Currency;
use ordergraph::domain::rules::{ApprovalBand, Exchange, ExchangeRate, RuleSet};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::support::story::{of, order_id, submission};
use crate::support::{Actor, World, on_both_databases};

const APPROVALS: &str = "status version review { status awaitedLevel owner { subject }
  decision { approved ruleSetVersion decidedBy { subject } waivers { check reason } }
  assessment { amount { amount currencyCode } rollingTotal { amount } levels { level roles } }
  approvals { level valid reason approvedBy { subject } waivers { check reason } } }";

fn band(up_to: Option<i64>, rolling: Option<i64>, levels: &[&[Role]]) -> ApprovalBand {
    ApprovalBand {
        up_to: up_to.map(Decimal::from),
        rolling_up_to: rolling.map(Decimal::from),
        roles: levels[0].to_vec(),
        further_levels: levels[1..].iter().map(|roles| roles.to_vec()).collect(),
        automatic: false,
    }
}

/// One reviewer up to 1 000, two people up to 10 000, three above.
fn bands(rules: &mut RuleSet) {
    use Role::{FinanceApprover, Reviewer};
    rules.approval_bands = vec![
        band(Some(1_000), Some(5_000), &[&[Reviewer]]),
        band(Some(10_000), Some(20_000), &[&[Reviewer], &[FinanceApprover]]),
        band(None, None, &[&[Reviewer], &[FinanceApprover], &[FinanceApprover]]),
    ];
    rules.review.rolling_days = 30;
    rules.duplicate_window_days = 0;
}

fn person(world: &Arc<World>, subject: &str, roles: &[&str]) -> Actor {
    world.bearer(Identity {
        subject: subject.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        unit: Some("AUR".to_owned()),
        ..Identity::default()
    })
}

fn priced(price: &str) -> Value {
    json!({ "sku": "LAMP-1", "quantity": "1", "unitPrice": price })
}

on_both_databases!(each_level_is_another_persons, |world| async move {
    world.rules(bands).await;
    let (rita, fiona) = (world.actor(Role::Reviewer), world.actor(Role::FinanceApprover));
    let felix = person(&world, "felix.finance", &["FINANCE_APPROVER", "REVIEWER"]);
    let order = world.under_review(&[priced("10000.01")]).await;
    let found = world.order(&order, APPROVALS).await;
    assert_eq!(
        found["review"]["assessment"]["levels"],
        json!([
            { "level": 1, "roles": ["REVIEWER"] },
            { "level": 2, "roles": ["FINANCE_APPROVER"] },
            { "level": 3, "roles": ["FINANCE_APPROVER"] },
        ])
    );
    // The first level is the reviewers'.
    fiona.refused_for("approveOrder", of(&order), &[("APPROVAL_LEVEL_TOO_LOW", "R2.5")]).await;
    felix.does("approveOrder", json!({ "orderId": order, "reason": "The price is right." })).await;
    let found = world.order(&order, APPROVALS).await;
    let first = json!({
        "level": 1, "valid": true, "reason": "The price is right.", "waivers": [],
        "approvedBy": { "subject": "felix.finance" },
    });
    assert_eq!(found["status"], "UNDER_REVIEW");
    let review = &found["review"];
    assert_eq!(
        (&review["awaitedLevel"], &review["owner"], &review["decision"]),
        (&json!(2), &Value::Null, &Value::Null)
    );
    assert_eq!(review["approvals"].as_array().map(Vec::len), Some(1));
    assert_eq!(review["approvals"][0]["reason"], first["reason"]);
    // Nobody approves twice, whatever roles they hold, and the first level is not asked again.
    felix.refused_for("approveOrder", of(&order), &[("APPROVED_BEFORE", "R2.5")]).await;
    rita.refused_for("approveOrder", of(&order), &[("APPROVAL_LEVEL_TOO_LOW", "R2.5")]).await;
    world.actor(Role::Dispatcher).refused_for("allocateOrder", of(&order), &[("ILLEGAL_TRANSITION", "R3.1")]).await;
    fiona.does("approveOrder", of(&order)).await;
    assert_eq!(world.status(&order).await, "UNDER_REVIEW");
    fiona.refused_for("approveOrder", of(&order), &[("APPROVED_BEFORE", "R2.5")]).await;
    person(&world, "frank.finance", &["FINANCE_APPROVER"]).does("approveOrder", of(&order)).await;
    let found = world.order(&order, APPROVALS).await;
    assert_eq!((&found["status"], &found["review"]["awaitedLevel"]), (&json!("APPROVED"), &Value::Null));
    assert_eq!(
        found["review"]["decision"],
        json!({ "approved": true, "ruleSetVersion": 2, "decidedBy": { "subject": "frank.finance" }, "waivers": [] })
    );
});

on_both_databases!(what_one_level_waived_the_next_need_not, |world| async move {
    world.rules(bands).await;
    // C-1004 is good for 20 000.
    let mut input = submission(&[priced("20000.01")]);
    input["customerNumber"] = json!("C-1004");
    let order = order_id(&world.actor(Role::Sales).does("submitOrder", input).await);
    let (rita, fiona) = (world.actor(Role::Reviewer), world.actor(Role::FinanceApprover));
    rita.does("startReview", of(&order)).await;
    rita.refused_for("approveOrder", of(&order), &[("CHECK_NEEDS_DECISION", "R2.5")]).await;
    let waiver = json!({ "check": "FINANCE_LIMIT", "reason": "Paid in advance." });
    rita.does("approveOrder", json!({ "orderId": order, "waivers": [waiver] })).await;
    fiona.does("approveOrder", of(&order)).await;
    person(&world, "felix.finance", &["FINANCE_APPROVER"]).does("approveOrder", of(&order)).await;
    let found = world.order(&order, APPROVALS).await;
    assert_eq!((&found["status"], &found["review"]["decision"]["waivers"]), (&json!("APPROVED"), &json!([waiver])));
    // An amendment takes all of it back: the waiver was for what the order was.
    let line_id = world.order(&order, "lines { id }").await["lines"][0]["id"].clone();
    let lines = json!([{ "lineId": line_id, "quantity": "2" }]);
    world.actor(Role::Sales).does("amendOrder", json!({ "orderId": order, "lines": lines })).await;
    let found = world.order(&order, APPROVALS).await;
    assert_eq!((&found["status"], &found["review"]["awaitedLevel"]), (&json!("UNDER_REVIEW"), &json!(1)));
    rita.refused_for("approveOrder", of(&order), &[("CHECK_NEEDS_DECISION", "R2.5")]).await;
});

on_both_databases!(many_small_orders_are_approved_as_a_large_one, |world| async move {
    world.rules(bands).await;
    let rita = world.actor(Role::Reviewer);
    // Five orders of 900 are 4 500; the sixth makes 5 400 of 5 000 allowed, and takes two people.
    for _ in 0..5 {
        let order = world.under_review(&[priced("900")]).await;
        rita.does("approveOrder", of(&order)).await;
        assert_eq!(world.status(&order).await, "APPROVED");
    }
    let sixth = world.under_review(&[priced("900")]).await;
    let found = world.order(&sixth, APPROVALS).await;
    let assessment = &found["review"]["assessment"];
    assert_eq!(assessment["amount"], json!({ "amount": "900", "currencyCode": "CNY" }));
    assert_eq!(assessment["rollingTotal"]["amount"], "5400");
    assert_eq!(assessment["levels"].as_array().map(Vec::len), Some(2));
    rita.does("approveOrder", of(&sixth)).await;
    assert_eq!(world.status(&sixth).await, "UNDER_REVIEW");
    // What was rejected counts no more, so that one approval is enough for the next.
    let reason = json!({ "orderId": sixth, "reason": "Not wanted." });
    rita.does("rejectOrder", reason).await;
    let seventh = world.under_review(&[priced("500")]).await;
    let found = world.order(&seventh, APPROVALS).await;
    assert_eq!(found["review"]["assessment"]["rollingTotal"]["amount"], "5000");
    rita.does("approveOrder", of(&seventh)).await;
    assert_eq!(world.status(&seventh).await, "APPROVED");
});

on_both_databases!(other_currencies_are_converted_or_take_the_topmost_band, |world| async move {
    let euro = Currency::from_code("EUR").expect("EUR");
    // The group counts in euros, and knows what a yuan is worth.
    let yuan = |rates: Vec<ExchangeRate>| {
        move |rules: &mut RuleSet| {
            bands(rules);
            rules.review.exchange = Some(Exchange { base: euro, rates });
        }
    };
    let rate = ExchangeRate { currency: Currency::from_code("CNY").expect("CNY"), rate: Decimal::new(125, 3) };
    world.rules(yuan(vec![rate])).await;
    // 8 000 yuan are 1 000 euros: one approval.
    let order = world.under_review(&[priced("8000")]).await;
    let found = world.order(&order, APPROVALS).await;
    let assessment = &found["review"]["assessment"];
    assert_eq!(assessment["amount"], json!({ "amount": "1000", "currencyCode": "EUR" }));
    assert_eq!(assessment["levels"].as_array().map(Vec::len), Some(1));
    let rita = world.actor(Role::Reviewer);
    rita.does("approveOrder", of(&order)).await;
    assert_eq!(world.status(&order).await, "APPROVED");

    world.rules(yuan(Vec::new())).await;
    let order = world.under_review(&[priced("1")]).await;
    let found = world
        .order(&order, "review { checks { kind outcome message } assessment { amount { amount } levels { level } } }")
        .await;
    assert_eq!(found["review"]["assessment"]["amount"], Value::Null);
    assert_eq!(found["review"]["assessment"]["levels"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        found["review"]["checks"][3],
        json!({
            "kind": "FINANCE_LIMIT", "outcome": "NEEDS_HUMAN",
            "message": "There is no exchange rate from CNY to EUR: the approvals of the topmost amounts are needed.",
        })
    );
    rita.refused_for("approveOrder", of(&order), &[("CHECK_NEEDS_DECISION", "R2.5")]).await;
});

on_both_databases!(at_each_level_one_of_many_is_the_approver, |world| async move {
    world.rules(bands).await;
    let reviewers: Vec<Actor> = ["rita", "robin", "rosa"]
        .iter()
        .map(|name| person(&world, &format!("{name}.reviewer"), &["REVIEWER"]))
        .collect();
    for _ in 0..4 {
        let order = world.under_review(&[priced("1001")]).await;
        let all = reviewers.iter().map(|reviewer| reviewer.act("approveOrder", of(&order)));
        let mut given = 0;
        for answer in futures::future::join_all(all).await {
            let errors = answer.data()["approveOrder"]["userErrors"].clone();
            if errors == json!([]) {
                given += 1;
            } else {
                assert_eq!(errors[0]["code"], "APPROVAL_LEVEL_TOO_LOW", "{errors}");
            }
        }
        assert_eq!(given, 1);
        // An amendment and the last approval at once: whichever comes second, what is approved is what the order is.
        let line_id = world.order(&order, "lines { id }").await["lines"][0]["id"].clone();
        let lines = json!([{ "lineId": line_id, "quantity": "2" }]);
        let (fiona, sales) = (world.actor(Role::FinanceApprover), world.actor(Role::Sales));
        let (approved, amended) = tokio::join!(
            fiona.act("approveOrder", of(&order)),
            sales.act("amendOrder", json!({ "orderId": order, "lines": lines }))
        );
        assert_eq!(amended.data()["amendOrder"]["userErrors"], json!([]));
        let late = approved.data()["approveOrder"]["userErrors"].clone();
        assert!(late == json!([]) || late[0]["code"] == "APPROVAL_LEVEL_TOO_LOW", "{late}");
        let found = world.order(&order, APPROVALS).await;
        assert_eq!((&found["status"], &found["review"]["awaitedLevel"]), (&json!("UNDER_REVIEW"), &json!(1)));
    }
});

/// What the test knows of an order by itself: who has approved what it is now.
#[derive(Default)]
struct Memory {
    /// Counts the contents the order has had.
    approved_by: Vec<String>,
    status: String,
}

struct Play {
    world: Arc<World>,
    order: String,
    line: Value,
    memory: Memory,
    told: Vec<String>,
}

impl Play {
    async fn step(&mut self, dice: u64) {
        let people = ["rita.reviewer", "fiona.finance", "felix.finance", "frank.finance", "robin.reviewer"];
        let subject = people[usize::try_from(dice >> 8).unwrap_or(0) % people.len()];
        let role = if subject.ends_with("reviewer") { "REVIEWER" } else { "FINANCE_APPROVER" };
        let somebody = person(&self.world, subject, &[role]);
        let sales = self.world.actor(Role::Sales);
        let order = of(&self.order);
        let (actor, field, input) = match dice % 11 {
            0..=4 => (somebody, "approveOrder", order),
            5 => {
                let quantity = 1 + (dice >> 20) % 3;
                let lines = json!([{ "lineId": self.line, "quantity": quantity.to_string() }]);
                (sales, "amendOrder", json!({ "orderId": self.order, "lines": lines }))
            }
            6 => (sales, "amendOrder", json!({ "orderId": self.order, "note": format!("Note {}", dice % 3) })),
            7 => (somebody, "returnReview", order),
            8 => (somebody, "takeReview", order),
            9 => (somebody, "requestClarification", json!({ "orderId": self.order, "question": "Sure?" })),
            _ => (sales, "answerClarification", json!({ "orderId": self.order, "answer": "Yes." })),
        };
        let content = |found: &Value| found["lines"][0]["quantities"]["ordered"].clone();
        let before = self.world.order(&self.order, "status lines { quantities { ordered } }").await;
        let answer = actor.act(field, input).await;
        let done = answer.data()[field]["userErrors"] == json!([]);
        let after = self.world.order(&self.order, "status lines { quantities { ordered } }").await;
        self.told.push(format!("{subject} {field}: {done}, {} to {}", before["status"], after["status"]));
        if content(&before) != content(&after) {
            self.memory.approved_by.clear();
        }
        if done && field == "approveOrder" {
            self.memory.approved_by.push(subject.to_owned());
        }
        self.memory.status = after["status"].as_str().unwrap_or_default().to_owned();
        self.check(content(&after).as_str().unwrap_or_default());
    }

    /// Approved exactly when as many different people as the amount asks for approved what it is now.
    fn check(&self, quantity: &str) {
        let approvers = &self.memory.approved_by;
        let mut distinct = approvers.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), approvers.len(), "somebody approved twice: {:#?}", self.told);
        // 900, 1 800 and 2 700 against bands up to 1 000, 2 000 and more.
        let levels: usize = quantity.parse().expect("a number");
        let in_turn = approvers.iter().enumerate().all(|(index, who)| who.ends_with("reviewer") == (index == 0));
        assert!(in_turn, "out of turn: {:#?}", self.told);
        assert_eq!(self.memory.status == "APPROVED", approvers.len() == levels, "{:#?}", self.told);
        assert!(approvers.len() <= levels, "{:#?}", self.told);
    }
}

async fn play(world: Arc<World>, steps: Vec<u64>) {
    let order = world.under_review(&[priced("900")]).await;
    let line = world.order(&order, "lines { id }").await["lines"][0]["id"].clone();
    let mut play = Play { world, order, line, memory: Memory::default(), told: Vec::new() };
    for step in steps {
        play.step(step).await;
    }
    assert_eq!(play.world.violations().await, Vec::<String>::new(), "{:#?}", play.told);
}

on_both_databases!(approved_means_completely_and_for_what_it_is_now, |world| async move {
    world
        .rules(|rules| {
            use Role::{FinanceApprover, Reviewer};
            rules.approval_bands = vec![
                band(Some(1_000), None, &[&[Reviewer]]),
                band(Some(2_000), None, &[&[Reviewer], &[FinanceApprover]]),
                band(None, None, &[&[Reviewer], &[FinanceApprover], &[FinanceApprover]]),
            ];
            rules.duplicate_window_days = 0;
        })
        .await;
    let config = Config { cases: 16, failure_persistence: None, max_shrink_iters: 16, ..Config::default() };
    let handle = tokio::runtime::Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&vec(any::<u64>(), 30), |steps| {
            handle.block_on(play(world.clone(), steps));
            Ok(())
        })
    });
    outcome.expect("every sequence");
    let approved = world.number("SELECT COUNT(*) FROM orders WHERE status = 'APPROVED'").await;
    let voided = world.number("SELECT COUNT(*) FROM event WHERE kind = 'REVIEW_REOPENED'").await;
    assert!(approved > 0 && voided > 5, "{approved} approved, {voided} reopened: nothing was tested");
});
