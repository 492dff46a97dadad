//! Answers that are written as text are those of the executor.

mod documents;

use std::sync::Arc;

use async_graphql::{Request, Response, Value, Variables};
use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use ordergraph::graphql::Gateway;
use ordergraph::graphql::write::ByExecutor;
use ordergraph::http::{Backend, Caller, Language, auth, json};
use ordergraph::seed;
use serde_json::json;

use crate::support::seed::Seed;
use crate::support::story::{line, of, order_id, own_submission};
use crate::support::{Kind, World, on_both_databases, within};
use documents::{Maker, Things, Types};

const DOCUMENTS: u64 = 400;

fn identity(of: &Identity) -> auth::Identity {
    auth::Identity {
        subject: of.subject.clone(),
        roles: of.roles.clone(),
        unit: of.unit.clone(),
        customer: of.customer.clone(),
        channel: of.channel.clone(),
        order: of.order.map(Into::into),
        expires_at: chrono::Utc::now() + chrono::Duration::hours(1),
    }
}

async fn ask(gateway: &Gateway, who: &Identity, document: &str, by_executor: bool) -> Response {
    let caller =
        Caller { identity: Some(Arc::new(identity(who))), request_id: "test".to_owned(), language: Language::En };
    let variables = Variables::from_json(json!({ "yes": true, "no": false }));
    let mut request = Request::new(document).variables(variables).data(caller);
    if by_executor {
        request = request.data(ByExecutor);
    }
    gateway.execute(request).await
}

/// What a client sees of an answer.
fn seen(response: &Response) -> (String, Vec<String>) {
    let mut data = String::new();
    json::value(&response.data, &mut data);
    let mut errors: Vec<String> = response
        .errors
        .iter()
        .map(|error| {
            format!(
                "{} {:?} {:?}",
                error.message,
                error.path,
                error.extensions.as_ref().map(|one| one.get("code").cloned())
            )
        })
        .collect();
    errors.sort();
    (data, errors)
}

/// The same whatever the order of its fields.
fn sorted(data: &str) -> serde_json::Value {
    serde_json::from_str(data).expect("JSON")
}

/// Was everything written, apart from the name of the root?
fn is_text(response: &Response) -> bool {
    let is_written = |value: &Value| matches!(value, Value::Binary(_) | Value::String(_));
    matches!(&response.data, Value::Object(fields) if fields.values().all(is_written))
}

/// Was anything?
fn has_text(response: &Response) -> bool {
    matches!(&response.data, Value::Object(fields) if fields.values().any(|value| matches!(value, Value::Binary(_))))
}

/// Orders in several states, with everything that can belong to one.
async fn things(world: &Arc<World>) -> Things {
    let owner = world.customer("C-1001");
    let mut orders = Vec::new();
    let mut ids = Vec::new();
    for quantity in ["2", "3"] {
        let payload = owner.does("submitOrder", own_submission(&[line("LAMP-1", quantity), line("LAMP-2", "1")])).await;
        let order = order_id(&payload);
        world.actor(Role::Reviewer).does("startReview", of(&order)).await;
        world.approve(&order).await;
        let share = world.allocate(&order).await.remove(0);
        world.operator(&share.unit).does("acceptAllocation", share.input()).await;
        ids.push(world.open_milestones(&share).await[0].0.clone());
        world.work(&share).await;
        world.pass(&share).await;
        let delivery = world.booked(&share, Some("EXPRESS")).await;
        world.arrive(&delivery).await;
        let problem =
            json!({ "orderId": order, "type": "TECHNICAL", "subject": "It \"hums\"", "description": "At night." });
        let opened = owner.does("openTicket", problem).await;
        ids.push(opened["ticket"]["id"].as_str().expect("an id").to_owned());
        ids.extend([share.id, delivery]);
        orders.push(order);
    }
    orders.push(world.submitted(&[line("LAMP-1", "5")]).await);
    orders.push(world.approved(&[line("LAMP-2", "4")]).await);
    world.actor(Role::Admin).does("placeHold", json!({ "orderId": orders[3], "reason": "Wait\n\"here\"" })).await;
    world.settled().await;
    Things { orders, ids }
}

on_both_databases! {
    /// Hundreds of documents, asked by people who see different things.
    what_is_written_is_what_the_executor_answers, |world| async move {
        let things = things(&world).await;
        let (types, gateway) = (Types::of_the_schema(), Gateway::new(&world.app));
        let mut people: Vec<Identity> = seed::PEOPLE.iter().map(|person| person.identity()).collect();
        people.push(world.customer("C-1001").identity);
        let mut seed = Seed::new(4);
        let (mut written, mut with_errors, mut refused) = (0, 0, Vec::new());
        for _ in 0..DOCUMENTS {
            let document = Maker::document(&types, &things, seed.fork());
            let who = &people[seed.below(people.len())];
            let plain = ask(&gateway, who, &document, true).await;
            let ours = ask(&gateway, who, &document, false).await;
            let (ours_seen, plain_seen) = (seen(&ours), seen(&plain));
            if document.contains("node(id") || document.contains("nodes(id") {
                // Which of several types' fragments comes first is not known afterwards.
                assert_eq!(sorted(&ours_seen.0), sorted(&plain_seen.0), "{} asks {document}", who.subject);
                assert_eq!(ours_seen.1, plain_seen.1, "{} asks {document}", who.subject);
            } else {
                assert_eq!(ours_seen, plain_seen, "{} asks {document}", who.subject);
            }
            written += u64::from(is_text(&ours));
            with_errors += u64::from(!plain.errors.is_empty());
            if plain.errors.iter().any(|error| error.path.is_empty()) {
                refused.push(format!("{}: {document}", plain.errors[0].message));
            }
            assert!(!has_text(&plain));
        }
        println!("{written} of {DOCUMENTS} written, {with_errors} with errors, {} refused", refused.len());
        assert!(refused.len() < 20, "{}: {:#?}", refused.len(), refused.first());
        assert!(written > DOCUMENTS / 2, "only {written} were written");
        assert!(with_errors > DOCUMENTS / 50, "only {with_errors} met something forbidden");
    }
}

/// The database may end connections while nobody uses them, as when it is restarted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_died_cost_no_answer() {
    within(Kind::Postgres, |world: Arc<World>| async move {
        let order = world.submitted(&[line("LAMP-1", "2")]).await;
        let supervisor = world.actor(Role::Supervisor);
        let question = "query Q($id: ID!) { order(by: { id: $id }) { number lines { sku } } }";
        let variables = json!({ "id": order });
        let before = supervisor.data(question, variables.clone()).await;
        assert_eq!(before["order"]["lines"], json!([{ "sku": "LAMP-1" }]));
        for _ in 0..3 {
            let ended = world
                .number(
                    "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'ordergraph' AND state = 'idle' \
                     AND pid <> pg_backend_pid() AND query LIKE 'WITH o AS%'",
                )
                .await;
            assert!(ended > 0, "orders are read on connections that are kept");
            assert_eq!(supervisor.data(question, variables.clone()).await, before);
        }
    })
    .await;
}
