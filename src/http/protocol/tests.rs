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
        Self { protocol: Protocol::new(settings, start), start, now: start }
    }

    fn ready() -> Self {
        let mut driver = Self::new();
        assert_eq!(driver.text(INIT), [Action::Authenticate(None)]);
        assert_eq!(driver.authenticated(None), [sent(r#"{"type":"connection_ack"}"#)]);
        driver
    }

    fn text(&mut self, text: &str) -> Vec<Action> {
        let mut actions = Vec::new();
        self.protocol.text(text, self.now, &mut actions);
        actions
    }

    fn subscribe(&mut self, id: &str) -> Vec<Action> {
        self.text(&format!(r#"{{"type":"subscribe","id":"{id}","payload":{{"query":"q"}}}}"#))
    }

    fn authenticated(&mut self, seconds: Option<u64>) -> Vec<Action> {
        let mut actions = Vec::new();
        let expires_at = seconds.map(|seconds| self.start + Duration::from_secs(seconds));
        self.protocol.authenticated(expires_at, self.now, &mut actions);
        actions
    }

    fn outcome(&mut self, id: &str, outcome: &Outcome) -> Vec<Action> {
        let mut actions = Vec::new();
        self.protocol.outcome(id, outcome, &mut actions);
        actions
    }

    /// Lets the time pass to the next deadline; the seconds since the start and what happened.
    fn wait(&mut self) -> (u64, Vec<Action>) {
        let mut actions = Vec::new();
        self.now = self.protocol.deadline().unwrap();
        self.protocol.timer(self.now, &mut actions);
        ((self.now - self.start).as_secs(), actions)
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
    let mut actions = Vec::new();
    Driver::ready().protocol.binary(&mut actions);
    assert_eq!(code_of(&actions), Some(4400));
}

#[test]
fn bounds_messages_before_and_after_the_acknowledgement() {
    let of_bytes = |bytes: usize| {
        let frame = r#"{"type":"ping","payload":{"a":""}}"#;
        frame.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - frame.len())))
    };
    assert_eq!(code_of(&Driver::new().text(&of_bytes(4 * 1024))), None);
    assert_eq!(code_of(&Driver::new().text(&of_bytes(4 * 1024 + 1))), Some(4400));
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
    let mut actions = Vec::new();
    refused.protocol.refused(&"错".repeat(100), &mut actions);
    assert_eq!(code_of(&actions), Some(4403));
    assert!(matches!(&actions[0], Action::Close { reason, .. } if reason.len() == 123));
    assert_eq!(refused.authenticated(None), []);

    let mut old = Driver::new();
    old.text(INIT);
    assert_eq!(code_of(&old.authenticated(Some(0))), Some(4403));

    let mut running_out = Driver::new();
    running_out.text(INIT);
    running_out.authenticated(Some(2));
    running_out.subscribe("1");
    let (seconds, actions) = running_out.wait();
    assert_eq!((seconds, code_of(&actions)), (2, Some(4403)));
    assert_eq!(running_out.outcome("1", &Outcome::Next("{}".to_owned())), []);
    assert_eq!(running_out.protocol.deadline(), None);
}

#[test]
fn runs_operations() {
    let mut driver = Driver::ready();
    let payload = serde_json::json!({"query": "q"});
    assert_eq!(driver.subscribe("1"), [Action::Start { id: "1".to_owned(), payload }]);
    assert_eq!(
        driver.outcome("1", &Outcome::Next(r#"{"data":{}}"#.to_owned())),
        [sent(r#"{"id":"1","type":"next","payload":{"data":{}}}"#)]
    );
    assert_eq!(driver.outcome("1", &Outcome::End), [sent(r#"{"id":"1","type":"complete"}"#)]);
    assert_eq!(driver.outcome("1", &Outcome::End), []);

    driver.subscribe("2");
    assert_eq!(
        driver.outcome("2", &Outcome::Error("[]".to_owned())),
        [sent(r#"{"id":"2","type":"error","payload":[]}"#)]
    );
    assert_eq!(driver.outcome("2", &Outcome::End), [], "an error is the end");

    driver.subscribe("quote\\\"");
    assert_eq!(driver.outcome("quote\"", &Outcome::End), [sent(r#"{"id":"quote\"","type":"complete"}"#)]);
}

#[test]
fn does_not_confirm_what_the_client_ends() {
    let mut driver = Driver::ready();
    driver.subscribe("1");
    let complete = r#"{"type":"complete","id":"1"}"#;
    assert_eq!(driver.text(complete), [Action::Stop { id: "1".to_owned() }]);
    assert_eq!(driver.text(complete), [], "ends may cross on the wire");
    assert_eq!(driver.outcome("1", &Outcome::Next("{}".to_owned())), []);
    assert!(matches!(driver.subscribe("1")[..], [Action::Start { .. }]), "the id is free again");
}

#[test]
fn refuses_a_second_use_of_an_id_and_too_many_operations() {
    let mut driver = Driver::ready();
    driver.subscribe("1");
    driver.subscribe("2");
    let refused = driver.subscribe("3");
    assert!(
        matches!(&refused[..], [Action::Send(text)]
            if text.contains(r#""id":"3","type":"error""#) && text.contains("RESOURCE_EXHAUSTED")),
        "{refused:?}"
    );
    driver.outcome("2", &Outcome::End);
    assert!(matches!(driver.subscribe("3")[..], [Action::Start { .. }]));
    assert_eq!(code_of(&driver.subscribe("1")), Some(4409));
}

#[test]
fn pings_and_wants_an_answer() {
    let mut lively = Driver::ready();
    for round in 1..=12 {
        let (seconds, actions) = lively.wait();
        assert_eq!((seconds, actions), (round * 25, vec![sent(r#"{"type":"ping"}"#)]));
        assert_eq!(lively.text(r#"{"type":"pong"}"#), []);
    }

    let mut dead = Driver::ready();
    assert_eq!(dead.wait().0, 25);
    let (seconds, actions) = dead.wait();
    assert_eq!((seconds, code_of(&actions)), (35, Some(4408)));

    let echo = r#"{"type":"ping","payload":{"a":1}}"#;
    let expected = sent(r#"{"type":"pong","payload":{"a":1}}"#);
    assert_eq!(Driver::ready().text(echo), [expected]);
}

#[test]
fn is_silent_once_closed() {
    let mut driver = Driver::ready();
    driver.subscribe("1");
    let mut actions = Vec::new();
    driver.protocol.shutdown(&mut actions);
    assert_eq!(code_of(&actions), Some(1012));
    actions.clear();
    driver.protocol.shutdown(&mut actions);
    driver.protocol.binary(&mut actions);
    driver.protocol.timer(driver.now + Duration::from_secs(100), &mut actions);
    assert_eq!(actions, []);
    assert_eq!(driver.text("{"), []);
    assert_eq!(driver.outcome("1", &Outcome::End), []);
}
