//! Group 15: a cursor is worth something to whom it was given, for the log it was given for, as long
//! as the service replays what follows it.

use std::net::SocketAddr;
use std::time::Duration;

use ordergraph::domain::actor::Role;
use ordergraph::feed::{Conduct, FeedSettings};
use serde_json::{Value, json};

use super::{Verdict, patience, proven};
use crate::support::load::work;
use crate::support::node::{Making, Node, Site};
use crate::support::seed::Seed;
use crate::support::watcher::{Incident, ORDER_EVENTS, Watch, Watcher, connect, next, send};
use crate::support::{Kind, log};

/// Resumes, and gives the first thing that comes: a result, or the code of an error.
async fn resume(node: SocketAddr, token: &str, document: &str, cursor: &str) -> Result<Value, String> {
    let mut socket = connect(node, token).await.map_err(|incident| format!("{incident:?}"))?;
    let payload = json!({ "query": document, "variables": { "after": cursor } });
    send(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": payload })).await.expect("sent");
    loop {
        let message = tokio::time::timeout(Duration::from_secs(5), next(&mut socket)).await;
        let message = message.map_err(|_| "nothing".to_owned())?.map_err(|incident| format!("{incident:?}"))?;
        match message["type"].as_str().unwrap_or_default() {
            "ping" => send(&mut socket, json!({ "type": "pong" })).await.expect("sent"),
            "next" => return Ok(message["payload"].clone()),
            "error" => return Err(message["payload"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()),
            other => return Err(other.to_owned()),
        }
    }
}

/// The cursor is refused with this code, by subscriptions and by queries.
async fn is_refused(site: &Site, node: SocketAddr, role: Role, cursor: &str, code: &str) -> Verdict {
    let token = site.token(role);
    match resume(node, &token, ORDER_EVENTS, cursor).await {
        Err(found) if found == code => {}
        other => return Err(format!("{cursor:?} is answered {other:?} instead of {code}")),
    }
    let document = "query($after: String) { events(first: 1, after: $after) { events { id } } }";
    let answer = site.client(role).ask(node, document, &json!({ "after": cursor })).await?;
    let found = answer["errors"][0]["extensions"]["code"].as_str();
    if found != Some(code) {
        return Err(format!("events(after: {cursor:?}) is answered {answer} instead of {code}"));
    }
    Ok(())
}

/// The cursor is followed by an event.
async fn is_taken(site: &Site, node: SocketAddr, role: Role, cursor: &str) -> Verdict {
    let found = resume(node, &site.token(role), ORDER_EVENTS, cursor).await;
    found.map(|_| ()).map_err(|code| format!("a good cursor is refused with {code}"))
}

/// A node, and the cursors of a log of some events, oldest first.
async fn scene(kind: Kind, making: impl FnOnce(Making) -> Making) -> (Site, Node, String, Vec<String>) {
    let site = Site::new(kind).await;
    let node = Node::start(making(site.making()), &site.key).await;
    let nodes = [node.address];
    let start = site.client(Role::Supervisor).cursor(&nodes).await;
    let order = site.orders(&nodes, 1).await.remove(0);
    work(&site.client(Role::Dispatcher), &nodes, &order, 11).await;
    site.log().await.expect("a sound log");
    // A witness whose own cursors are never in doubt.
    let document = "{ events(first: 50) { events { cursor order { id } } } }";
    let answer = site.client(Role::Supervisor).data(&nodes, document, json!({})).await;
    let edges = answer["events"]["events"].as_array().expect("events");
    let mut cursors = vec![start];
    cursors.extend(
        edges
            .iter()
            .filter(|edge| !edge["order"].is_null())
            .map(|edge| edge["cursor"].as_str().expect("a cursor").to_owned()),
    );
    assert!(cursors.len() >= 12, "{answer}");
    (site, node, order, cursors)
}

async fn forged(kind: Kind, conduct: Conduct) -> Verdict {
    let (site, node, _, cursors) = scene(kind, |making| Making { conduct, ..making }).await;
    let good = &cursors[3];
    let mut seed = Seed::new(15);
    let mut forgeries: Vec<String> =
        ["", "0", "1", "-1", "MXxlfDA", "null", "%00", "🙂"].iter().map(|text| (*text).to_owned()).collect();
    forgeries.extend([format!("{good}A"), good[..good.len() - 1].to_owned(), good.repeat(50)]);
    for _ in 0..12 {
        let mut text = good.clone().into_bytes();
        // Behind the name of the epoch: that one tells of another log.
        let at = 10 + seed.below(text.len() - 10);
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        forgeries.push(String::from_utf8(text).expect("text"));
    }
    for forgery in &forgeries {
        // An empty one is none to some clients; it must not be an error of ours.
        if !forgery.is_empty() {
            is_refused(&site, node.address, Role::Supervisor, forgery, "CURSOR_INVALID").await?;
        }
    }
    is_taken(&site, node.address, Role::Supervisor, good).await?;
    node.end().await;
    site.end().await;
    Ok(())
}

async fn of_somebody_else(kind: Kind, conduct: Conduct) -> Verdict {
    let (site, node, _, cursors) = scene(kind, |making| Making { conduct, ..making }).await;
    for role in [Role::Sales, Role::Customer, Role::Partner, Role::Admin] {
        is_refused(&site, node.address, role, &cursors[3], "CURSOR_INVALID").await?;
    }
    node.end().await;
    site.end().await;
    Ok(())
}

async fn of_another_log(kind: Kind, conduct: Conduct) -> Verdict {
    let (site, node, order, cursors) = scene(kind, |making| Making { conduct, ..making }).await;
    let watcher = Watcher::begin(site.watch(&[node.address], cursors.first().cloned())).await;
    watcher.try_until(patience(conduct), |record| record.received.len() >= 11).await?;
    // What a restore does at its end.
    site.run("UPDATE meta SET value = 'restored' WHERE key = 'epoch'").await;
    let is_resync = |incident: &Incident| match incident {
        Incident::Error(errors) => errors[0]["extensions"]["code"] == "RESYNC",
        _ => false,
    };
    let told = watcher.try_until(patience(conduct), |record| record.incidents.iter().any(is_resync)).await;
    told.map_err(|error| format!("those who follow are not told: {error}"))?;
    for cursor in [&cursors[0], &cursors[6], cursors.last().expect("one")] {
        is_refused(&site, node.address, Role::Supervisor, cursor, "CURSOR_EPOCH").await?;
    }
    // New cursors are good.
    let fresh = site.client(Role::Supervisor).cursor(&[node.address]).await;
    work(&site.client(Role::Dispatcher), &[node.address], &order, 1).await;
    is_taken(&site, node.address, Role::Supervisor, &fresh).await?;
    node.end().await;
    site.end().await;
    Ok(())
}

/// A backup is restored and nobody says so: the log ends before what a client knows.
async fn ahead(kind: Kind, conduct: Conduct) -> Verdict {
    let (site, node, order, cursors) = scene(kind, |making| Making { conduct, ..making }).await;
    let last = cursors.last().expect("one").clone();
    node.end().await;
    let end = site.number("SELECT MAX(position) FROM event_log").await;
    site.run(&format!("DELETE FROM event_log WHERE position > {}", end - 4)).await;
    let node = site.node(conduct).await;
    is_refused(&site, node.address, Role::Supervisor, &last, "CURSOR_AHEAD").await?;
    let kept = &cursors[cursors.len() - 6];
    work(&site.client(Role::Dispatcher), &[node.address], &order, 1).await;
    is_taken(&site, node.address, Role::Supervisor, kept).await?;
    node.end().await;
    site.end().await;
    Ok(())
}

/// What is further back than the service replays, and what was pruned.
async fn expired(kind: Kind, conduct: Conduct) -> Verdict {
    let feed = FeedSettings { resume_events: 6, ..FeedSettings::default() };
    let (site, node, _, cursors) = scene(kind, |making| Making { conduct, feed, ..making }).await;
    let (first, eighth) = (&cursors[0], &cursors[cursors.len() - 8]);
    is_refused(&site, node.address, Role::Supervisor, first, "CURSOR_EXPIRED").await?;
    is_refused(&site, node.address, Role::Supervisor, eighth, "CURSOR_EXPIRED").await?;
    is_taken(&site, node.address, Role::Supervisor, &cursors[cursors.len() - 5]).await?;
    node.end().await;

    let oldest = site.number("SELECT MAX(position) FROM event_log").await - 8;
    site.run(&format!("DELETE FROM event_log WHERE position < {oldest}")).await;
    let node = site.node(conduct).await;
    is_refused(&site, node.address, Role::Supervisor, first, "CURSOR_EXPIRED").await?;
    // Exactly what follows the one before the oldest is there.
    let before = &cursors[cursors.len() - 10];
    is_taken(&site, node.address, Role::Supervisor, before).await?;
    is_refused(&site, node.address, Role::Supervisor, &cursors[cursors.len() - 11], "CURSOR_EXPIRED").await?;
    node.end().await;
    site.end().await;
    Ok(())
}

proven!(
    /// What nobody was given leads nowhere.
    cursor_tamper: forged, on sqlite postgres, fails with trust_any_cursor
);
proven!(
    /// What somebody else was given leads nowhere.
    cursor_other_viewer: of_somebody_else, on sqlite postgres, fails with trust_any_cursor
);
proven!(
    /// Another log has other cursors.
    cursor_epoch: of_another_log, on sqlite postgres, fails with trust_any_cursor
);
proven!(
    /// A log that lost its end says so.
    cursor_ahead: ahead, on sqlite postgres, fails with trust_any_cursor
);
proven!(
    /// What is not kept any more, or is more than is replayed, is not passed over in silence.
    cursor_expired: expired, on sqlite postgres, fails with trust_any_cursor
);

/// A cursor is not bound to a document: a frontend that asks for more after an update of itself goes
/// on where the old one was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cursor_other_document() {
    let (site, node, _, cursors) = scene(Kind::Sqlite, |making| making).await;
    let start = log::read(&site.db).await;
    let other =
        "subscription($after: String) { orderEvents(after: $after) { cursor event { id kind } order { number } } }";
    let watch = Watch { document: other.to_owned(), ..site.watch(&[node.address], Some(cursors[4].clone())) };
    let watcher = Watcher::begin(watch).await;
    let expected = log::part(&start, 0, log::of_orders);
    let expected = &expected[expected.len() - (cursors.len() - 5)..];
    watcher.receives(expected, patience(Conduct::default())).await.unwrap_or_else(|found| panic!("{found}"));
    drop(watcher);
    node.end().await;
    site.end().await;
}
