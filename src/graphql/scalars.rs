//! The scalars of the schema, each with a specification of its own.

use std::str::FromStr;

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, SubsecRound, Utc};

use crate::domain::money::Currency;

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub chrono::DateTime<Utc>);

/// A moment as RFC 3339 writes it, such as `2026-03-31T08:30:00Z`. Any offset is accepted; answers
/// are in UTC. Kept to the microsecond.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let moment = chrono::DateTime::parse_from_rfc3339(text)
            .map_err(|_| InputValueError::custom("Write a moment like 2026-03-31T08:30:00Z."))?;
        Ok(Self(moment.with_timezone(&Utc).trunc_subsecs(6)))
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl From<chrono::DateTime<Utc>> for DateTime {
    fn from(moment: chrono::DateTime<Utc>) -> Self {
        Self(moment)
    }
}

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// A day of the calendar without a time, such as `2026-03-31`.
#[Scalar(name = "Date", specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        text.parse()
            .ok()
            .filter(|date: &NaiveDate| text.len() == 10 && date.to_string() == *text)
            .map(Self)
            .ok_or_else(|| InputValueError::custom("Write a day like 2026-03-31."))
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<NaiveDate> for Date {
    fn from(date: NaiveDate) -> Self {
        Self(date)
    }
}

/// An exact decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub rust_decimal::Decimal);

/// An exact decimal number, written as a string such as `"12.50"`; whole numbers may also be written
/// without quotes. Floating-point numbers and exponents are refused, since they are not exact.
/// Answers are strings without trailing zeros.
#[Scalar(name = "Decimal", specified_by_url = "https://www.w3.org/TR/xmlschema11-2/#decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Number(number) if !number.is_f64() => number.to_string(),
            _ => {
                return Err(InputValueError::custom(
                    "Write a decimal as a string, such as \"12.50\": other numbers are not exact.",
                ));
            }
        };
        decimal(&text).map(Self).ok_or_else(|| {
            InputValueError::custom("Write a decimal with digits and at most one point, such as \"12.50\".")
        })
    }

    fn is_valid(value: &Value) -> bool {
        match value {
            Value::String(_) => true,
            Value::Number(number) => !number.is_f64(),
            _ => false,
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.normalize().to_string())
    }
}

/// Digits with at most one point inside and a minus before: what `FromStr` takes besides is refused.
fn decimal(text: &str) -> Option<rust_decimal::Decimal> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || fraction.is_some_and(|fraction| !digits(fraction)) {
        return None;
    }
    // The exact parser refuses what would have to be rounded.
    rust_decimal::Decimal::from_str_exact(text).ok()
}

impl From<rust_decimal::Decimal> for Decimal {
    fn from(value: rust_decimal::Decimal) -> Self {
        Self(value)
    }
}

impl FromStr for Decimal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        decimal(text).map(Self).ok_or(())
    }
}

/// A currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

/// The three-letter code of a currency by ISO 4217, such as `CNY`.
#[Scalar(name = "CurrencyCode", specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        Currency::from_code(text).map(Self).ok_or_else(|| InputValueError::custom("This is no ISO 4217 code."))
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.code().to_owned())
    }
}

impl From<Currency> for CurrencyCode {
    fn from(currency: Currency) -> Self {
        Self(currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::Number;

    #[test]
    fn only_exact_decimals_are_taken() {
        for text in ["0", "12.50", "-3", "0.0001", "007"] {
            assert!(Decimal::parse(Value::from(text)).is_ok(), "{text}");
        }
        for text in ["", "1e3", "NaN", "1.", ".5", "+1", "1_000", "１", " 1", "1.2.3"] {
            assert!(Decimal::parse(Value::from(text)).is_err(), "{text}");
        }
        assert!(Decimal::parse(Value::from("0.00000000000000000000000000000001")).is_err());
        assert!(Decimal::parse(Value::from(12)).is_ok());
        let float = Number::from_f64(12.5).map(Value::Number);
        assert!(float.is_some_and(|float| Decimal::parse(float).is_err()));
    }

    #[test]
    fn a_decimal_is_answered_without_trailing_zeros() {
        let parsed = Decimal::parse(Value::from("12.50")).map(|one| one.to_value());
        assert_eq!(parsed.ok(), Some(Value::from("12.5")));
    }

    #[test]
    fn days_and_moments_have_one_form() {
        assert!(Date::parse(Value::from("2026-03-31")).is_ok());
        for text in ["2026-3-31", "2026-02-30", "31.3.2026", "+12026-03-31"] {
            assert!(Date::parse(Value::from(text)).is_err(), "{text}");
        }
        let moment = DateTime::parse(Value::from("2026-03-31T10:30:00+02:00"));
        assert_eq!(moment.ok().map(|moment| moment.to_value()), Some(Value::from("2026-03-31T08:30:00Z")));
    }
}
