//! WebSocket frames (RFC 6455) as bytes, as far as a server needs them: without a connection,
//! without extensions.
//!
//! The library that axum brings keeps a read and a write buffer for as long as a socket lives and
//! copies each message twice. A server with ten thousand sockets that are silent most of the time
//! is better off with buffers that exist only while there is something in them.

use crate::http::protocol::close;

/// The longest payload of a control frame.
const MAXIMUM_CONTROL_BYTES: usize = 125;

/// The longest head of a frame that a server sends.
const MAXIMUM_HEAD_BYTES: usize = 10;

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// What has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    Text(String),
    /// A message that is not text; what it says is of no interest.
    Binary,
    /// To be answered with the same payload.
    Ping(Vec<u8>),
    Pong,
    /// The client ends the connection, with the code of its frame.
    Close(u16),
}

/// Why nothing more can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A message is longer than it may be.
    TooLarge,
    /// These are not frames that a client may send.
    Malformed(&'static str),
    /// A text is not UTF-8.
    NotUtf8,
}

/// Takes frames apart. Holds nothing while no frame is on its way.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// What has come and is not taken apart yet, from `start` on.
    bytes: Vec<u8>,
    start: usize,
    /// The parts of a message whose last frame has not come yet, and whether it is text.
    parts: Option<(bool, Vec<u8>)>,
}

/// The head of a frame.
struct Head {
    last: bool,
    kind: u8,
    mask: [u8; 4],
    head_bytes: usize,
    payload_bytes: usize,
}

impl Decoder {
    /// More bytes have come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message or control frame; nothing when more bytes are needed.
    ///
    /// # Errors
    /// Nothing more can be made of the bytes. A message is refused as soon as a head announces
    /// more than `limit` bytes, before they have come.
    pub(crate) fn next(&mut self, limit: usize) -> Result<Option<Incoming>, Violation> {
        loop {
            let Some(head) = self.head(limit)? else {
                self.compact();
                return Ok(None);
            };
            let begin = self.start + head.head_bytes;
            let Some(payload) = self.bytes.get_mut(begin..begin + head.payload_bytes) else {
                self.compact();
                return Ok(None);
            };
            for (byte, mask) in payload.iter_mut().zip(head.mask.iter().cycle()) {
                *byte ^= mask;
            }
            let payload = payload.to_vec();
            self.start = begin + head.payload_bytes;
            if let Some(incoming) = self.take(&head, payload)? {
                return Ok(Some(incoming));
            }
        }
    }

    fn head(&self, limit: usize) -> Result<Option<Head>, Violation> {
        let bytes = &self.bytes[self.start..];
        let &[first, second, ..] = bytes else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Violation::Malformed("Reserved bits are set"));
        }
        if second & 0x80 == 0 {
            return Err(Violation::Malformed("A frame is not masked"));
        }
        let (last, kind) = (first & 0x80 != 0, first & 0x0F);
        let (length, length_bytes) = match second & 0x7F {
            126 => match bytes.get(2..4) {
                Some(&[a, b]) => (u64::from(u16::from_be_bytes([a, b])), 2),
                _ => return Ok(None),
            },
            127 => match bytes.get(2..10).and_then(|bytes| bytes.try_into().ok()) {
                Some(bytes) => (u64::from_be_bytes(bytes), 8),
                None => return Ok(None),
            },
            short => (u64::from(short), 0),
        };
        let payload_bytes = usize::try_from(length).map_err(|_| Violation::TooLarge)?;
        match kind {
            CLOSE | PING | PONG => {
                if !last || payload_bytes > MAXIMUM_CONTROL_BYTES {
                    return Err(Violation::Malformed("A control frame is too long or in parts"));
                }
            }
            0 | TEXT | BINARY => {
                match (kind, &self.parts) {
                    (0, None) => return Err(Violation::Malformed("A message continues that did not begin")),
                    (TEXT | BINARY, Some(_)) => {
                        return Err(Violation::Malformed("A message begins within another"));
                    }
                    _ => {}
                }
                let before = self.parts.as_ref().map_or(0, |(_, bytes)| bytes.len());
                if payload_bytes > limit.saturating_sub(before) {
                    return Err(Violation::TooLarge);
                }
            }
            _ => return Err(Violation::Malformed("A frame is of an unknown kind")),
        }
        let at = 2 + length_bytes;
        let Some(mask) = bytes.get(at..at + 4).and_then(|mask| mask.try_into().ok()) else { return Ok(None) };
        Ok(Some(Head { last, kind, mask, head_bytes: at + 4, payload_bytes }))
    }

    fn take(&mut self, head: &Head, payload: Vec<u8>) -> Result<Option<Incoming>, Violation> {
        let (is_text, bytes) = match (head.kind, self.parts.take()) {
            (CLOSE | PING | PONG, parts) => {
                self.parts = parts;
                return control(head.kind, payload).map(Some);
            }
            (_, Some((is_text, mut bytes))) => {
                bytes.extend_from_slice(&payload);
                (is_text, bytes)
            }
            (kind, None) => (kind == TEXT, payload),
        };
        if !head.last {
            self.parts = Some((is_text, bytes));
            return Ok(None);
        }
        if !is_text {
            return Ok(Some(Incoming::Binary));
        }
        String::from_utf8(bytes).map(|text| Some(Incoming::Text(text))).map_err(|_| Violation::NotUtf8)
    }

    /// Forgets what was taken apart.
    fn compact(&mut self) {
        if self.start == self.bytes.len() {
            self.bytes = Vec::new();
        } else {
            self.bytes.drain(..self.start);
        }
        self.start = 0;
    }
}

fn control(kind: u8, payload: Vec<u8>) -> Result<Incoming, Violation> {
    match (kind, &payload[..]) {
        (PING, _) => Ok(Incoming::Ping(payload)),
        (PONG, _) => Ok(Incoming::Pong),
        (_, []) => Ok(Incoming::Close(close::NO_CODE)),
        (_, [high, low, reason @ ..]) => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(Violation::Malformed("A close frame has a code that can't be sent"));
            }
            match std::str::from_utf8(reason) {
                Ok(_) => Ok(Incoming::Close(code)),
                Err(_) => Err(Violation::NotUtf8),
            }
        }
        (_, [_]) => Err(Violation::Malformed("A close frame has half a code")),
    }
}

/// Appends a text message to `out`: its pieces one after the other.
pub(crate) fn text(out: &mut Vec<u8>, pieces: &[&[u8]]) {
    let length = pieces.iter().map(|piece| piece.len()).sum();
    out.reserve(length + MAXIMUM_HEAD_BYTES);
    head(out, TEXT, length);
    for piece in pieces {
        out.extend_from_slice(piece);
    }
}

/// Appends the head of a text message of `length` bytes to `out`.
pub(crate) fn text_head(out: &mut Vec<u8>, length: usize) {
    head(out, TEXT, length);
}

/// Appends the answer to a ping to `out`.
pub(crate) fn pong(out: &mut Vec<u8>, payload: &[u8]) {
    head(out, PONG, payload.len());
    out.extend_from_slice(payload);
}

/// Appends a close frame to `out`. The reason has at most 123 bytes.
pub(crate) fn closing(out: &mut Vec<u8>, code: u16, reason: &str) {
    head(out, CLOSE, 2 + reason.len());
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(reason.as_bytes());
}

fn head(out: &mut Vec<u8>, kind: u8, length: usize) {
    out.push(0x80 | kind);
    match length {
        0..=125 => out.push(length as u8),
        126..=0xFFFF => {
            out.push(126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
