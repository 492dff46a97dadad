//! Answers written as text, without a future and a tree of values for each of their fields.
//!
//! The executor of async-graphql remains the one that is right: it checks, it resolves the fields of
//! the root, and it does whatever has to be waited for. A field of the root that returns a
//! [`Tree`] is written here if everything below it is at hand. If something is not (it must be
//! read first, it fails, it is declared in a way the macros do not know), what was written is thrown
//! away and the executor resolves the field as ever. So errors, their paths and what they turn into
//! null are always the executor's, and a type that can't be written costs time, never truth.

mod leaf;
mod selected;
mod tree;

use std::future::Future;
use std::sync::Arc;

use async_graphql::OutputType;
use futures::FutureExt;

use crate::http::json;

pub use selected::Selected;
pub use tree::{ByExecutor, Tree};

/// It can't be written; the executor has to resolve it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwritten;

/// Whether it was written.
pub type Written = Result<(), Unwritten>;

/// Something that can be written where it was selected.
pub trait Write {
    /// Appends its JSON text.
    ///
    /// # Errors
    /// The executor has to resolve it; what was appended is worthless.
    fn write(&self, at: &Selected<'_>, text: &mut String) -> Written;
}

/// A type of the schema with fields. `#[written]` and `#[derive(Written)]` implement it.
pub trait Container: OutputType + Write {
    /// Appends the JSON text of the field that was selected.
    ///
    /// # Errors
    /// See [`Write::write`].
    fn write_field(&self, at: &Selected<'_>, text: &mut String) -> Written;
}

/// Appends the JSON text of an object: the fields that were selected of it, in their order.
///
/// # Errors
/// See [`Write::write`].
pub fn object<T: Container>(value: &T, at: &Selected<'_>, text: &mut String) -> Written {
    let fields = at.fields(&T::type_name());
    if fields.is_empty() {
        // As the executor answers an object of which nothing was selected.
        text.push_str("null");
        return Ok(());
    }
    let mut separator = '{';
    for field in fields.iter() {
        text.push(separator);
        text.push_str(&field.key);
        if field.name == "__typename" {
            json::string(&T::type_name(), text);
        } else {
            value.write_field(field, text)?;
        }
        separator = ',';
    }
    text.push('}');
    Ok(())
}

impl<T: Write + ?Sized> Write for &T {
    fn write(&self, at: &Selected<'_>, text: &mut String) -> Written {
        T::write(self, at, text)
    }
}

impl<T: Write + ?Sized> Write for Arc<T> {
    fn write(&self, at: &Selected<'_>, text: &mut String) -> Written {
        T::write(self, at, text)
    }
}

impl<T: Write> Write for Option<T> {
    fn write(&self, at: &Selected<'_>, text: &mut String) -> Written {
        match self {
            Some(value) => value.write(at, text),
            None => {
                text.push_str("null");
                Ok(())
            }
        }
    }
}

impl<T: Write> Write for [T] {
    fn write(&self, at: &Selected<'_>, text: &mut String) -> Written {
        text.push('[');
        for (index, entry) in self.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            entry.write(at, text)?;
        }
        text.push(']');
        Ok(())
    }
}

impl<T: Write> Write for Vec<T> {
    fn write(&self, at: &Selected<'_>, text: &mut String) -> Written {
        self.as_slice().write(at, text)
    }
}

/// What a resolver returns, if it does not have to wait for it.
///
/// # Errors
/// It has to. What it has begun goes on by itself (a loader reads its batch), and the executor, which
/// asks again, gets the outcome.
pub fn at_once<T>(resolver: impl Future<Output = T>) -> Result<T, Unwritten> {
    resolver.now_or_never().ok_or(Unwritten)
}
