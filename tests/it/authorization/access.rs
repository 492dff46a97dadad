//! Access is taken away and given back: what counts then, who decides, and what is kept of it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use ordergraph::domain::permission::Action;
use serde_json::{Value, json};

use super::roles::{QUERIES, SUBSCRIPTIONS, input, unknown};
use crate::support::actor::text;
use crate::support::story::{line, order_id, own_submission, submission};
use crate::support::{Actor, World, on_both_databases};

const VIEWER: &str = "{ viewer { roles scope } }";
const LIST: &str = "query($filter: AccessRestrictionFilter, $first: Int, $after: String) {
  accessRestrictions(filter: $filter, first: $first, after: $after) {
    totalCount nodes { id subject role status } pageInfo { hasNextPage endCursor } } }";

fn holder(world: &Arc<World>, subject: &str, unit: &str, roles: &[Role]) -> Actor {
    world.bearer(Identity {
        subject: subject.to_owned(),
        roles: roles.iter().map(|role| role.code().to_owned()).collect(),
        unit: Some(unit.to_owned()),
        ..Identity::default()
    })
}

/// Takes access away as the group's administrator. Gives the restriction.
pub async fn revoke(world: &Arc<World>, subject: &str, role: Option<Role>) -> Value {
    let input = json!({ "subject": subject, "role": role.map(Role::code), "reason": "Left the company." });
    world.actor(Role::Admin).does("revokeAccess", input).await["restriction"].clone()
}

fn restore(restriction: &Value) -> Value {
    json!({ "restrictionId": restriction["id"], "expectedVersion": restriction["version"], "reason": "Back again." })
}

async fn viewer(actor: &Actor) -> Value {
    actor.data(VIEWER, json!({})).await["viewer"].clone()
}

on_both_databases!(a_role_that_was_taken_away_does_not_count, |world| async move {
    let both = holder(&world, "dora.double", "AUR", &[Role::Sales, Role::Dispatcher]);
    assert_eq!(viewer(&both).await, json!({ "roles": ["SALES", "DISPATCHER"], "scope": "ALL" }));
    let order = order_id(&both.does("submitOrder", submission(&[line("LAMP-1", "1")])).await);
    let hold = json!({ "orderId": order, "reason": "To see whether it is possible." });
    both.does("placeHold", hold.clone()).await;

    let restriction = revoke(&world, "dora.double", Some(Role::Dispatcher)).await;
    let expected = json!({
        "id": restriction["id"], "version": 1, "status": "IN_FORCE", "subject": "dora.double", "role": "DISPATCHER",
        "reason": "Left the company.", "liftReason": null,
    });
    assert_eq!(restriction, expected);
    assert_eq!(viewer(&both).await, json!({ "roles": ["SALES"], "scope": "ALL" }));
    assert_eq!(both.fails("placeHold", hold.clone()).await, "FORBIDDEN");
    both.does("submitOrder", submission(&[line("LAMP-1", "1")])).await;
    // Nobody else is concerned, with the same role or a subject that looks alike.
    world.actor(Role::Dispatcher).does("placeHold", hold.clone()).await;
    let alike = holder(&world, "dora.doubl", "AUR", &[Role::Dispatcher]);
    assert_eq!(viewer(&alike).await["roles"], json!(["DISPATCHER"]));

    let lifted = world.actor(Role::Admin).does("restoreAccess", restore(&restriction)).await["restriction"].clone();
    let expected = json!({
        "id": restriction["id"], "version": 2, "status": "LIFTED", "subject": "dora.double", "role": "DISPATCHER",
        "reason": "Left the company.", "liftReason": "Back again.",
    });
    assert_eq!(lifted, expected);
    assert_eq!(viewer(&both).await["roles"], json!(["SALES", "DISPATCHER"]));
    both.does("placeHold", hold).await;
});

on_both_databases!(without_any_access_a_token_is_one_without_roles, |world| async move {
    let leaver = holder(&world, "lea.leaver", "AUR", &[Role::Supervisor, Role::Admin, Role::Sales]);
    let follow = "subscription { orderEvents(after: \"none\") { cursor } }";
    let all = revoke(&world, "lea.leaver", None).await;
    assert_eq!(all["role"], Value::Null);
    let before = world.state().await;
    let variables = json!({ "order": unknown::<ordergraph::domain::ids::OrderId>() });
    for (field, document) in QUERIES {
        let needed = if document.contains("$order") { variables.clone() } else { json!({}) };
        assert_eq!(leaver.query(document, needed).await.code(), "FORBIDDEN", "{field}");
    }
    for action in Action::ALL {
        assert_eq!(leaver.act(&action.field_name(), input(*action)).await.code(), "FORBIDDEN", "{action}");
    }
    for (field, document) in SUBSCRIPTIONS {
        let needed = if document.contains("$order") { variables.clone() } else { json!({}) };
        let answer = leaver.subscribe(document, needed).await.answer().await;
        assert_eq!(answer[0]["extensions"]["code"], "FORBIDDEN", "{field}: {answer}");
    }
    assert_eq!(before, world.state().await, "none of it left a trace");
    // One role may be taken away besides; then giving all back leaves that one out.
    revoke(&world, "lea.leaver", Some(Role::Admin)).await;
    assert_eq!(leaver.query(VIEWER, json!({})).await.code(), "FORBIDDEN");
    world.actor(Role::Admin).does("restoreAccess", restore(&all)).await;
    assert_eq!(viewer(&leaver).await, json!({ "roles": ["SUPERVISOR", "SALES"], "scope": "ALL" }));
    let answer = leaver.subscribe(follow, json!({})).await.answer().await;
    assert_eq!(answer[0]["extensions"]["code"], "CURSOR_INVALID", "{answer}");
});

on_both_databases!(losing_a_role_never_widens_what_one_sees, |world| async move {
    let others = order_id(&world.actor(Role::Sales).does("submitOrder", submission(&[line("LAMP-1", "1")])).await);
    let identity = Identity {
        subject: "cora.both".to_owned(),
        roles: vec!["CUSTOMER".to_owned(), "SALES".to_owned()],
        unit: Some("AUR".to_owned()),
        customer: Some("C-1001".to_owned()),
        ..Identity::default()
    };
    let both = world.bearer(identity);
    let own = order_id(&both.does("submitOrder", own_submission(&[line("LAMP-1", "1")])).await);
    revoke(&world, "cora.both", Some(Role::Customer)).await;
    assert_eq!(viewer(&both).await, json!({ "roles": ["SALES"], "scope": "CUSTOMER" }));
    let seen = "query($ids: [ID!]!) { nodes(ids: $ids) { id } orders(first: 5) { totalCount } }";
    let found = both.data(seen, json!({ "ids": [own, others] })).await;
    assert_eq!(found, json!({ "nodes": [{ "id": own }, null], "orders": { "totalCount": 1 } }));
});

on_both_databases!(who_may_not_decide_about_access_is_refused, |world| async move {
    let admin = world.actor(Role::Admin);
    let of = |subject: &str| json!({ "subject": subject, "reason": "Left the company." });
    let own = [("SEPARATION_OF_DUTIES", "R13.1")];
    admin.refused_for("revokeAccess", of("ada.admin"), &own).await;
    let mut one = of("ada.admin");
    one["role"] = json!("ADMIN");
    admin.refused_for("revokeAccess", one, &own).await;

    let north = holder(&world, "nora.admin", "AUR-N", &[Role::Admin]);
    let elsewhere = [("ROLE_NOT_PERMITTED", "R13.1")];
    north.refused_for("revokeAccess", of("lea.leaver"), &elsewhere).await;
    // All reasons at once, each where it lies.
    let faults = json!({ "subject": "nora.admin", "reason": " \t" });
    let found = north.refused("revokeAccess", faults).await;
    let found: Vec<_> = found.iter().map(|one| (one.code.as_str(), one.path.as_str())).collect();
    assert_eq!(found, [("ROLE_NOT_PERMITTED", ""), ("SEPARATION_OF_DUTIES", ""), ("REQUIRED", "reason")]);
    let long = json!({ "subject": "s".repeat(256), "reason": "r".repeat(4_001) });
    admin.refused_for("revokeAccess", long, &[("TOO_LONG", "R1.4"), ("TOO_LONG", "R1.4")]).await;
    assert_eq!(admin.fails("revokeAccess", of("lea\u{1b}leaver")).await, "BAD_USER_INPUT");
    for role in Role::ALL.iter().filter(|role| **role != Role::Admin) {
        assert_eq!(world.actor(*role).fails("revokeAccess", of("lea.leaver")).await, "FORBIDDEN", "{role}");
    }

    let restriction = revoke(&world, "lea.leaver", Some(Role::Sales)).await;
    let again = json!({ "subject": "lea.leaver", "role": "SALES", "reason": "Once more." });
    admin.refused_for("revokeAccess", again, &[("ACCESS_ALREADY_REVOKED", "R13.1")]).await;
    // A unit's administrator does not even learn that there is one.
    assert_eq!(north.fails("restoreAccess", restore(&restriction)).await, "NOT_FOUND");
    assert_eq!(world.actor(Role::Supervisor).fails("restoreAccess", restore(&restriction)).await, "FORBIDDEN");
    let mut stale = restore(&restriction);
    stale["expectedVersion"] = json!(2);
    assert_eq!(admin.fails("restoreAccess", stale).await, "VERSION_CONFLICT");
    let mut blank = restore(&restriction);
    blank["reason"] = json!("");
    admin.refused_for("restoreAccess", blank, &[("REQUIRED", "R1.4")]).await;
    // Who lost one role but still administers does not take it back.
    let lea = holder(&world, "lea.leaver", "AUR", &[Role::Sales, Role::Admin]);
    lea.refused_for("restoreAccess", restore(&restriction), &own).await;
    admin.does("restoreAccess", restore(&restriction)).await;
    let mut twice = restore(&restriction);
    twice["expectedVersion"] = Value::Null;
    admin.refused_for("restoreAccess", twice, &[("ILLEGAL_TRANSITION", "R13.1")]).await;
});

on_both_databases!(the_same_access_is_taken_away_once, |world| async move {
    let admin = world.actor(Role::Admin);
    for role in [Value::Null, json!("SALES")] {
        let input = json!({ "subject": "lea.leaver", "role": role, "reason": "Left the company." });
        let answers = join_all((0..6).map(|_| admin.act("revokeAccess", input.clone()))).await;
        let payloads: Vec<&Value> = answers.iter().map(|answer| &answer.data()["revokeAccess"]).collect();
        let done = payloads.iter().filter(|payload| payload["userErrors"] == json!([])).count();
        let refused = payloads.iter().filter(|one| one["userErrors"][0]["code"] == "ACCESS_ALREADY_REVOKED").count();
        assert_eq!((done, refused), (1, 5), "{payloads:?}");
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM access_restriction").await, 2);
    // The same key has one effect; what was given back can be taken away anew.
    let keyed = json!({ "subject": "max.mover", "reason": "Moves.", "idempotencyKey": "move" });
    let first = admin.does("revokeAccess", keyed.clone()).await;
    assert_eq!(admin.does("revokeAccess", keyed).await, first);
    admin.does("restoreAccess", restore(&first["restriction"])).await;
    let second = revoke(&world, "max.mover", None).await;
    assert_ne!(second["id"], first["restriction"]["id"]);
    assert_eq!(world.number("SELECT COUNT(*) FROM access_restriction").await, 4);
});

on_both_databases!(restrictions_are_seen_by_those_who_answer_for_access, |world| async move {
    let (admin, supervisor) = (world.actor(Role::Admin), world.actor(Role::Supervisor));
    let sales = revoke(&world, "lea.leaver", Some(Role::Sales)).await;
    let all = revoke(&world, "lea.leaver", None).await;
    let mover = revoke(&world, "max.mover", None).await;
    admin.does("restoreAccess", restore(&all)).await;
    let ids = |found: &Value| {
        let nodes = found["accessRestrictions"]["nodes"].as_array().cloned().unwrap_or_default();
        (
            found["accessRestrictions"]["totalCount"].clone(),
            nodes.iter().map(|one| text(&one["id"])).collect::<Vec<_>>(),
        )
    };
    let id = |one: &Value| text(&one["id"]);
    for reader in [&admin, &supervisor] {
        for (filter, expected) in [
            (json!({}), vec![id(&mover), id(&all), id(&sales)]),
            (json!({ "subject": "lea.leaver" }), vec![id(&all), id(&sales)]),
            (json!({ "inForce": true }), vec![id(&mover), id(&sales)]),
            (json!({ "subject": "lea.leaver", "inForce": false }), vec![id(&all)]),
            (json!({ "subject": "nobody" }), vec![]),
        ] {
            let found = reader.data(LIST, json!({ "filter": filter })).await;
            assert_eq!(ids(&found), (json!(expected.len()), expected), "{filter}");
        }
        let page = reader.data(LIST, json!({ "first": 2 })).await;
        assert_eq!(page["accessRestrictions"]["pageInfo"]["hasNextPage"], true);
        let after = &page["accessRestrictions"]["pageInfo"]["endCursor"];
        let rest = reader.data(LIST, json!({ "first": 2, "after": after })).await;
        assert_eq!(ids(&rest), (json!(3), vec![id(&sales)]));
    }
    let node = "query($id: ID!) { node(id: $id) { ... on AccessRestriction {
      person { name } restrictedBy { subject name } liftedBy { subject } restrictedAt liftedAt
      availableActions { action allowed blockedBy { code clause } } } } }";
    let found = admin.data(node, json!({ "id": all["id"] })).await["node"].clone();
    assert_eq!(found["person"], json!({ "name": "lea.leaver" }));
    assert_eq!(found["restrictedBy"], json!({ "subject": "ada.admin", "name": "Ada An" }));
    assert_eq!(found["liftedBy"], json!({ "subject": "ada.admin" }));
    assert!(text(&found["restrictedAt"]) <= text(&found["liftedAt"]));
    let action = |allowed: bool, blocked: Value| json!([{ "action": "RESTORE_ACCESS", "allowed": allowed, "blockedBy": blocked }]);
    let over = json!([{ "code": "ILLEGAL_TRANSITION", "clause": "R13.1" }]);
    assert_eq!(found["availableActions"], action(false, over));
    let own = json!([{ "code": "SEPARATION_OF_DUTIES", "clause": "R13.1" }]);
    let max = holder(&world, "lea.leaver", "AUR", &[Role::Sales, Role::Admin]);
    for (reader, expected) in [(&admin, action(true, json!([]))), (&max, action(false, own)), (&supervisor, json!([]))]
    {
        let found = reader.data(node, json!({ "id": sales["id"] })).await;
        assert_eq!(found["node"]["availableActions"], expected, "{}", reader.identity.subject);
    }
    // Below the head unit there are none, and for other roles neither.
    let below = holder(&world, "nora.north", "AUR-N", &[Role::Admin, Role::Supervisor]);
    assert_eq!(ids(&below.data(LIST, json!({})).await), (json!(0), vec![]));
    for reader in [below, world.actor(Role::Sales), world.customer("C-1001")] {
        assert_eq!(reader.data(node, json!({ "id": sales["id"] })).await["node"], Value::Null);
    }
});

on_both_databases!(every_change_of_access_is_in_the_log, |world| async move {
    let restriction = revoke(&world, "lea.leaver", Some(Role::Sales)).await;
    world.actor(Role::Admin).does("restoreAccess", restore(&restriction)).await;
    let document = "{ events(first: 10, filter: { aggregateKinds: [ACCESS_RESTRICTION] }) { events {
      kind action sequence aggregateId note actor { subject } order { id } unit { id } changes { field value } } } }";
    let supervisor = world.actor(Role::Supervisor);
    let mut events = Vec::new();
    // On PostgreSQL events get their places a moment after the commit.
    for _ in 0..100 {
        let found = supervisor.data(document, json!({})).await;
        events = found["events"]["events"].as_array().cloned().expect("events");
        if events.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told: Vec<Value> = events
        .iter()
        .map(|one| {
            let changes = one["changes"].as_array().expect("changes");
            let fields: Vec<&Value> = changes.iter().map(|change| &change["field"]).collect();
            json!([one["kind"], one["action"], one["sequence"], one["note"], one["actor"]["subject"], fields])
        })
        .collect();
    let born = ["id", "reason", "restricted_at", "restricted_by", "role", "status", "subject", "version"];
    let lifted = ["lift_reason", "lifted_at", "lifted_by", "status", "version"];
    let expected = [
        json!(["ACCESS_REVOKED", "REVOKE_ACCESS", 1, "Left the company.", "ada.admin", born]),
        json!(["ACCESS_RESTORED", "RESTORE_ACCESS", 2, "Back again.", "ada.admin", lifted]),
    ];
    assert_eq!(told, expected);
    for event in &events {
        assert_eq!(event["aggregateId"], restriction["id"]);
        assert_eq!((&event["order"], &event["unit"]), (&Value::Null, &Value::Null));
    }
    // Within the group they are known to those who see everything, outside to nobody.
    let partner = world.actor(Role::Partner);
    for reader in [world.customer("C-1001"), partner, holder(&world, "nora.north", "AUR-N", &[Role::Supervisor])] {
        let found = reader.data(document, json!({})).await;
        assert_eq!(found["events"]["events"], json!([]), "{}", reader.identity.subject);
    }
});

on_both_databases!(verify_finds_access_that_was_changed_by_hand, |world| async move {
    revoke(&world, "lea.leaver", None).await;
    assert_eq!(world.violations().await, Vec::<String>::new());
    // The database refuses what must never be.
    use sea_orm::ConnectionTrait;
    for impossible in [
        "UPDATE access_restriction SET restricted_by = subject",
        "UPDATE access_restriction SET status = 'LIFTED'",
        "UPDATE access_restriction SET lift_reason = 'x'",
        "UPDATE access_restriction SET status = 'GONE'",
    ] {
        assert!(world.db.execute_unprepared(impossible).await.is_err(), "{impossible}");
    }
    assert_eq!(world.tamper("UPDATE access_restriction SET role = 'SALES'").await, 1);
    let found = world.violations().await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("STATE_EQUALS_FOLD ACCESS_RESTRICTION "), "{found:?}");
    assert_eq!(world.tamper("UPDATE access_restriction SET role = NULL").await, 1);
});
