//! Cursors: the epoch of the log and a position in it, opaque to clients.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The epoch it belongs to.
    pub epoch: String,
    /// The position: everything up to it is known.
    pub position: i64,
}

/// Why a cursor cannot be resumed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// It is none of ours.
    #[error("The cursor is none of this service's; begin without one.")]
    Invalid,
    /// The log does not continue from it, as after a restore.
    #[error("The log began anew since this cursor was given out; read the state again and begin without one.")]
    Epoch,
    /// It lies in the future of this log.
    #[error("The cursor lies ahead of the log; read the state again and begin without one.")]
    Ahead,
}

impl CursorError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "CURSOR_INVALID",
            Self::Epoch => "CURSOR_EPOCH",
            Self::Ahead => "CURSOR_AHEAD",
        }
    }
}

impl Cursor {
    /// The text clients get.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("1|{}|{}", self.epoch, self.position))
    }

    /// Reads a client's text.
    pub fn decode(text: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Invalid)?;
        let text = String::from_utf8(bytes).map_err(|_| CursorError::Invalid)?;
        let mut parts = text.split('|');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("1"), Some(epoch), Some(position), None) => {
                let position = position.parse().ok().filter(|position| *position >= 0).ok_or(CursorError::Invalid)?;
                Ok(Self { epoch: epoch.to_owned(), position })
            }
            _ => Err(CursorError::Invalid),
        }
    }

    /// The position to resume after, if the log continues from it.
    pub fn resume(&self, epoch: &str, tip: i64) -> Result<i64, CursorError> {
        if self.epoch != epoch {
            return Err(CursorError::Epoch);
        }
        if self.position > tip {
            return Err(CursorError::Ahead);
        }
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_journey() {
        let cursor = Cursor { epoch: "e".into(), position: 42 };
        assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor.clone()));
        assert_eq!(cursor.resume("e", 42), Ok(42));
        assert_eq!(cursor.resume("f", 42), Err(CursorError::Epoch));
        assert_eq!(cursor.resume("e", 41), Err(CursorError::Ahead));
    }

    #[test]
    fn what_is_none_of_ours_is_refused() {
        for text in ["", "x", "!!", &URL_SAFE_NO_PAD.encode("2|e|1"), &URL_SAFE_NO_PAD.encode("1|e|-1")] {
            assert_eq!(Cursor::decode(text), Err(CursorError::Invalid), "{text}");
        }
    }
}
