use proptest::prelude::*;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocket};

use super::*;

const LIMIT: usize = 64 * 1024;
const MASK: [u8; 4] = [7, 11, 13, 17];

/// A frame as a client sends it.
fn sent(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    head(&mut frame, 0, payload.len());
    frame[0] = first;
    frame[1] |= 0x80;
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// What comes of the bytes when they arrive `step` at a time.
fn decoded(bytes: &[u8], step: usize) -> Result<Vec<Incoming>, Violation> {
    let mut decoder = Decoder::default();
    let mut all = Vec::new();
    for chunk in bytes.chunks(step) {
        decoder.push(chunk);
        while let Some(incoming) = decoder.next(LIMIT)? {
            all.push(incoming);
        }
    }
    assert_eq!((decoder.bytes.capacity(), decoder.start), (0, 0), "nothing is kept");
    Ok(all)
}

fn texts(incoming: Result<Vec<Incoming>, Violation>) -> Vec<String> {
    incoming
        .unwrap()
        .into_iter()
        .map(|incoming| match incoming {
            Incoming::Text(text) => text,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn takes_messages_in_any_pieces() {
    let long = "l".repeat(LIMIT);
    let mut bytes = Vec::new();
    // Whole, empty, in parts with a ping between them, and with both forms of a longer length.
    bytes.extend(sent(0x81, "订单".as_bytes()));
    bytes.extend(sent(0x81, b""));
    bytes.extend(sent(0x01, b"in "));
    bytes.extend(sent(0x89, b"p"));
    bytes.extend(sent(0x00, &"å".as_bytes()[..1]));
    bytes.extend(sent(0x80, &"å".as_bytes()[1..]));
    bytes.extend(sent(0x81, "m".repeat(200).as_bytes()));
    bytes.extend(sent(0x81, long.as_bytes()));
    bytes.extend(sent(0x82, b"\xFF"));
    bytes.extend(sent(0x8A, b""));
    bytes.extend(sent(0x88, &[&4403_u16.to_be_bytes()[..], b"why"].concat()));
    let expected = [
        Incoming::Text("订单".to_owned()),
        Incoming::Text(String::new()),
        Incoming::Ping(b"p".to_vec()),
        Incoming::Text("in å".to_owned()),
        Incoming::Text("m".repeat(200)),
        Incoming::Text(long),
        Incoming::Binary,
        Incoming::Pong,
        Incoming::Close(4403),
    ];
    for step in [1, 2, 3, 7, 1000, bytes.len()] {
        assert_eq!(decoded(&bytes, step).unwrap(), expected, "{step} at a time");
    }
    assert_eq!(decoded(&sent(0x88, b""), 1).unwrap(), [Incoming::Close(1005)]);
}

#[test]
fn refuses_what_no_client_may_send() {
    let unmasked = {
        let mut frame = Vec::new();
        text(&mut frame, &[b"a"]);
        frame
    };
    let malformed = [
        unmasked,
        sent(0xC1, b"a"),
        sent(0x91, b"a"),
        sent(0x83, b"a"),
        sent(0x8B, b"a"),
        sent(0x80, b"continues nothing"),
        [sent(0x01, b"a"), sent(0x81, b"within another")].concat(),
        sent(0x09, b"a ping in parts"),
        sent(0x89, &[0; 126]),
        sent(0x88, b"\x03"),
        sent(0x88, &1005_u16.to_be_bytes()),
        sent(0x88, &999_u16.to_be_bytes()),
        sent(0x88, &5000_u16.to_be_bytes()),
    ];
    for bytes in malformed {
        assert!(matches!(decoded(&bytes, 1), Err(Violation::Malformed(_))), "{bytes:?}");
    }
    for bytes in [sent(0x81, b"\xFF"), sent(0x88, b"\x03\xe8\xFF")] {
        assert_eq!(decoded(&bytes, 1), Err(Violation::NotUtf8));
    }
}

#[test]
fn refuses_what_is_too_large_before_it_comes() {
    let announced = |bytes: u64| {
        let mut frame = vec![0x81, 0xFF];
        frame.extend_from_slice(&bytes.to_be_bytes());
        frame
    };
    for bytes in [LIMIT as u64 + 1, 1 << 40, u64::MAX] {
        assert_eq!(decoded(&announced(bytes), 1), Err(Violation::TooLarge), "{bytes}");
    }
    let parts = [sent(0x01, &[b'a'; LIMIT]), sent(0x80, b"b")].concat();
    assert_eq!(decoded(&parts, 512), Err(Violation::TooLarge));
}

/// Both ends of tungstenite's connection: what it reads, and what it wrote.
struct Ends(std::io::Cursor<Vec<u8>>, Vec<u8>);

impl std::io::Read for Ends {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(bytes)
    }
}

impl std::io::Write for Ends {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

proptest! {
    /// Another implementation reads what this one writes, and the other way round.
    #[test]
    fn agrees_with_another_implementation(
        messages in prop::collection::vec(".{0,300}", 1..8),
        large in 0_usize..70_000,
        step in 1_usize..3_000,
        garbage in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut written = Vec::new();
        for message in &messages {
            let (a, b) = message.split_at(message.floor_char_boundary(message.len() / 2));
            text(&mut written, &[a.as_bytes(), b.as_bytes()]);
        }
        let long = "x".repeat(large);
        text_head(&mut written, long.len());
        written.extend_from_slice(long.as_bytes());
        pong(&mut written, b"p");
        closing(&mut written, 4403, "why");
        let ends = Ends(std::io::Cursor::new(written), Vec::new());
        let mut client = WebSocket::from_raw_socket(ends, Role::Client, None);
        for message in messages.iter().chain([&long]) {
            prop_assert_eq!(client.read().unwrap(), Message::text(message.as_str()));
        }
        prop_assert_eq!(client.read().unwrap(), Message::Pong(b"p".to_vec().into()));
        let frame = CloseFrame { code: 4403.into(), reason: "why".into() };
        prop_assert_eq!(client.read().unwrap(), Message::Close(Some(frame)));

        let ends = Ends(std::io::Cursor::default(), Vec::new());
        let mut client = WebSocket::from_raw_socket(ends, Role::Client, None);
        let short = &long[..long.len().min(LIMIT)];
        for message in messages.iter().map(String::as_str).chain([short]) {
            client.write(Message::text(message)).unwrap();
        }
        client.flush().unwrap();
        let expected: Vec<_> = messages.iter().map(String::as_str).chain([short]).collect();
        prop_assert_eq!(texts(decoded(&client.get_ref().1, step)), expected);

        // Whatever comes, there is an end to it.
        let mut decoder = Decoder::default();
        for chunk in garbage.chunks(step) {
            decoder.push(chunk);
            while let Ok(Some(_)) = decoder.next(LIMIT) {}
        }
    }
}
