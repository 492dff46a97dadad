//! What holds whatever a client, its operations and the clock do.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

/// Something that happens to a connection.
#[derive(Debug, Clone)]
enum Step {
    Text(&'static str),
    Subscribe(u8),
    Complete(u8),
    Noise(String),
    Authenticated(Option<u64>),
    Renewed(u64),
    /// The operation started as this one, counted from the last, yields, fails or ends.
    Next(usize),
    Fail(usize),
    End(usize),
    Wait(u64),
    Restart(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Text(r#"{"type":"connection_init"}"#)),
        2 => Just(Step::Authenticated(None)),
        1 => (0_u64..100).prop_map(|seconds| Step::Authenticated(Some(seconds))),
        6 => (0_u8..5).prop_map(Step::Subscribe),
        3 => (0_u8..5).prop_map(Step::Complete),
        2 => prop::sample::select(vec![
            r#"{"type":"ping"}"#,
            r#"{"type":"pong"}"#,
            r#"{"type":"ping","payload":{"authorization":"Bearer x"}}"#,
        ]).prop_map(Step::Text),
        1 => "\\PC{0,40}".prop_map(Step::Noise),
        1 => (0_u64..200).prop_map(Step::Renewed),
        4 => (0_usize..4).prop_map(Step::Next),
        2 => (0_usize..4).prop_map(Step::Fail),
        2 => (0_usize..4).prop_map(Step::End),
        2 => (0_u64..40).prop_map(Step::Wait),
        1 => (0_u64..20).prop_map(Step::Restart),
    ]
}

proptest! {
    #[test]
    fn operations_end_once_and_nothing_follows_the_end(steps in prop::collection::vec(step(), 0..120)) {
        let start = Instant::now();
        let settings = SocketSettings { operations: 3, ..SocketSettings::default() };
        let mut protocol = Protocol::new(Arc::new(settings), start);
        let mut now = start;
        let mut started: Vec<Key> = Vec::new();
        let mut open: HashMap<Key, String> = HashMap::new();
        let mut closed = false;
        for step in steps {
            let nth = |back: usize| started.len().checked_sub(1 + back).map(|index| started[index]);
            let mut subscribed = None;
            match step {
                Step::Text(text) => protocol.text(text, now),
                Step::Noise(text) => protocol.text(&text, now),
                Step::Subscribe(id) => {
                    subscribed = Some(id.to_string());
                    protocol.text(&format!(r#"{{"type":"subscribe","id":"{id}","payload":{{"query":"q"}}}}"#), now);
                }
                Step::Complete(id) => protocol.text(&format!(r#"{{"type":"complete","id":"{id}"}}"#), now),
                Step::Authenticated(seconds) => {
                    protocol.authenticated(seconds.map(|seconds| start + Duration::from_secs(seconds)), now);
                }
                Step::Renewed(seconds) => protocol.renewed(Some(start + Duration::from_secs(seconds)), now),
                Step::Next(back) => if let Some(key) = nth(back) {
                    prop_assert_eq!(protocol.next(key).is_some(), open.contains_key(&key) && !closed);
                },
                Step::Fail(back) => if let Some(key) = nth(back) {
                    protocol.fail(key, "[]");
                    open.remove(&key);
                },
                Step::End(back) => if let Some(key) = nth(back) {
                    protocol.complete(key);
                    open.remove(&key);
                },
                Step::Wait(seconds) => {
                    now += Duration::from_secs(seconds);
                    protocol.timer(now);
                }
                Step::Restart(seconds) => protocol.restart(now + Duration::from_secs(seconds)),
            }
            while let Some(action) = protocol.action() {
                prop_assert!(!closed, "{action:?} after the end");
                match action {
                    Action::Start { key, .. } => {
                        prop_assert!(!started.contains(&key), "a key is used twice");
                        started.push(key);
                        let id = subscribed.take().expect("nothing starts by itself");
                        prop_assert!(!open.values().any(|known| *known == id), "an id is used twice");
                        open.insert(key, id);
                        prop_assert!(open.len() <= 3);
                    }
                    Action::Stop { key } => prop_assert!(open.remove(&key).is_some(), "stopped twice"),
                    Action::Close { reason, .. } => {
                        closed = true;
                        prop_assert!(reason.len() <= MAXIMUM_REASON_BYTES);
                    }
                    Action::Send(_) | Action::Authenticate(_) | Action::Renew(_) | Action::Ping { .. } => {}
                }
            }
            prop_assert_eq!(protocol.is_closed(), closed);
            prop_assert!(closed || protocol.deadline().is_none_or(|at| at >= start));
        }
        let distinct: HashSet<&Key> = started.iter().collect();
        prop_assert_eq!(distinct.len(), started.len());
    }
}
