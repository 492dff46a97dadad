//! Cursors: a place in the log, sealed.
//!
//! A cursor is an epoch and a position, encrypted with a key of the database and bound to what its
//! holder may see. It tells nobody how much happens in the group, cannot be made up, and is
//! worthless to somebody who sees another part of the world. It is not bound to a document: a
//! frontend that asks for one field more after its update goes on where the old one was.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::domain::actor::Visibility;

const VERSION: u8 = 2;
const EPOCH_BYTES: usize = 6;

/// Why a cursor cannot be resumed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// It is none of ours, or was given to somebody who sees another part of the world.
    #[error("The cursor was not given out by this service to somebody who may see what you may; begin without one.")]
    Invalid,
    /// The log does not continue from it, as after a restore.
    #[error("The log began anew since this cursor was given out; read the state again and begin without one.")]
    Epoch,
    /// It lies in the future of this log.
    #[error("The cursor lies ahead of the log; read the state again and begin without one.")]
    Ahead,
    /// What follows it is not kept any more, or is more than the service replays.
    #[error("Too much has happened since this cursor was given out; read the state again and begin without one.")]
    Expired,
}

impl CursorError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "CURSOR_INVALID",
            Self::Epoch => "CURSOR_EPOCH",
            Self::Ahead => "CURSOR_AHEAD",
            Self::Expired => "CURSOR_EXPIRED",
        }
    }
}

/// Whatever keeps the seal from being made.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the key that seals cursors cannot be used")]
pub struct SealError;

/// Seals and opens the cursors of one epoch.
pub struct Seal {
    key: LessSafeKey,
    epoch: [u8; EPOCH_BYTES],
}

impl Seal {
    /// A seal from the database's secret, for an epoch of its log.
    ///
    /// # Errors
    /// Never in practice; the cipher's own constructor may fail.
    pub fn new(secret: &str, epoch: &str) -> Result<Self, SealError> {
        let key: [u8; 32] = Sha256::digest([secret, "|", epoch].concat()).into();
        let key = UnboundKey::new(&AES_256_GCM_SIV, &key).map_err(|_| SealError)?;
        let mut name = [0; EPOCH_BYTES];
        name.copy_from_slice(&Sha256::digest(epoch)[..EPOCH_BYTES]);
        Ok(Self { key: LessSafeKey::new(key), epoch: name })
    }

    /// The cursor of a position for those who see this part of the world: always the same text.
    pub fn seal(&self, position: i64, visibility: &Visibility) -> String {
        let mut sealed = position.to_be_bytes().to_vec();
        let bound = Aad::from(visibility.name());
        // The cipher takes one nonce for many texts: all it tells is which cursors are equal.
        if self.key.seal_in_place_append_tag(nonce(), bound, &mut sealed).is_err() {
            tracing::error!("a cursor could not be sealed");
            return String::new();
        }
        let mut text = vec![VERSION];
        text.extend(self.epoch);
        text.extend(sealed);
        URL_SAFE_NO_PAD.encode(text)
    }

    /// The position behind a cursor.
    ///
    /// # Errors
    /// [`CursorError::Invalid`] and [`CursorError::Epoch`].
    pub fn open(&self, text: &str, visibility: &Visibility) -> Result<i64, CursorError> {
        const LONGEST: usize = 128;
        if text.len() > LONGEST {
            return Err(CursorError::Invalid);
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Invalid)?;
        let (head, sealed) = bytes.split_at_mut_checked(1 + EPOCH_BYTES).ok_or(CursorError::Invalid)?;
        if head[0] != VERSION {
            return Err(CursorError::Invalid);
        }
        if head[1..] != self.epoch {
            return Err(CursorError::Epoch);
        }
        let bound = Aad::from(visibility.name());
        let position = self.key.open_in_place(nonce(), bound, sealed).map_err(|_| CursorError::Invalid)?;
        let position: [u8; 8] = (&*position).try_into().map_err(|_| CursorError::Invalid)?;
        Ok(i64::from_be_bytes(position))
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::actor::{Actor, Role, Scope};

    fn visibility(scope: Scope) -> Visibility {
        Actor { subject: "s".to_owned(), roles: vec![Role::Supervisor], scope }.visibility()
    }

    #[test]
    fn a_cursor_survives_the_journey() {
        let seal = Seal::new("secret", "e").unwrap();
        let all = visibility(Scope::All);
        let text = seal.seal(42, &all);
        assert_eq!(text.len(), 42);
        assert_eq!(seal.open(&text, &all), Ok(42));
        assert_eq!(text, seal.seal(42, &all));
    }

    #[test]
    fn what_is_none_of_ours_is_refused() {
        let seal = Seal::new("secret", "e").unwrap();
        let all = visibility(Scope::All);
        let text = seal.seal(42, &all);
        assert_eq!(seal.open(&text, &visibility(Scope::Account("shop".to_owned()))), Err(CursorError::Invalid));
        let other = Seal::new("secret", "f").unwrap();
        assert_eq!(other.open(&text, &all), Err(CursorError::Epoch));
        assert_eq!(Seal::new("another", "e").unwrap().open(&text, &all), Err(CursorError::Invalid));
        for index in 0..text.len() {
            let mut tampered = text.clone().into_bytes();
            tampered[index] = if tampered[index] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(tampered).unwrap();
            assert!(seal.open(&tampered, &all).is_err(), "{tampered}");
        }
        for text in ["", "x", "!!", &"A".repeat(500), &text[..20], &format!("{text}AA")] {
            assert!(seal.open(text, &all).is_err(), "{text}");
        }
    }
}
