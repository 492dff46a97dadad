//! Group 7: what many ask for is executed once.

use std::time::Duration;

use ordergraph::domain::actor::Role;
use ordergraph::feed::FeedSettings;
use serde_json::{Value, json};

use super::{Verdict, is_caught};
use crate::support::crowd::{Crowd, Line, Wish};
use crate::support::load::work;
use crate::support::node::{Making, Node, Site};
use crate::support::{Kind, log};

const EVENTS: usize = 10;
const SUBSCRIBERS: usize = 1_000;
const PER_SOCKET: usize = 50;

/// Three documents that ask for different things.
const DOCUMENTS: [&str; 3] = [
    "subscription($after: String) { orderEvents(after: $after) { cursor event { id } } }",
    "subscription($after: String) { orderEvents(after: $after) { event { id kind } order { number status } } }",
    "subscription($after: String) { orderEvents(after: $after) { event { id } order { number total { amount } } } }",
];

/// A thousand subscribers of three documents and two visibility classes, and ten events.
async fn counted(feed: FeedSettings) -> Verdict {
    let site = Site::new(Kind::Postgres).await;
    let node = Node::start(Making { feed, ..site.making() }, &site.key).await;
    let nodes = [node.address];
    let order = site.orders(&nodes, 1).await.remove(0);
    let start = site.log().await?.len();
    let mut lines = Vec::new();
    for role in [Role::Supervisor, Role::Sales] {
        let after = site.client(role).cursor(&nodes).await;
        let wishes: Vec<Wish> = (0..SUBSCRIBERS / 2)
            .map(|index| Wish {
                document: DOCUMENTS[index % DOCUMENTS.len()].to_owned(),
                variables: json!({ "after": after }),
            })
            .collect();
        let token = site.token(role);
        lines.extend(wishes.chunks(PER_SOCKET).map(|wishes| Line { token: token.clone(), wishes: wishes.to_vec() }));
    }
    let crowd = Crowd::enter(node.address, lines).await;
    let groups = if node.app.feed().settings().sharing { 6 } else { SUBSCRIBERS as i64 };
    node.until_open((groups, SUBSCRIBERS as i64)).await?;
    let (before, matched) = (node.count(|stats| &stats.executions), node.count(|stats| &stats.matches));
    work(&site.client(Role::Dispatcher), &nodes, &order, EVENTS).await;
    crowd.until((SUBSCRIBERS * EVENTS) as u64, Duration::from_secs(60)).await?;
    let executions = node.count(|stats| &stats.executions) - before;
    let matches = node.count(|stats| &stats.matches) - matched;
    let expected = log::part(&site.log().await?[start..], 0, log::of_orders);
    for heard in crowd.heard() {
        for events in &heard.events {
            log::same(events, &expected)?;
        }
    }
    drop(crowd);
    node.until_open((0, 0)).await?;
    node.end().await;
    site.end().await;
    let wanted = (DOCUMENTS.len() * 2 * EVENTS) as u64;
    if executions == wanted && matches == wanted {
        Ok(())
    } else {
        Err(format!("{executions} executions of {matches} matches instead of {wanted}"))
    }
}

/// Six groups, ten events: sixty executions for ten thousand messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn execution_count() {
    counted(FeedSettings::default()).await.unwrap_or_else(|found| panic!("{found}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn execution_count_fails_without_sharing() {
    is_caught("no sharing", counted(FeedSettings { sharing: false, ..FeedSettings::default() }).await);
}

/// What means the same shares a group however it is spelled; what differs does not.
async fn spelled(feed: FeedSettings) -> Verdict {
    let site = Site::new(Kind::Sqlite).await;
    let node = Node::start(Making { feed, ..site.making() }, &site.key).await;
    let after = site.client(Role::Supervisor).cursor(&[node.address]).await;
    let wish = |document: &str, variables: Value| Wish { document: document.to_owned(), variables };
    let after = &after;
    let same = [
        wish(
            "subscription A($after: String, $kinds: [EventKind!]) { orderEvents(after: $after, filter: { kinds: $kinds }) { cursor ...E ...O } } \
             fragment E on OrderEvent { event { id kind } } fragment O on OrderEvent { order { number } }",
            json!({ "after": after, "kinds": ["ORDER_SUBMITTED", "ORDER_APPROVED"] }),
        ),
        // White space, commas, a comment; fragments and variables the other way round.
        wish(
            "# The same.\nfragment O on OrderEvent { order { number } }\n fragment E on OrderEvent { event { id, kind } }\n\
             subscription A(\n  $kinds: [EventKind!], $after: String\n) {\n  orderEvents(filter: {kinds: $kinds}, after: $after) {\n    cursor\n    ...E\n    ...O\n  }\n}",
            json!({ "kinds": ["ORDER_SUBMITTED", "ORDER_APPROVED"], "after": after }),
        ),
        // Beginning elsewhere, or now.
        wish(
            "subscription A($kinds: [EventKind!]) { orderEvents(filter: { kinds: $kinds }) { cursor ...E ...O } } \
             fragment E on OrderEvent { event { id kind } } fragment O on OrderEvent { order { number } }",
            json!({ "kinds": ["ORDER_SUBMITTED", "ORDER_APPROVED"] }),
        ),
    ];
    let others = [
        // Another value, another field, another name in the answer.
        wish(
            "subscription A($after: String, $kinds: [EventKind!]) { orderEvents(after: $after, filter: { kinds: $kinds }) { cursor ...E ...O } } \
             fragment E on OrderEvent { event { id kind } } fragment O on OrderEvent { order { number } }",
            json!({ "after": after, "kinds": ["ORDER_SUBMITTED"] }),
        ),
        wish("subscription { orderEvents(filter: { kinds: [ORDER_APPROVED] }) { event { id } } }", json!({})),
        wish("subscription { orderEvents(filter: { kinds: [ORDER_REJECTED] }) { event { id } } }", json!({})),
        wish("subscription { orderEvents { event { id } } }", json!({})),
        wish("subscription { orderEvents { e: event { id } } }", json!({})),
        wish("subscription { all: orderEvents { event { id } } }", json!({})),
    ];
    let token = site.token(Role::Supervisor);
    let line = |wishes: &[Wish]| Line { token: token.clone(), wishes: wishes.to_vec() };
    let alike = Crowd::enter(node.address, vec![line(&same), line(&same)]).await;
    let all = async {
        while node.open().1 < 6 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.map_err(|_| format!("{:?} are open", node.open()))?;
    let (groups, _) = node.open();
    if groups != 1 {
        return Err(format!("{groups} groups for six spellings of one document"));
    }
    let different = Crowd::enter(node.address, vec![line(&others)]).await;
    node.until_open((1 + others.len() as i64, 6 + others.len() as i64)).await?;
    drop((alike, different));
    node.until_open((0, 0)).await?;
    node.end().await;
    site.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spelling() {
    spelled(FeedSettings::default()).await.unwrap_or_else(|found| panic!("{found}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spelling_fails_without_sharing() {
    is_caught("no sharing", spelled(FeedSettings { sharing: false, ..FeedSettings::default() }).await);
}
