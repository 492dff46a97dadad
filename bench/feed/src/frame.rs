//! WebSocket frames, as far as a client of this benchmark meets them.

/// A text message.
pub const TEXT: u8 = 1;
/// The end of the connection, with a code.
pub const CLOSE: u8 = 8;
/// A question whether the other side lives.
pub const PING: u8 = 9;
/// The answer to it.
pub const PONG: u8 = 10;

/// One frame of the server; servers neither mask nor, here, split messages.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub opcode: u8,
    /// What it carries.
    pub payload: &'a [u8],
}

/// The first whole frame and its length in bytes; nothing when more bytes are needed.
pub fn first(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let opcode = bytes.first()? & 0x0f;
    let (length, start) = match bytes.get(1)? & 0x7f {
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        short => (u64::from(short), 2),
    };
    let end = usize::try_from(length).ok()?.checked_add(start)?;
    Some((Frame { opcode, payload: bytes.get(start..end)? }, end))
}

/// A frame of the client. Its mask is zero, which the protocol allows and costs nothing.
pub fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short), _) if short < 126 => frame.push(0x80 | short),
        (_, Ok(medium)) => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&u64::try_from(payload.len()).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// Where a text begins within another.
pub fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// The text between what comes before it and the next quotation mark.
pub fn quoted<'a>(text: &'a [u8], before: &[u8]) -> Option<&'a [u8]> {
    let rest = text.get(find(text, before)? + before.len()..)?;
    rest.get(..rest.iter().position(|byte| *byte == b'"')?)
}

/// The number at the beginning of a text.
pub fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(text.get(..digits)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_lengths_are_split_where_they_end() {
        for length in [0_usize, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut bytes = masked(TEXT, &payload);
            // As a server would send it: without the mask.
            let head = bytes.len() - length - 4;
            bytes.drain(head..head + 4);
            bytes[1] &= 0x7f;
            assert_eq!(first(&bytes[..bytes.len() - 1]), None, "{length}");
            bytes.extend_from_slice(b"next");
            assert_eq!(first(&bytes), Some((Frame { opcode: TEXT, payload: &payload }, head + length)));
        }
    }

    #[test]
    fn texts_are_searched() {
        let text = br#"{"cursor":"abc","sequence":42}"#;
        assert_eq!(quoted(text, b"\"cursor\":\""), Some(&b"abc"[..]));
        assert_eq!(quoted(text, b"\"other\":\""), None);
        assert_eq!(find(text, b"\"sequence\":").and_then(|at| number(&text[at + 11..])), Some(42));
    }
}
