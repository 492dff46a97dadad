//! What may happen to messages of core NATS on their way, and to nothing else of its protocol.

use std::sync::atomic::Ordering;

use super::proxy::Counts;
use super::seed::Seed;

/// Percentages of the messages that a server delivers.
#[derive(Clone, Copy, Debug)]
pub struct Losses {
    pub dropped: u64,
    pub doubled: u64,
    pub swapped: u64,
}

/// One connection's way from the server to the client.
pub struct Lossy {
    losses: Losses,
    seed: Seed,
    unparsed: Vec<u8>,
    /// The message that the next one overtakes.
    held: Option<Vec<u8>>,
}

impl Lossy {
    pub fn new(losses: Losses, seed: Seed) -> Self {
        Self { losses, seed, unparsed: Vec::new(), held: None }
    }

    /// For another connection.
    pub fn fork(&mut self) -> Self {
        Self::new(self.losses, self.seed.fork())
    }

    /// Is a message held back?
    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Lets go of a message that is held back.
    pub fn release(&mut self, out: &mut Vec<u8>) {
        out.extend(self.held.take().unwrap_or_default());
    }

    /// Takes what came from the server and gives what arrives.
    pub fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>, counts: &Counts) {
        self.unparsed.extend_from_slice(bytes);
        while let Some((length, is_message)) = first(&self.unparsed) {
            let unit: Vec<u8> = self.unparsed.drain(..length).collect();
            if is_message {
                self.message(unit, out, counts);
            } else {
                out.extend(unit);
            }
        }
    }

    fn message(&mut self, message: Vec<u8>, out: &mut Vec<u8>, counts: &Counts) {
        if let Some(held) = self.held.take() {
            out.extend(message);
            out.extend(held);
            counts.swapped.fetch_add(1, Ordering::Relaxed);
        } else if self.seed.percent(self.losses.dropped) {
            counts.dropped.fetch_add(1, Ordering::Relaxed);
        } else if self.seed.percent(self.losses.doubled) {
            out.extend_from_slice(&message);
            out.extend(message);
            counts.doubled.fetch_add(1, Ordering::Relaxed);
        } else if self.seed.percent(self.losses.swapped) {
            self.held = Some(message);
        } else {
            out.extend(message);
        }
    }
}

/// The length of the first complete unit of the protocol, and whether it is a message.
fn first(bytes: &[u8]) -> Option<(usize, bool)> {
    let line = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let text = std::str::from_utf8(&bytes[..line]).unwrap_or_default();
    if !text.starts_with("MSG ") && !text.starts_with("HMSG ") {
        return Some((line + 2, false));
    }
    let payload: usize = text.rsplit(' ').next()?.parse().expect("the length of a message");
    let length = line + 2 + payload + 2;
    (bytes.len() >= length).then_some((length, true))
}

#[test]
fn messages_are_lost_doubled_and_swapped_and_nothing_else_is() {
    let counts = Counts::default();
    let mut lossy = Lossy::new(Losses { dropped: 20, doubled: 20, swapped: 20 }, Seed::new(1));
    let mut sent = b"INFO {}\r\n".to_vec();
    for number in 0..1_000 {
        sent.extend(format!("MSG s 1 {}\r\n{number}\r\n", number.to_string().len()).bytes());
        sent.extend(b"PING\r\n");
    }
    let mut arrived = Vec::new();
    for part in sent.chunks(7) {
        lossy.pass(part, &mut arrived, &counts);
    }
    lossy.release(&mut arrived);
    let text = String::from_utf8(arrived).expect("text");
    assert!(text.starts_with("INFO {}\r\n"));
    assert_eq!(text.matches("PING\r\n").count(), 1_000);
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let messages = text.matches("MSG s").count() as u64;
    assert_eq!(messages, 1_000 - count(&counts.dropped) + count(&counts.doubled));
    for counter in [&counts.dropped, &counts.doubled, &counts.swapped] {
        assert!(count(counter) > 50, "{counts:?}");
    }
}
