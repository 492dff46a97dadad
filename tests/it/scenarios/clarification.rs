//! Clarification (R2.3): a thread of questions with a date, a reminder, and an end.

use chrono::{DateTime, Duration, Utc};
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::on_both_databases;
use crate::support::story::{line, of, order_id, own_submission};

const REMIND: &str = "remind of questions";
const EXPIRE: &str = "let questions expire";
const THREAD: &str = "status stage review { status answerDueAt }
  clarifications { id question answer dueAt remindedAt answeredBy { subject } }";

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().expect("a moment").parse().expect("a moment")
}

on_both_databases!(a_question_without_an_answer_is_reminded_of_and_then_ends_the_order, |world| async move {
    let customer = world.customer("C-1001");
    let order = order_id(&customer.does("submitOrder", own_submission(&[line("LAMP-1", "2")])).await);
    let reviewer = world.actor(Role::Reviewer);
    reviewer.does("startReview", of(&order)).await;
    let asked = |at: DateTime<Utc>| json!({ "orderId": order, "question": "Which bulb?", "dueAt": at.to_rfc3339() });
    let late = reviewer.refused("requestClarification", asked(Utc::now() - Duration::seconds(1))).await;
    assert_eq!((late[0].code.as_str(), late[0].path.as_str()), ("DATE_IN_PAST", "dueAt"));
    let far = reviewer.refused("requestClarification", asked(Utc::now() + Duration::days(4_000))).await;
    assert_eq!((far[0].code.as_str(), far[0].path.as_str()), ("DATE_TOO_FAR", "dueAt"));

    // Without a date of its own, the rules give it a week.
    let question = json!({ "orderId": order, "question": "Which bulb?" });
    reviewer.does("requestClarification", question).await;
    let found = world.order(&order, THREAD).await;
    let due = moment(&found["clarifications"][0]["dueAt"]);
    let days = (due - Utc::now()).num_hours();
    assert!((167..=168).contains(&days), "due in {days} hours");
    assert_eq!(moment(&found["review"]["answerDueAt"]), due);

    // Nothing is due today, whoever says so.
    assert_eq!(world.clock_does(REMIND, Duration::days(5)).await, 0);
    let clock = world.actor(Role::System);
    clock.refused_for("remindClarification", of(&order), &[("NOT_DUE", "R2.3")]).await;
    clock.refused_for("expireClarification", of(&order), &[("NOT_DUE", "R2.3")]).await;

    // A day before, whoever placed it is reminded, once; the customer is told.
    let ahead = Duration::days(6) + Duration::minutes(1);
    assert_eq!(world.clock_does(REMIND, ahead).await, 1);
    assert_eq!(world.clock_does(REMIND, ahead).await, 0);
    assert_eq!(world.clock_does(EXPIRE, ahead).await, 0);
    let told = "query($id: ID!) { order(by: { id: $id }) { clarifications { remindedAt }
        timeline(last: 1) { nodes { kind } } } }";
    let seen = customer.data(told, json!({ "id": order })).await;
    assert_eq!(seen["order"]["timeline"]["nodes"], json!([{ "kind": "ORDER_CLARIFICATION_REMINDED" }]));
    assert!(seen["order"]["clarifications"][0]["remindedAt"].is_string());

    // A hold stops other things; the customer's time runs on.
    world.actor(Role::Admin).does("placeHold", json!({ "orderId": order, "reason": "An inventory." })).await;
    let over = Duration::days(7) + Duration::minutes(1);
    assert_eq!(world.clock_does(EXPIRE, over).await, 1);
    assert_eq!(world.clock_does(EXPIRE, over).await, 0);
    let found = world.order(&order, THREAD).await;
    assert_eq!(
        (&found["status"], &found["stage"], &found["review"]["status"]),
        (&json!("EXPIRED"), &json!("ENDED"), &json!("EXPIRED"))
    );
    let answer = json!({ "orderId": order, "answer": "The warm one." });
    customer.refused_for("answerClarification", answer, &[("ILLEGAL_TRANSITION", "R2.3")]).await;
    customer
        .refused_for("cancelOrder", json!({ "orderId": order, "reason": "Late." }), &[("ILLEGAL_TRANSITION", "R4.3")])
        .await;
    // An expired order makes no other one a double.
    let again = order_id(&customer.does("submitOrder", own_submission(&[line("LAMP-1", "2")])).await);
    reviewer.does("startReview", of(&again)).await;
    reviewer.does("approveOrder", of(&again)).await;
});

on_both_databases!(a_thread_has_more_than_one_question, |world| async move {
    let customer = world.customer("C-1001");
    let order = order_id(&customer.does("submitOrder", own_submission(&[line("LAMP-1", "3")])).await);
    let (rita, fiona) = (world.actor(Role::Reviewer), world.actor(Role::FinanceApprover));
    rita.does("startReview", of(&order)).await;
    let ask = |question: &str, days: i64| {
        let due = (Utc::now() + Duration::days(days)).to_rfc3339();
        json!({ "orderId": order, "question": question, "dueAt": due })
    };
    rita.does("requestClarification", ask("Which bulb?", 2)).await;
    fiona.does("requestClarification", ask("Which shade?", 9)).await;
    let thread = world.order(&order, THREAD).await["clarifications"].clone();
    let first = thread[0]["id"].clone();
    // The later date counts: nothing expires after two days.
    assert_eq!(world.clock_does(EXPIRE, Duration::days(3)).await, 0);
    let answer =
        |question: &Value, text: &str| json!({ "orderId": order, "clarificationId": question, "answer": text });
    customer.does("answerClarification", answer(&first, "The warm one.")).await;
    assert_eq!(world.status(&order).await, "CLARIFICATION_REQUESTED");
    let twice = customer.refused("answerClarification", answer(&first, "The cold one.")).await;
    assert_eq!((twice[0].code.as_str(), twice[0].path.as_str()), ("UNKNOWN_CLARIFICATION", "clarificationId"));
    // Sales staff answers for the customer.
    let sales = world.actor(Role::Sales);
    sales.does("answerClarification", json!({ "orderId": order, "answer": "The blue one." })).await;
    let found = world.order(&order, THREAD).await;
    assert_eq!((&found["status"], &found["review"]["answerDueAt"]), (&json!("UNDER_REVIEW"), &Value::Null));
    let answers: Vec<(&Value, &Value)> = found["clarifications"]
        .as_array()
        .expect("a thread")
        .iter()
        .map(|one| (&one["answer"], &one["answeredBy"]["subject"]))
        .collect();
    assert_eq!(
        answers,
        [(&json!("The warm one."), &json!("customer.c-1001")), (&json!("The blue one."), &json!("sam.sales")),]
    );
    // What was cancelled with an open question is nobody's business any more.
    rita.does("requestClarification", ask("Which colour?", 1)).await;
    customer.does("cancelOrder", json!({ "orderId": order, "reason": "Too many questions." })).await;
    assert_eq!(world.clock_does(EXPIRE, Duration::days(2)).await, 0);
    assert_eq!(world.status(&order).await, "CANCELLED");
});
