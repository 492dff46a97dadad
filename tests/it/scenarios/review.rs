//! Review (R2): what is unclear is asked for, what is forbidden stays forbidden, what is doubtful
//! is decided by somebody who may.

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::on_both_databases;
use crate::support::story::{line, of, order_id, own_submission, submission};

const CHECKS: &str = "status review { status checks { kind outcome clause }
  clarifications { question answer askedBy { subject } answeredBy { subject } }
  decision { approved reason decidedBy { subject } waivers { check reason } } }";

/// The outcome of a check and its clause.
fn check(order: &Value, kind: &str) -> (String, String) {
    let checks = order["review"]["checks"].as_array().expect("checks");
    let kinds: Vec<&str> = checks.iter().filter_map(|one| one["kind"].as_str()).collect();
    assert_eq!(kinds, ["CUSTOMER_INFO", "REQUIREMENT_CLARITY", "LEGALITY", "FINANCE_LIMIT", "DUPLICATE_SUSPECT"]);
    let found = checks.iter().find(|one| one["kind"] == kind).expect("the check");
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("clause"))
}

fn is(outcome: &str, clause: &str) -> (String, String) {
    (outcome.to_owned(), clause.to_owned())
}

on_both_databases!(a_category_is_clarified_before_it_is_approved, |world| async move {
    let customer = world.customer("C-1001");
    let vague = json!({ "category": "Lighting", "quantity": "12", "specification": "warm white" });
    let payload = customer.does("submitOrder", own_submission(&[vague])).await;
    let order = order_id(&payload);
    let line_id = payload["order"]["lines"][0]["id"].clone();
    let reviewer = world.actor(Role::Reviewer);
    reviewer.does("startReview", of(&order)).await;
    let found = world.order(&order, CHECKS).await;
    assert_eq!(check(&found, "REQUIREMENT_CLARITY"), is("FAIL", "R2.3"));
    reviewer.refused_for("approveOrder", of(&order), &[("CHECK_FAILED", "R2.3")]).await;
    let waived = json!({ "orderId": order, "waivers": [{ "check": "REQUIREMENT_CLARITY", "reason": "It will do." }] });
    reviewer.refused_for("approveOrder", waived, &[("CHECK_FAILED", "R2.3")]).await;

    let question = json!({ "orderId": order, "question": "Which lamps would you like?" });
    reviewer.does("requestClarification", question).await;
    assert_eq!(world.status(&order).await, "CLARIFICATION_REQUESTED");
    reviewer.refused_for("approveOrder", of(&order), &[("ILLEGAL_TRANSITION", "R2.6")]).await;

    let answer = |sku: &str| json!({ "orderId": order, "answer": "The floor lamp, please.", "lines": [{ "lineId": line_id, "sku": sku }] });
    let unknown = customer.refused("answerClarification", answer("LAMP-0")).await;
    assert_eq!((unknown[0].code.as_str(), unknown[0].path.as_str()), ("UNKNOWN_SKU", "lines.0.sku"));
    customer.does("answerClarification", answer("LAMP-2")).await;
    let found = world.order(&order, CHECKS).await;
    assert_eq!(check(&found, "REQUIREMENT_CLARITY"), is("PASS", "R2.3"));
    assert_eq!(
        found["review"]["clarifications"],
        json!([{
            "question": "Which lamps would you like?", "answer": "The floor lamp, please.",
            "askedBy": { "subject": "rita.reviewer" }, "answeredBy": { "subject": "customer.c-1001" },
        }])
    );
    let lines = world
        .order(&order, "total { amount } lines { sku description specification unitPrice { amount } total { amount } }")
        .await;
    let specified = json!({
        "sku": "LAMP-2", "description": "Floor lamp", "specification": "warm white",
        "unitPrice": { "amount": "429" }, "total": { "amount": "5148" },
    });
    assert_eq!(lines, json!({ "total": { "amount": "5148" }, "lines": [specified] }));
    reviewer.does("approveOrder", of(&order)).await;
    assert_eq!(world.status(&order).await, "APPROVED");
    // Whoever placed the order is shown the question, but not who asked it.
    let seen = customer
        .data(
            "query($id: ID!) { order(by: { id: $id }) { review { status } clarifications { question askedBy { name } answeredBy { subject } } } }",
            json!({ "id": order }),
        )
        .await;
    assert_eq!(
        seen["order"]["clarifications"],
        json!([{ "question": "Which lamps would you like?", "askedBy": null, "answeredBy": { "subject": "customer.c-1001" } }])
    );
    assert_eq!(seen["order"]["review"], Value::Null);
});

on_both_databases!(the_law_is_not_waived, |world| async move {
    // A class 4 laser for a retail customer; the same for a wholesaler is fine.
    let mut retail = submission(&[line("LASER-4", "1")]);
    retail["customerNumber"] = json!("C-1002");
    let order = order_id(&world.actor(Role::Sales).does("submitOrder", retail).await);
    let finance = world.actor(Role::FinanceApprover);
    finance.does("startReview", of(&order)).await;
    assert_eq!(check(&world.order(&order, CHECKS).await, "LEGALITY"), is("FAIL", "R2.4"));
    finance.refused_for("approveOrder", of(&order), &[("CHECK_FAILED", "R2.4")]).await;
    let waiver = json!({ "orderId": order, "waivers": [{ "check": "LEGALITY", "reason": "A good customer." }] });
    finance.refused_for("approveOrder", waiver, &[("CHECK_FAILED", "R2.4"), ("CHECK_NOT_WAIVABLE", "R2.4")]).await;
    finance.refused_for("rejectOrder", json!({ "orderId": order, "reason": " " }), &[("REQUIRED", "R1.4")]).await;
    let reason = json!({ "orderId": order, "reason": "Not sold to retail customers." });
    finance.does("rejectOrder", reason.clone()).await;
    let found = world.order(&order, CHECKS).await;
    assert_eq!(found["status"], "REJECTED");
    assert_eq!(
        found["review"]["decision"],
        json!({ "approved": false, "reason": "Not sold to retail customers.",
                "decidedBy": { "subject": "fiona.finance" }, "waivers": [] })
    );
    finance.refused_for("rejectOrder", reason, &[("ILLEGAL_TRANSITION", "R2.6")]).await;
    world.approved(&[line("LASER-4", "1")]).await;
});

on_both_databases!(amounts_take_those_who_may_and_limits_a_decision, |world| async move {
    // 50 000.00 is the last amount a reviewer approves; one fen more takes finance.
    let priced = |price: &str| json!({ "sku": "LAMP-1", "quantity": "1", "unitPrice": price });
    let reviewer = world.actor(Role::Reviewer);
    let within_band = world.under_review(&[priced("50000")]).await;
    reviewer.does("approveOrder", of(&within_band)).await;
    let above = world.under_review(&[priced("50000.01"), line("CABLE-5", "1")]).await;
    reviewer.refused_for("approveOrder", of(&above), &[("APPROVAL_LEVEL_TOO_LOW", "R2.5")]).await;
    world.actor(Role::FinanceApprover).does("approveOrder", of(&above)).await;

    // C-1004 is good for 20 000; more takes a waiver with a reason.
    let mut input = submission(&[priced("20000.01")]);
    input["customerNumber"] = json!("C-1004");
    let order = order_id(&world.actor(Role::Sales).does("submitOrder", input).await);
    reviewer.does("startReview", of(&order)).await;
    let found = world.order(&order, CHECKS).await;
    assert_eq!(check(&found, "FINANCE_LIMIT"), is("NEEDS_HUMAN", "R2.5"));
    reviewer.refused_for("approveOrder", of(&order), &[("CHECK_NEEDS_DECISION", "R2.5")]).await;
    let waive =
        |check: &str, reason: &str| json!({ "orderId": order, "waivers": [{ "check": check, "reason": reason }] });
    reviewer
        .refused_for("approveOrder", waive("DUPLICATE_SUSPECT", "Not this one."), &[("CHECK_NEEDS_DECISION", "R2.5")])
        .await;
    let blank = reviewer.refused("approveOrder", waive("FINANCE_LIMIT", " ")).await;
    assert_eq!((blank[0].code.as_str(), blank[0].path.as_str()), ("REQUIRED", "waivers.0.reason"));
    reviewer.does("approveOrder", waive("FINANCE_LIMIT", "Paid in advance.")).await;
    let found = world.order(&order, CHECKS).await;
    assert_eq!(
        found["review"]["decision"]["waivers"],
        json!([{ "check": "FINANCE_LIMIT", "reason": "Paid in advance." }])
    );
});

on_both_databases!(the_same_lines_again_are_suspected, |world| async move {
    world.submitted(&[line("LAMP-1", "3")]).await;
    let again = world.under_review(&[line("LAMP-1", "3.0")]).await;
    let found = world.order(&again, CHECKS).await;
    assert_eq!(check(&found, "DUPLICATE_SUSPECT"), is("NEEDS_HUMAN", "R1.3"));
    let reviewer = world.actor(Role::Reviewer);
    reviewer.refused_for("approveOrder", of(&again), &[("CHECK_NEEDS_DECISION", "R1.3")]).await;
    world.approve(&again).await;
    let other = world.under_review(&[line("LAMP-1", "4")]).await;
    assert_eq!(check(&world.order(&other, CHECKS).await, "DUPLICATE_SUSPECT"), is("PASS", "R1.3"));
});

on_both_databases!(whoever_submits_does_not_review, |world| async move {
    let mut both = world.actor(Role::Reviewer).identity;
    both.roles.push("SALES".to_owned());
    let both = world.bearer(both);
    let order = order_id(&both.does("submitOrder", submission(&[line("LAMP-1", "1")])).await);
    both.refused_for("startReview", of(&order), &[("SEPARATION_OF_DUTIES", "R2.1")]).await;
    world.actor(Role::FinanceApprover).does("startReview", of(&order)).await;
    both.refused_for("approveOrder", of(&order), &[("SEPARATION_OF_DUTIES", "R2.1")]).await;
    let reason = json!({ "orderId": order, "reason": "On second thought." });
    both.refused_for("rejectOrder", reason, &[("SEPARATION_OF_DUTIES", "R2.1")]).await;
});

on_both_databases!(contact_data_is_complete_or_the_order_waits, |world| async move {
    let mut input = submission(&[line("LAMP-1", "1")]);
    input["contact"] = json!({ "companyName": " ", "contactName": "Gao Min" });
    let order = order_id(&world.actor(Role::Sales).does("submitOrder", input).await);
    let reviewer = world.actor(Role::Reviewer);
    reviewer.refused_for("approveOrder", of(&order), &[("ILLEGAL_TRANSITION", "R2.6")]).await;
    reviewer.does("startReview", of(&order)).await;
    assert_eq!(check(&world.order(&order, CHECKS).await, "CUSTOMER_INFO"), is("FAIL", "R2.2"));
    reviewer.refused_for("approveOrder", of(&order), &[("CHECK_FAILED", "R2.2")]).await;
    let allocate = world.actor(Role::Dispatcher);
    allocate.refused_for("allocateOrder", of(&order), &[("ILLEGAL_TRANSITION", "R3.1")]).await;
});
