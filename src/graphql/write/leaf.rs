//! Scalars and enumerations as JSON text.

use std::fmt::Write as _;

use async_graphql::{ID, ScalarType};

use super::{Selected, Write, Written};
use crate::graphql::scalars::{CurrencyCode, Date, DateTime, Decimal};
use crate::http::json::{string, value};

macro_rules! strings {
    ($($type:ty => |$one:ident| $text:expr;)+) => { $(
        impl Write for $type {
            fn write(&self, _: &Selected<'_>, text: &mut String) -> Written {
                let $one = self;
                string($text, text);
                Ok(())
            }
        }
    )+ };
}

strings! {
    str => |one| one;
    String => |one| one;
    ID => |one| one;
    CurrencyCode => |one| one.0.code();
}

impl Write for bool {
    fn write(&self, _: &Selected<'_>, text: &mut String) -> Written {
        text.push_str(if *self { "true" } else { "false" });
        Ok(())
    }
}

impl Write for i32 {
    fn write(&self, _: &Selected<'_>, text: &mut String) -> Written {
        // Writing to a string does not fail.
        let _ = write!(text, "{self}");
        Ok(())
    }
}

macro_rules! scalars {
    ($($type:ty),+) => { $(
        impl Write for $type {
            fn write(&self, _: &Selected<'_>, text: &mut String) -> Written {
                value(&self.to_value(), text);
                Ok(())
            }
        }
    )+ };
}

scalars!(Date, DateTime, Decimal);
