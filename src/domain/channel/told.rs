//! What somebody told, as JSON, read without losing anything: numbers as they were written, since ids exceed
//! what floats hold; and nothing that is missing or of another type is an error.

use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, NaiveDateTime, SubsecRound, TimeZone, Utc};
use rust_decimal::Decimal;
use serde_json::value::RawValue;

/// No amount and no quantity is larger.
const LARGEST: i64 = 1_000_000_000_000_000;

/// A value, or none.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a>(Option<&'a RawValue>);

/// The fields of an object; none for what is no object.
#[derive(Debug, Default)]
pub struct Fields<'a>(HashMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The fields of a body, if it is an object in JSON.
    pub fn of_body(body: &'a str) -> Option<Self> {
        serde_json::from_str(body).ok().map(Self)
    }

    /// A field.
    pub fn get(&self, name: &str) -> Told<'a> {
        Told(self.0.get(name).copied())
    }
}

impl<'a> Told<'a> {
    fn raw(self) -> &'a str {
        self.0.map_or("null", RawValue::get)
    }

    /// Its fields.
    pub fn fields(self) -> Fields<'a> {
        serde_json::from_str(self.raw()).map(Fields).unwrap_or_default()
    }

    /// Its entries.
    pub fn list(self) -> Vec<Told<'a>> {
        let entries: Vec<&RawValue> = serde_json::from_str(self.raw()).unwrap_or_default();
        entries.into_iter().map(|entry| Told(Some(entry))).collect()
    }

    /// Is there a list?
    pub fn is_list(self) -> bool {
        self.raw().starts_with('[')
    }

    /// A text, or a number exactly as it was written; without what no column holds, and never blank.
    pub fn text(self) -> Option<String> {
        let raw = self.raw();
        let text = if raw.starts_with('"') {
            serde_json::from_str::<String>(raw).ok()?
        } else if raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            raw.to_owned()
        } else {
            return None;
        };
        let clean: String = text.chars().filter(|one| !one.is_control() || matches!(one, '\n' | '\t')).collect();
        let clean = clean.trim();
        (!clean.is_empty()).then(|| clean.to_owned())
    }

    /// A number, written as one or as a text.
    pub fn decimal(self) -> Option<Decimal> {
        let text = self.text()?;
        let exact = Decimal::from_str_exact(&text).ok();
        let number = exact.or_else(|| Decimal::from_scientific(&text).ok())?;
        // Whatever is computed from it stays within what decimals hold.
        (number.abs() <= Decimal::from(LARGEST)).then(|| number.normalize())
    }

    /// True, if it says so.
    pub fn is_true(self) -> bool {
        self.raw() == "true"
    }

    /// A moment: with an offset of its own, or without one at the offset given.
    pub fn moment(self, otherwise: FixedOffset) -> Option<DateTime<Utc>> {
        let text = self.text()?;
        if let Ok(moment) = DateTime::parse_from_rfc3339(&text) {
            return Some(moment.with_timezone(&Utc).trunc_subsecs(6));
        }
        let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
        let local = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())?;
        let moment = otherwise.from_local_datetime(&local).single()?;
        Some(moment.with_timezone(&Utc).trunc_subsecs(6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_what_they_were() {
        let body = r#"{"id": 820982911946154508, "long": 98765432109876543210987, "price": 12.10, "small": 1e-3,
            "text": " a\u0000b ", "blank": "  ", "yes": true, "list": [1, "2"], "inner": {"a": null}}"#;
        let fields = Fields::of_body(body).unwrap();
        let text = |name: &str| fields.get(name).text();
        assert_eq!(text("id").as_deref(), Some("820982911946154508"));
        assert_eq!(text("long").as_deref(), Some("98765432109876543210987"));
        assert_eq!(text("text").as_deref(), Some("ab"));
        assert_eq!((text("blank"), text("yes"), text("absent")), (None, None, None));
        assert_eq!(fields.get("price").decimal().unwrap().to_string(), "12.1");
        assert_eq!(fields.get("small").decimal().unwrap().to_string(), "0.001");
        assert_eq!(fields.get("long").decimal(), None);
        assert!(fields.get("yes").is_true() && !fields.get("id").is_true());
        let entries: Vec<_> = fields.get("list").list().into_iter().filter_map(Told::text).collect();
        assert_eq!(entries, ["1", "2"]);
        assert!(fields.get("inner").fields().get("a").text().is_none() && fields.get("id").list().is_empty());
        assert!(Fields::of_body("[1]").is_none() && Fields::of_body("{").is_none());
    }

    #[test]
    fn moments_have_an_offset_of_their_own_or_the_channels() {
        let body = r#"{"own": "2025-07-02T11:30:45-05:00", "none": "2017-03-22T16:28:02", "no": "yesterday"}"#;
        let fields = Fields::of_body(body).unwrap();
        let east = FixedOffset::east_opt(8 * 3600).unwrap();
        let at = |name: &str| fields.get(name).moment(east).map(|moment| moment.to_rfc3339());
        assert_eq!(at("own").as_deref(), Some("2025-07-02T16:30:45+00:00"));
        assert_eq!(at("none").as_deref(), Some("2017-03-22T08:28:02+00:00"));
        assert_eq!(at("no"), None);
    }
}
