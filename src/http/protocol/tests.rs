use super::*;

const INIT: &str = r#"{"type":"connection_init"}"#;

struct Driver {
    protocol: Protocol,
    start: Instant,
    now: Instant,
}

impl Driver {
    fn new() -> Self {
        let start = Instant::now();
        let settings = SocketSettings { operations: 2, ..SocketSettings::default() };
        Self { protocol: Protocol::new(Arc::new(settings), start), start, now: start }
    }

    fn ready() -> Self {
        Self::expiring(None)
    }

    fn expiring(seconds: Option<u64>) -> Self {
        let mut driver = Self::new();
        assert_eq!(driver.text(INIT), [Action::Authenticate(None)]);
        assert_eq!(driver.authenticated(seconds), [sent(r#"{"type":"connection_ack"}"#)]);
        driver
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.protocol.action()).collect()
    }

    fn text(&mut self, text: &str) -> Vec<Action> {
        self.protocol.text(text, self.now);
        self.actions()
    }

    fn subscribe(&mut self, id: &str) -> Vec<Action> {
        self.text(&format!(r#"{{"type":"subscribe","id":"{id}","payload":{{"query":"q"}}}}"#))
    }

    /// Starts an operation.
    fn start(&mut self, id: &str) -> Key {
        match self.subscribe(id)[..] {
            [Action::Start { key, .. }] => key,
            ref other => panic!("{other:?}"),
        }
    }

    fn instant(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn authenticated(&mut self, seconds: Option<u64>) -> Vec<Action> {
        self.protocol.authenticated(seconds.map(|seconds| self.instant(seconds)), self.now);
        self.actions()
    }

    fn renewed(&mut self, seconds: u64) -> Vec<Action> {
        self.protocol.renewed(Some(self.instant(seconds)), self.now);
        self.actions()
    }

    fn next(&self, key: Key, result: &str) -> Option<String> {
        self.protocol.next(key).map(|front| front.concat() + result + NEXT_END)
    }

    fn complete(&mut self, key: Key) -> Vec<Action> {
        self.protocol.complete(key);
        self.actions()
    }

    /// Lets the time pass to the next deadline; the seconds since the start and what happened.
    fn wait(&mut self) -> (u64, Vec<Action>) {
        self.now = self.protocol.deadline().unwrap();
        self.protocol.timer(self.now);
        ((self.now - self.start).as_secs(), self.actions())
    }
}

fn sent(text: &str) -> Action {
    Action::Send(text.to_owned())
}

fn code_of(actions: &[Action]) -> Option<u16> {
    match actions {
        [Action::Close { code, reason }] => {
            assert!(reason.len() <= MAXIMUM_REASON_BYTES);
            Some(*code)
        }
        _ => None,
    }
}

#[test]
fn closes_on_what_is_no_message() {
    for text in [
        "",
        "{",
        "[]",
        "\"ping\"",
        r#"{"id":"1"}"#,
        r#"{"type":1}"#,
        r#"{"type":"start","id":"1","payload":{}}"#,
        r#"{"type":"connection_init","payload":"token"}"#,
        r#"{"type":"subscribe","payload":{}}"#,
        r#"{"type":"subscribe","id":"","payload":{}}"#,
        r#"{"type":"subscribe","id":7,"payload":{}}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"subscribe","id":"1","payload":[]}"#,
        r#"{"type":"complete"}"#,
    ] {
        assert_eq!(code_of(&Driver::new().text(text)), Some(4400), "{text}");
        assert_eq!(code_of(&Driver::ready().text(text)), Some(4400), "{text}");
    }
    let long_id = "i".repeat(129);
    assert_eq!(code_of(&Driver::ready().subscribe(&long_id)), Some(4400));
    let mut driver = Driver::ready();
    driver.protocol.binary();
    assert_eq!(code_of(&driver.actions()), Some(4400));
}

#[test]
fn bounds_messages_before_and_after_the_acknowledgement() {
    let of_bytes = |bytes: usize| {
        let frame = r#"{"type":"ping","payload":{"a":""}}"#;
        frame.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - frame.len())))
    };
    assert_eq!(Driver::new().protocol.message_bytes(), 4 * 1024);
    assert_eq!(code_of(&Driver::new().text(&of_bytes(4 * 1024))), None);
    assert_eq!(code_of(&Driver::new().text(&of_bytes(4 * 1024 + 1))), Some(4400));
    assert_eq!(Driver::ready().protocol.message_bytes(), 64 * 1024);
    assert_eq!(code_of(&Driver::ready().text(&of_bytes(64 * 1024))), None);
    assert_eq!(code_of(&Driver::ready().text(&of_bytes(64 * 1024 + 1))), Some(4400));
}

#[test]
fn wants_one_introduction_in_time() {
    let mut silent = Driver::new();
    let (seconds, actions) = silent.wait();
    assert_eq!((seconds, code_of(&actions)), (3, Some(4408)));

    let mut chatty = Driver::new();
    assert_eq!(chatty.text(r#"{"type":"ping"}"#), [sent(r#"{"type":"pong"}"#)]);
    assert_eq!(chatty.wait().0, 3);

    let mut twice = Driver::ready();
    assert_eq!(code_of(&twice.text(INIT)), Some(4429));
    let mut twice_at_once = Driver::new();
    twice_at_once.text(INIT);
    assert_eq!(twice_at_once.protocol.deadline(), None);
    assert_eq!(code_of(&twice_at_once.text(INIT)), Some(4429));

    assert_eq!(code_of(&Driver::new().subscribe("1")), Some(4401));
    let mut too_early = Driver::new();
    too_early.text(INIT);
    assert_eq!(code_of(&too_early.subscribe("1")), Some(4401));

    let payload = serde_json::json!({"authorization": "Bearer x"});
    let text = format!(r#"{{"type":"connection_init","payload":{payload}}}"#);
    assert_eq!(Driver::new().text(&text), [Action::Authenticate(Some(payload))]);
}

#[test]
fn closes_when_the_token_is_bad_or_runs_out() {
    let mut refused = Driver::new();
    refused.text(INIT);
    refused.protocol.close(close::FORBIDDEN, &"错".repeat(100));
    let actions = refused.actions();
    assert_eq!(code_of(&actions), Some(4403));
    assert!(matches!(&actions[0], Action::Close { reason, .. } if reason.len() == 123));
    assert_eq!(refused.authenticated(None), []);

    // The cut lies within a character: the whole character goes.
    let mut cut = Driver::new();
    cut.protocol.close(close::FORBIDDEN, &format!("ab{}", "错".repeat(100)));
    assert!(matches!(&cut.actions()[0], Action::Close { reason, .. } if reason.len() == 122));

    let mut old = Driver::new();
    old.text(INIT);
    assert_eq!(code_of(&old.authenticated(Some(0))), Some(4403));

    let mut running_out = Driver::expiring(Some(2));
    let key = running_out.start("1");
    assert_eq!(running_out.wait(), (0, vec![Action::Ping { reauth: true }]));
    running_out.text(r#"{"type":"pong"}"#);
    let (seconds, actions) = running_out.wait();
    assert_eq!((seconds, code_of(&actions)), (2, Some(4403)));
    assert_eq!(running_out.next(key, "{}"), None, "nothing comes after the end");
    assert_eq!(running_out.protocol.deadline(), None);

    // The timer is late, the client is not.
    let mut late = Driver::expiring(Some(2));
    late.now = late.instant(2);
    assert_eq!(code_of(&late.subscribe("1")), Some(4403));
}

#[test]
fn another_token_in_time_lets_the_client_stay() {
    let mut driver = Driver::expiring(Some(60));
    assert_eq!(driver.wait(), (25, vec![Action::Ping { reauth: false }]));
    driver.text(r#"{"type":"pong"}"#);
    assert_eq!(driver.wait(), (30, vec![Action::Ping { reauth: true }]));

    let token = Json::from("Bearer x");
    for kind in ["ping", "pong"] {
        let text = format!(r#"{{"type":"{kind}","payload":{{"authorization":{token}}}}}"#);
        assert_eq!(driver.text(&text), [Action::Renew(token.clone())], "{kind}");
        assert_eq!(driver.renewed(100), [sent(r#"{"type":"pong"}"#)]);
    }
    assert_eq!(driver.wait(), (55, vec![Action::Ping { reauth: false }]));
    // Another one that ends sooner takes nothing back.
    assert_eq!(driver.renewed(80), [sent(r#"{"type":"pong"}"#)]);
    driver.text(r#"{"type":"pong"}"#);
    assert_eq!(driver.wait(), (70, vec![Action::Ping { reauth: true }]));
    driver.text(r#"{"type":"pong"}"#);
    assert_eq!(driver.wait(), (95, vec![Action::Ping { reauth: true }]));
    let (seconds, actions) = driver.wait();
    assert_eq!((seconds, code_of(&actions)), (100, Some(4403)));

    assert_eq!(code_of(&Driver::expiring(Some(60)).renewed(0)), Some(4403));
    // Before the acknowledgement it is a ping as any other, and what it says is not repeated.
    let text = r#"{"type":"ping","payload":{"authorization":"Bearer x"}}"#;
    assert_eq!(Driver::new().text(text), [sent(r#"{"type":"pong"}"#)]);
}

#[test]
fn runs_operations() {
    let mut driver = Driver::ready();
    let payload = serde_json::json!({"query": "q"});
    assert_eq!(driver.subscribe("1"), [Action::Start { key: 0, payload }]);
    assert_eq!(driver.next(0, r#"{"data":{}}"#).as_deref(), Some(r#"{"id":"1","type":"next","payload":{"data":{}}}"#));
    assert_eq!(driver.complete(0), [sent(r#"{"id":"1","type":"complete"}"#)]);
    assert_eq!(driver.complete(0), []);
    assert_eq!(driver.next(0, "{}"), None);

    let key = driver.start("2");
    driver.protocol.fail(key, "[]");
    assert_eq!(driver.actions(), [sent(r#"{"id":"2","type":"error","payload":[]}"#)]);
    assert_eq!(driver.complete(key), [], "an error is the end");

    let key = driver.start("quote\\\"");
    assert_eq!(driver.complete(key), [sent(r#"{"id":"quote\"","type":"complete"}"#)]);
}

#[test]
fn does_not_confirm_what_the_client_ends() {
    let mut driver = Driver::ready();
    let key = driver.start("1");
    let complete = r#"{"type":"complete","id":"1"}"#;
    assert_eq!(driver.text(complete), [Action::Stop { key }]);
    assert_eq!(driver.text(complete), [], "ends may cross on the wire");
    assert_eq!(driver.next(key, "{}"), None);
    let again = driver.start("1");
    assert_ne!(again, key, "the id is free again");
    assert_eq!(driver.complete(key), [], "the old stream's end does not reach the new operation");
}

#[test]
fn refuses_a_second_use_of_an_id_and_too_many_operations() {
    let mut driver = Driver::ready();
    driver.start("1");
    let second = driver.start("2");
    let refused = driver.subscribe("3");
    assert!(
        matches!(&refused[..], [Action::Send(text)]
            if text.contains(r#""id":"3","type":"error""#) && text.contains(r#""code":"LIMIT""#)),
        "{refused:?}"
    );
    driver.complete(second);
    driver.start("3");
    assert_eq!(code_of(&driver.subscribe("1")), Some(4409));

    let mut long = Driver::ready();
    let id = "错".repeat(40);
    long.start(&id);
    let actions = long.subscribe(&id);
    assert_eq!(code_of(&actions), Some(4409), "{actions:?}");
}

#[test]
fn pings_and_wants_an_answer() {
    let mut lively = Driver::ready();
    for round in 1..=12 {
        let (seconds, actions) = lively.wait();
        assert_eq!((seconds, actions), (round * 25, vec![Action::Ping { reauth: false }]));
        assert_eq!(lively.text(r#"{"type":"pong"}"#), []);
    }

    // Whoever speaks needs no ping to be known alive, but still learns the newest cursor.
    let mut chatty = Driver::ready();
    chatty.now = chatty.instant(20);
    chatty.text(r#"{"type":"ping"}"#);
    assert_eq!(chatty.wait(), (25, vec![Action::Ping { reauth: false }]));

    let mut dead = Driver::ready();
    assert_eq!(dead.wait().0, 25);
    let (seconds, actions) = dead.wait();
    assert_eq!((seconds, code_of(&actions)), (35, Some(4408)));

    let echo = r#"{"type":"ping","payload":{"a":1}}"#;
    let expected = sent(r#"{"type":"pong","payload":{"a":1}}"#);
    assert_eq!(Driver::ready().text(echo), [expected]);
}

#[test]
fn pings_tell_the_cursor() {
    for (cursor, reauth, expected) in [
        (None, false, r#"{"type":"ping"}"#),
        (Some("a\"b"), false, r#"{"type":"ping","payload":{"cursor":"a\"b"}}"#),
        (None, true, r#"{"type":"ping","payload":{"reauth":true}}"#),
        (Some("c"), true, r#"{"type":"ping","payload":{"cursor":"c","reauth":true}}"#),
    ] {
        assert_eq!(ping(cursor, reauth), expected);
    }
}

#[test]
fn ends_when_the_server_stops() {
    for mut driver in [Driver::new(), Driver::ready()] {
        let at = driver.instant(2);
        driver.protocol.restart(at);
        let (seconds, actions) = driver.wait();
        assert_eq!((seconds, code_of(&actions)), (2, Some(1012)));
    }
}

#[test]
fn is_silent_once_closed() {
    let mut driver = Driver::ready();
    let key = driver.start("1");
    driver.protocol.text(r#"{"type":"ping"}"#, driver.now);
    driver.protocol.restart(driver.now);
    driver.protocol.timer(driver.now);
    assert_eq!(code_of(&driver.actions()), Some(1012), "and no pong before it");
    assert!(driver.protocol.is_closed());
    driver.protocol.restart(driver.now);
    driver.protocol.binary();
    driver.protocol.timer(driver.now + Duration::from_secs(100));
    assert_eq!(driver.actions(), []);
    assert_eq!(driver.text("{"), []);
    assert_eq!(driver.complete(key), []);
}
