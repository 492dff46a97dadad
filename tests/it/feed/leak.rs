//! Group 8: those who see different things are told different things, however much is shared.

use std::time::{Duration, Instant};

use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use ordergraph::feed::{Conduct, FeedSettings};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Verdict, patience, proven};
use crate::support::node::{Making, Node};
use crate::support::seed::Seed;
use crate::support::story::{line, of, own_submission};
use crate::support::watcher::{Incident, ORDER_EVENTS, Watch, Watcher};
use crate::support::wishes::Wishes;
use crate::support::{Actor, Kind, World, log, within_as};

/// Somebody with random roles, perhaps several, within the demo group.
fn anybody(seed: &mut Seed) -> Identity {
    let role = |seed: &mut Seed| Role::ALL[seed.below(Role::ALL.len())].code().to_owned();
    let mut roles = vec![role(seed)];
    if seed.percent(30) {
        roles.push(role(seed));
    }
    // The group itself, a region's units, or a single one; and both kinds of people outside.
    let units = ["AUR", "AUR-N", "AUR-S", "AUR-HQ"];
    let customers = ["C-1001", "C-1002"];
    Identity {
        subject: format!("somebody.{}", seed.below(3)),
        roles,
        unit: Some(units[seed.below(units.len())].to_owned()),
        customer: Some(customers[seed.below(customers.len())].to_owned()),
        channel: Some("shop.lumen".to_owned()),
        order: None,
    }
}

/// What a subscriber was told, without what differs from one telling to the next.
fn told(watcher: &Watcher) -> (Vec<Value>, Vec<String>) {
    let record = watcher.record();
    let results = record.received.iter().map(|received| {
        let mut payload = received.payload.clone();
        forget(&mut payload, "requestId");
        payload
    });
    let code = |incident: &Incident| match incident {
        Incident::Error(errors) => errors[0]["extensions"]["code"].as_str().unwrap_or_default().to_owned(),
        other => format!("{other:?}"),
    };
    (results.collect(), record.incidents.iter().map(code).collect())
}

fn forget(value: &mut Value, name: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(name);
            fields.values_mut().for_each(|field| forget(field, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| forget(item, name)),
        _ => {}
    }
}

/// Random people with random documents at a node that shares and at one that executes for everybody
/// alone: whatever they are told must be equal, byte for byte.
async fn shares_nothing_else(kind: Kind, conduct: Conduct) -> Verdict {
    within_as(kind, |making| Making { conduct, ..making }, |world| async move {
        let alone = FeedSettings { sharing: false, ..FeedSettings::default() };
        let alone = Node::start(Making { feed: alone, ..world.site.making() }, &world.key).await;
        let (mut seed, wishes) = (Seed::new(8), Wishes::new());
        let mut pairs = Vec::new();
        for _ in 0..4 {
            let document = wishes.order_events(&mut seed, 6, 2);
            for _ in 0..7 {
                let identity = anybody(&mut seed);
                let token = world.token(&identity, Duration::from_secs(3_600));
                let watch = |node| Watch {
                    nodes: vec![node],
                    token: token.clone(),
                    document: document.clone(),
                    variables: json!({}),
                    after: None,
                };
                let pair = (Watcher::start(watch(world.address)), Watcher::start(watch(alone.address)));
                pairs.push((identity, document.clone(), pair));
            }
        }
        tokio::time::sleep(Duration::from_millis(800)).await;
        live(&world, &pairs.iter().map(|(_, _, pair)| pair).collect::<Vec<_>>()).await;
        let (mut wrong, mut told_something) = (Vec::new(), 0);
        for (identity, document, (shared, own)) in &pairs {
            let (shared, own) = (told(shared), told(own));
            told_something += own.0.len();
            if shared != own {
                let at = shared.0.iter().zip(&own.0).position(|(one, other)| one != other);
                let parts = at.map(|at| format!("\n{}\ninstead of\n{}", shared.0[at], own.0[at]));
                wrong.push(format!(
                    "{identity:?} with {document} is told {} results instead of {}, {:?} instead of {:?}, which differ at {at:?}{}",
                    shared.0.len(), own.0.len(), shared.1, own.1, parts.unwrap_or_default()
                ));
            }
        }
        drop(pairs);
        alone.end().await;
        assert!(told_something > 100, "hardly anything was told: {told_something}");
        match wrong.first() {
            None => Ok(()),
            Some(first) => Err(format!("{} are told what others are told, the first: {first}", wrong.len())),
        }
    })
    .await
}

/// An order's life, a step at a time: everybody is told of a step before the next one is taken.
async fn live(world: &std::sync::Arc<World>, pairs: &[&(Watcher, Watcher)]) {
    let settled = || async {
        // The state that is told with an event is read a moment after it: let that pass at both nodes.
        let begun = Instant::now();
        let counts = || pairs.iter().map(|(one, other)| (one.events().len(), other.events().len()));
        loop {
            let before: Vec<_> = counts().collect();
            tokio::time::sleep(Duration::from_millis(150)).await;
            let now: Vec<_> = counts().collect();
            let is_even = now.iter().all(|(one, other)| one == other);
            if before == now && (is_even || begun.elapsed() > Duration::from_secs(2)) {
                return;
            }
        }
    };
    let customer = world.customer("C-1001");
    let payload = customer.does("submitOrder", own_submission(&[line("LAMP-1", "2")])).await;
    let order = crate::support::story::order_id(&payload);
    settled().await;
    world.actor(Role::Reviewer).does("startReview", of(&order)).await;
    settled().await;
    world.approve(&order).await;
    settled().await;
    let hold = json!({ "orderId": order, "reason": "Between you and me." });
    let held = world.actor(Role::Dispatcher).does("placeHold", hold).await;
    settled().await;
    let release = json!({ "orderId": order, "holdId": held["order"]["holds"][0]["id"] });
    world.actor(Role::Dispatcher).does("releaseHold", release).await;
    settled().await;
    let shares = world.allocate(&order).await;
    settled().await;
    for share in &shares {
        world.operator(&share.unit).does("acceptAllocation", share.input()).await;
        settled().await;
    }
}

proven!(
    /// Sharing changes nothing of what anybody is told.
    no_cross_leak: shares_nothing_else, on postgres sqlite, fails with share_across_classes
);

/// What follows an event for these people, as the log says.
async fn expected(world: &World, start: usize, sees: impl Fn(&log::Entry) -> bool) -> Result<Vec<i64>, String> {
    Ok(log::part(&world.site.log().await?[start..], 0, |entry| log::of_orders(entry) && sees(entry)))
}

async fn watches(world: &World, actor: &Actor) -> Watcher {
    let token = actor.token.clone().expect("a token");
    let watch = Watch {
        nodes: vec![world.address],
        token: token.clone(),
        document: ORDER_EVENTS.to_owned(),
        variables: json!({}),
        after: Some(crate::support::client::Client::new(token).cursor(&[world.address]).await),
    };
    Watcher::begin(watch).await
}

/// An order moves from one unit to another while operators of both watch.
async fn moved(kind: Kind, conduct: Conduct) -> Verdict {
    within_as(
        kind,
        |making| Making { conduct, ..making },
        |world| async move {
            let (order, shares) = world.accepted(&[line("LAMP-1", "5")]).await;
            let start = world.site.log().await?.len();
            let (north, south) = (world.operator("AUR-N"), world.operator("AUR-S"));
            let (old, new) = (watches(&world, &north).await, watches(&world, &south).await);
            let units = world.actor(Role::Dispatcher).data("{ units { id code } }", json!({})).await;
            let unit = |code: &str| {
                let found = units["units"].as_array().expect("units").iter().find(|one| one["code"] == code);
                found.expect("the unit")["id"].clone()
            };
            let hold = json!({ "orderId": order, "reason": "Wait a moment." });
            let held = world.actor(Role::Dispatcher).does("placeHold", hold).await;
            let release = json!({ "orderId": order, "holdId": held["order"]["holds"][0]["id"] });
            world.actor(Role::Dispatcher).does("releaseHold", release).await;
            let before = world.site.log().await?.len();
            let input =
                json!({ "allocationId": shares[0].id, "unitId": unit("AUR-S"), "reason": "A special customer." });
            let payload = world.actor(Role::Dispatcher).does("reassignAllocation", input).await;
            let moved = world.site.log().await?.len();
            let taken = json!({ "allocationId": payload["allocation"]["id"] });
            south.does("acceptAllocation", taken).await;
            world.actor(Role::Dispatcher).does("placeHold", json!({ "orderId": order, "reason": "Once more." })).await;

            let id = |code: &str| log::uuid_of(unit(code).as_str().expect("an id"));
            let (from, to): (Uuid, Uuid) = (id("AUR-N"), id("AUR-S"));
            let of_old = expected(&world, start, |entry| entry.units.contains(&from)).await?;
            let of_new = expected(&world, start, |entry| entry.units.contains(&to)).await?;
            old.receives(&of_old, patience(conduct)).await.map_err(|error| format!("the old unit: {error}"))?;
            new.receives(&of_new, patience(conduct)).await.map_err(|error| format!("the new unit: {error}"))?;
            let log = world.site.log().await?;
            let position = |event: &i64| log.iter().position(|entry| entry.event == *event).expect("of the log");
            let last = of_old.last().map(position).unwrap_or_default();
            assert!(last >= before && last < moved, "the last the old unit hears of is the move");
            let first = of_new.first().map(position).unwrap_or_default();
            assert!(first >= before && first < moved, "the first the new unit hears of is the move");
            assert!(of_new.len() > 2, "{of_new:?}");
            Ok(())
        },
    )
    .await
}

proven!(
    /// The old unit learns that the order has left it, and of nothing later.
    reallocated_order: moved, on sqlite postgres, fails with share_across_classes
);

/// Two customers with one document and the same variables.
async fn two_customers(kind: Kind, conduct: Conduct) -> Verdict {
    within_as(
        kind,
        |making| Making { conduct, ..making },
        |world| async move {
            let customers = [world.customer("C-1001"), world.customer("C-1002")];
            let start = world.site.log().await?.len();
            let mut watchers = Vec::new();
            for customer in &customers {
                watchers.push(watches(&world, customer).await);
            }
            let mut orders = Vec::new();
            for customer in &customers {
                let payload = customer.does("submitOrder", own_submission(&[line("LAMP-1", "2")])).await;
                orders.push(crate::support::story::order_id(&payload));
            }
            for order in &orders {
                world.actor(Role::Reviewer).does("startReview", of(order)).await;
                let hold = json!({ "orderId": order, "reason": "A question came up." });
                world.actor(Role::Reviewer).does("placeHold", hold).await;
            }
            for (watcher, order) in watchers.iter().zip(&orders) {
                let own = log::uuid_of(order);
                let expected = expected(&world, start, |entry| entry.public && entry.order == Some(own)).await?;
                assert!(expected.len() >= 2, "{expected:?}");
                watcher.receives(&expected, patience(conduct)).await?;
            }
            Ok(())
        },
    )
    .await
}

proven!(
    /// Neither learns of the other.
    customer_a_b: two_customers, on sqlite postgres, fails with share_across_classes
);
