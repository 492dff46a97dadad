//! The rules a review goes by (R2.2, R2.3, R2.4, R2.6), as data of the rule set.

use chrono::{Duration, Utc};
use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use ordergraph::domain::intake::Channel;
use ordergraph::domain::rules::{AutomaticReview, CustomerField, RequiredData, Restriction};
use ordergraph::seed::catalogue::Catalogue;
use serde_json::{Value, json};

use crate::support::on_both_databases;
use crate::support::story::{line, of, order_id, own_submission, submission};

const LOOK: &str = "look at new orders";
const CHECKS: &str = "status ruleSetVersion review { checks { kind outcome message }
  decision { automatic approved ruleSetVersion decidedBy { subject } } owner { subject }
  approvals { level automatic valid } }";

/// A check's outcome and message.
fn check(found: &Value, kind: &str) -> (String, String) {
    let checks = found["review"]["checks"].as_array().expect("checks");
    let one = checks.iter().find(|one| one["kind"] == kind).expect("the check");
    (one["outcome"].as_str().unwrap_or_default().to_owned(), one["message"].as_str().unwrap_or_default().to_owned())
}

on_both_databases!(each_channel_asks_for_its_own_data, |world| async move {
    world
        .rules(|rules| {
            let fields = vec![CustomerField::CompanyName, CustomerField::Phone, CustomerField::PostalCode];
            rules.review.customer_data = vec![RequiredData { channel: Channel::OfflineSales, fields }];
        })
        .await;
    let mut input = submission(&[line("LAMP-1", "1")]);
    input["contact"] = json!({ "companyName": "Granite Labs", "contactName": " ", "email": "gao@granite.example" });
    let order = order_id(&world.actor(Role::Sales).does("submitOrder", input).await);
    let reviewer = world.actor(Role::Reviewer);
    reviewer.does("startReview", of(&order)).await;
    let fault = "The telephone number is missing. The postal code of the delivery address is missing.";
    assert_eq!(check(&world.order(&order, CHECKS).await, "CUSTOMER_INFO"), ("FAIL".to_owned(), fault.to_owned()));
    reviewer.refused_for("approveOrder", of(&order), &[("CHECK_FAILED", "R2.2")]).await;
    // Other channels ask for what is usual.
    let customer = world.customer("C-1001");
    let other = order_id(&customer.does("submitOrder", own_submission(&[line("LAMP-1", "1")])).await);
    reviewer.does("startReview", of(&other)).await;
    assert_eq!(check(&world.order(&other, CHECKS).await, "CUSTOMER_INFO").0, "PASS");
});

on_both_databases!(some_categories_need_a_specification, |world| async move {
    // Signs are made as they are specified.
    let customer = world.customer("C-1001");
    let payload = customer.does("submitOrder", own_submission(&[line("SIGN-X", "1"), line("LAMP-1", "1")])).await;
    let (order, lines) = (order_id(&payload), payload["order"]["lines"].clone());
    let reviewer = world.actor(Role::Reviewer);
    reviewer.does("startReview", of(&order)).await;
    let fault = "Line 1 needs a specification, as all of \"Signs\" do.";
    assert_eq!(check(&world.order(&order, CHECKS).await, "REQUIREMENT_CLARITY"), ("FAIL".to_owned(), fault.to_owned()));
    reviewer.refused_for("approveOrder", of(&order), &[("CHECK_FAILED", "R2.3")]).await;
    reviewer.does("requestClarification", json!({ "orderId": order, "question": "What is it to say?" })).await;
    let answer = |line: &Value, specification: Value| {
        let lines = json!([{ "lineId": line, "specification": specification }]);
        json!({ "orderId": order, "answer": "As follows.", "lines": lines })
    };
    // A line that needs none is not specified on the way.
    let other = customer.refused("answerClarification", answer(&lines[1]["id"], json!("red"))).await;
    assert_eq!((other[0].code.as_str(), other[0].path.as_str()), ("UNKNOWN_LINE", "lines.0.lineId"));
    customer.does("answerClarification", answer(&lines[0]["id"], json!("OPEN, in red, 40 cm"))).await;
    let found = world.order(&order, "lines { sku specification } review { checks { kind outcome message } }").await;
    assert_eq!(found["lines"][0], json!({ "sku": "SIGN-X", "specification": "OPEN, in red, 40 cm" }));
    assert_eq!(check(&found, "REQUIREMENT_CLARITY").0, "PASS");
    reviewer.does("approveOrder", of(&order)).await;
});

on_both_databases!(restrictions_know_regions_days_and_licences, |world| async move {
    // C-1003 holds the licence for class 4 lasers, C-1002 does not, and nobody may know both of it from outside.
    let sales = world.actor(Role::Sales);
    let reviewer = world.actor(Role::FinanceApprover);
    let outcome = async |number: &str, sku: &str| {
        let mut input = submission(&[line(sku, "1")]);
        input["customerNumber"] = json!(number);
        let order = order_id(&sales.does("submitOrder", input).await);
        reviewer.does("startReview", of(&order)).await;
        check(&world.order(&order, CHECKS).await, "LEGALITY")
    };
    let fault = "Line 1 may not be sold to RETAIL without the licence LASER-CLASS-4: class 4 lasers are sold to \
                 licensed businesses only.";
    assert_eq!(outcome("C-1002", "LASER-4").await, ("FAIL".to_owned(), fault.to_owned()));
    assert_eq!(outcome("C-1003", "LASER-4").await.0, "PASS");
    let licences =
        "query($text: String) { customers(first: 1, text: $text) { nodes { number licences { code validTo } } } }";
    let seen = sales.data(licences, json!({ "text": "C-1003" })).await;
    assert_eq!(seen["customers"]["nodes"][0]["licences"], json!([{ "code": "LASER-CLASS-4", "validTo": null }]));
    let own = world.customer("C-1003").data(licences, json!({ "text": null })).await;
    assert_eq!(own["customers"]["nodes"], json!([{ "number": "C-1003", "licences": null }]));

    // A catalogue brings licences for those who are known already, too; a licence that has ended lifts nothing.
    let bring = async |until: &str| {
        let catalogue = json!({
            "units": [{ "code": "AUR-CS", "name": "Customer care", "kind": "SERVICE_TEAM" }],
            "customers": [{
                "number": "C-1002", "companyName": "Harbour Hotels", "contactName": "Hui Lin", "group": "RETAIL",
                "region": "EAST", "currencyCode": "CNY",
                "licences": [{ "code": "LASER-CLASS-4", "validFrom": "2026-01-01", "validTo": until }],
            }],
            "products": [],
            "stock": [],
        });
        let catalogue: Catalogue = serde_json::from_value(catalogue).expect("a catalogue");
        catalogue.put(&world.app).await.expect("taken");
    };
    bring("2026-01-31").await;
    assert_eq!(outcome("C-1002", "LASER-4").await.0, "FAIL");
    bring("2999-12-31").await;
    assert_eq!(outcome("C-1002", "LASER-4").await.0, "PASS");

    let today = Utc::now().date_naive();
    let restriction = move |sku: &str, region: Option<&str>, from: i64, to: i64| Restriction {
        sku: Some(sku.to_owned()),
        category: None,
        customer_group: None,
        region: region.map(str::to_owned),
        valid_from: Some(today + Duration::days(from)),
        valid_to: Some(today + Duration::days(to)),
        licence: None,
        reason: "so the law says".to_owned(),
    };
    world
        .rules(move |rules| {
            rules.restrictions = vec![
                restriction("LAMP-1", Some("EAST"), -1, 0),
                restriction("LAMP-2", None, -9, -1),
                restriction("CABLE-5", None, 1, 9),
                restriction("PANEL-9", None, 0, 0),
            ];
        })
        .await;
    // C-2002 lives in the east, C-2001 in the north; yesterday's law and tomorrow's bind nobody today.
    let in_east = ("FAIL".to_owned(), "Line 1 may not be sold in EAST: so the law says.".to_owned());
    assert_eq!(outcome("C-2002", "LAMP-1").await, in_east);
    assert_eq!(outcome("C-2001", "LAMP-1").await.0, "PASS");
    assert_eq!(outcome("C-2001", "LAMP-2").await.0, "PASS");
    assert_eq!(outcome("C-2001", "CABLE-5").await.0, "PASS");
    let anybody = ("FAIL".to_owned(), "Line 1 may not be sold to anybody: so the law says.".to_owned());
    assert_eq!(outcome("C-2001", "PANEL-9").await, anybody);
});

on_both_databases!(the_clock_approves_what_needs_nobody, |world| async move {
    let customer = world.customer("C-1001");
    let mut count = 0;
    let mut submit = |skus: &[(&str, &str)]| {
        count += 1;
        let lines: Vec<Value> = skus.iter().map(|(sku, quantity)| line(sku, quantity)).collect();
        let customer = customer.clone();
        async move { order_id(&customer.does("submitOrder", own_submission(&lines)).await) }
    };
    // The demo group's rules: a shop's order of up to 1 000, ten minutes after it came in.
    let small = submit(&[("LAMP-1", "2")]).await;
    let large = submit(&[("LAMP-1", "6")]).await;
    let vague = submit(&[("SIGN-X", "1")]).await;
    let held = submit(&[("LAMP-1", "1")]).await;
    world.actor(Role::Admin).does("placeHold", json!({ "orderId": held, "reason": "An inventory." })).await;
    let ours = world.submitted(&[line("LAMP-1", "1")]).await;
    let clock = world.actor(Role::System);
    clock.refused_for("reviewAutomatically", of(&small), &[("NOT_DUE", "R2.6")]).await;
    clock.refused_for("reviewAutomatically", of(&ours), &[("NOT_DUE", "R2.6")]).await;
    assert_eq!(world.clock_does(LOOK, Duration::minutes(9)).await, 0);
    assert_eq!(world.clock_does(LOOK, Duration::minutes(11)).await, 4);
    // Each is looked at once.
    assert_eq!(world.clock_does(LOOK, Duration::minutes(12)).await, 0);
    let found = world.order(&small, CHECKS).await;
    assert_eq!(found["status"], "APPROVED");
    let decision = json!({
        "automatic": true, "approved": true, "ruleSetVersion": 1, "decidedBy": { "subject": "system" },
    });
    assert_eq!(found["review"]["decision"], decision);
    assert_eq!(found["review"]["approvals"], json!([{ "level": 1, "automatic": true, "valid": true }]));
    for waiting in [&large, &vague, &held] {
        let found = world.order(waiting, CHECKS).await;
        assert_eq!(
            (&found["status"], &found["review"]["owner"], &found["review"]["decision"]),
            (&json!("UNDER_REVIEW"), &Value::Null, &Value::Null)
        );
    }
    assert_eq!(world.status(&ours).await, "SUBMITTED");
    // It goes on like any other, and a change takes the clock's approval back, too.
    world.allocate(&small).await;
    let again = submit(&[("CABLE-5", "3")]).await;
    assert_eq!(world.clock_does(LOOK, Duration::minutes(11)).await, 1);
    let line_id = world.order(&again, "lines { id }").await["lines"][0]["id"].clone();
    let lines = json!([{ "lineId": line_id, "quantity": "4" }]);
    customer.does("amendOrder", json!({ "orderId": again, "lines": lines })).await;
    assert_eq!(world.status(&again).await, "UNDER_REVIEW");
    world.approve(&again).await;

    // Switched off, nothing is looked at.
    world.rules(|rules| rules.review.automatic = None).await;
    let later = submit(&[("CABLE-5", "1")]).await;
    assert_eq!(world.clock_does(LOOK, Duration::minutes(60)).await, 0);
    assert_eq!(world.status(&later).await, "SUBMITTED");
    // Switched on for partners, theirs are looked at.
    world
        .rules(|rules| {
            rules.review.automatic =
                Some(AutomaticReview { channels: vec![Channel::PartnerReferral], after_minutes: 0 });
        })
        .await;
    let partner = world.bearer(Identity {
        subject: "shop.test".to_owned(),
        roles: vec!["PARTNER".to_owned()],
        channel: Some("test".to_owned()),
        ..Identity::default()
    });
    let mut referral = submission(&[line("CABLE-5", "1")]);
    referral["channel"] = json!("PARTNER_REFERRAL");
    let referred = order_id(&partner.does("submitOrder", referral).await);
    assert_eq!(world.clock_does(LOOK, Duration::zero()).await, 1);
    assert_eq!(world.status(&referred).await, "APPROVED");
});
