//! Group 6: what did not happen is not told.

use ordergraph::domain::actor::Role;
use ordergraph::feed::Conduct;
use serde_json::json;

use super::{Verdict, patience, proven};
use crate::support::actor::document;
use crate::support::load::work;
use crate::support::node::Site;
use crate::support::watcher::Watcher;
use crate::support::{Kind, log};

/// Makes the commit itself fail for events with this note, after everything was written.
async fn trap(site: &Site) {
    site.run("CREATE TABLE trap_ends (id bigint PRIMARY KEY)").await;
    site.run("CREATE TABLE trap (id bigint REFERENCES trap_ends (id) DEFERRABLE INITIALLY DEFERRED)").await;
    match site.kind {
        Kind::Sqlite => {
            site.run(
                "CREATE TRIGGER springs AFTER INSERT ON event WHEN NEW.note = 'This fails.' \
                 BEGIN INSERT INTO trap (id) VALUES (NEW.id); END",
            )
            .await;
        }
        Kind::Postgres => {
            site.run(
                "CREATE FUNCTION springs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF NEW.note = 'This fails.' THEN INSERT INTO trap (id) VALUES (NEW.id); END IF; \
                 RETURN NULL; END $$",
            )
            .await;
            site.run("CREATE TRIGGER springs AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION springs()").await;
        }
    }
}

async fn commit_fails(kind: Kind, conduct: Conduct) -> Verdict {
    let site = Site::new(kind).await;
    trap(&site).await;
    let node = site.node(conduct).await;
    let nodes = [node.address];
    let orders = site.orders(&nodes, 1).await;
    let start = site.log().await?.len();
    let after = site.client(Role::Supervisor).cursor(&nodes).await;
    let watcher = Watcher::begin(site.watch(&nodes, Some(after))).await;
    let client = site.client(Role::Dispatcher);
    for _ in 0..3 {
        let input = json!({ "input": { "orderId": orders[0], "reason": "This fails." } });
        let answer = client.ask(nodes[0], &document("placeHold"), &input).await?;
        assert!(!answer["errors"].is_null(), "{answer}");
        work(&client, &nodes, &orders[0], 2).await;
    }
    let expected = log::part(&site.log().await?[start..], 0, log::of_orders);
    assert_eq!(expected.len(), 6, "what was refused left no event");
    watcher.receives(&expected, patience(conduct)).await?;
    assert_eq!(watcher.record().incidents, []);
    drop(watcher);
    node.end().await;
    site.end().await;
    Ok(())
}

proven!(
    /// A mutation whose commit fails tells nobody of anything.
    rollback_is_silent: commit_fails, on sqlite postgres, fails with publish_before_commit
);
