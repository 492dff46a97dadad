//! A row that the server wrote, with holes where another copy of it differs: identities, moments,
//! and texts that must be unique or belong to a customer or product.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime};

use super::reference::Reference;

/// Template number of products and of those that belong to one copy each; see [`identity`].
pub const PRODUCTS: u32 = 9_000;
pub const OWN_PRODUCTS: u32 = 9_001;
pub const CUSTOMERS: u32 = 9_002;

/// The identity in a place of a copy: readable, and such that SQL can compute it from a number.
pub fn identity(template: u32, place: u32, number: u64) -> String {
    format!("{template:04}{place:04}-0000-4000-8000-{number:012}")
}

/// A text of the template that other copies have another one for.
#[derive(Clone, Debug)]
pub enum Name {
    /// One that nobody else may have: what it begins with, how many digits follow, and which of the
    /// template's it is.
    Unique(String, usize, u32),
    /// A field of the customer.
    Customer(Field),
    /// A field of the template's product of this index.
    Product(usize, Field),
}

/// What is known of customers and products.
#[derive(Clone, Copy, Debug)]
pub enum Field {
    Id,
    Code,
    Name,
    LowerName,
    Contact,
    Email,
    Phone,
}

enum Piece {
    Text(Vec<u8>),
    Own(u32),
    /// Microseconds are kept as they are; the flag says whether a T stands in between.
    Moment(NaiveDateTime, bool),
    Day(NaiveDate),
    Name(Name),
}

/// One row.
pub struct Stencil(Vec<Piece>);

/// What a template's rows are searched for.
#[derive(Default)]
pub struct Known {
    names: Vec<(String, Name)>,
    shared: BTreeSet<String>,
    places: BTreeMap<String, u32>,
}

/// One copy.
pub struct Variant {
    pub template: u32,
    pub number: u64,
    pub days: u64,
    pub seconds: i64,
    pub customer: u64,
    pub products: Vec<(u32, u64)>,
}

impl Known {
    /// What is looked for, and identities that all copies share.
    pub fn new(mut names: Vec<(String, Name)>, shared: BTreeSet<String>) -> Self {
        names.retain(|(text, _)| !text.is_empty());
        // The longest first: an email address holds a customer's number.
        names.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        names.dedup_by(|a, b| a.0 == b.0);
        Self { names, shared, places: BTreeMap::new() }
    }

    /// The place of an identity of the template's own.
    pub fn place(&self, id: &str) -> Option<u32> {
        self.places.get(id).copied()
    }

    fn place_of(&mut self, id: &str) -> u32 {
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        *self.places.entry(id.to_owned()).or_insert(next)
    }

    /// Cuts the holes into a row.
    pub fn cut(&mut self, row: &[u8]) -> Stencil {
        let (mut pieces, mut text, mut at) = (Vec::new(), Vec::new(), 0);
        while at < row.len() {
            if let Some((length, piece)) = self.find(row, at) {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(piece);
                at += length;
            } else {
                text.push(row[at]);
                at += 1;
            }
        }
        pieces.push(Piece::Text(text));
        Stencil(pieces)
    }

    fn find(&mut self, row: &[u8], at: usize) -> Option<(usize, Piece)> {
        let rest = &row[at..];
        let within_word = at > 0 && row[at - 1].is_ascii_alphanumeric();
        // In COPY's text format a letter may follow a backslash: \n, \t, \N.
        let escaped = at > 1 && row[at - 2] == b'\\';
        if let Some((text, name)) = self.names.iter().find(|(text, _)| rest.starts_with(text.as_bytes()))
            && (!within_word || escaped)
            && !rest.get(text.len()).is_some_and(u8::is_ascii_alphanumeric)
        {
            return Some((text.len(), Piece::Name(name.clone())));
        }
        if within_word {
            return None;
        }
        if let Some(id) = shaped(rest, b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
            return (!self.shared.contains(id)).then(|| (id.len(), Piece::Own(self.place_of(id))));
        }
        for joint in ['T', ' '] {
            if let Some(text) = shaped(rest, format!("dddd-dd-dd{joint}dd:dd:dd").as_bytes()) {
                let format = format!("%Y-%m-%d{joint}%H:%M:%S");
                let moment = NaiveDateTime::parse_from_str(text, &format).ok()?;
                return Some((text.len(), Piece::Moment(moment, joint == 'T')));
            }
        }
        let text = shaped(rest, b"dddd-dd-dd")?;
        let ends = !rest.get(10).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| ends)?;
        Some((text.len(), Piece::Day(day)))
    }
}

/// The text at the beginning that has a shape: `d` is a digit, `x` a hexadecimal one.
fn shaped<'a>(bytes: &'a [u8], shape: &[u8]) -> Option<&'a str> {
    let text = bytes.get(..shape.len())?;
    let fits = text.iter().zip(shape).all(|(byte, shape)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'x' => byte.is_ascii_hexdigit(),
        other => byte == other,
    });
    if fits { std::str::from_utf8(text).ok() } else { None }
}

impl Stencil {
    /// Writes the row of a copy, with its line end.
    pub fn write(&self, copy: &Variant, reference: &Reference, out: &mut Vec<u8>) {
        for piece in &self.0 {
            // Writing to memory does not fail.
            let _ = match piece {
                Piece::Text(text) => out.write_all(text),
                Piece::Own(place) => out.write_all(identity(copy.template, *place, copy.number).as_bytes()),
                Piece::Moment(moment, joint) => {
                    let moved = shifted(*moment, copy);
                    let format = if *joint { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
                    write!(out, "{}", moved.format(format))
                }
                Piece::Day(day) => {
                    let moved = day.checked_sub_days(Days::new(copy.days)).unwrap_or(*day);
                    write!(out, "{}", moved.format("%Y-%m-%d"))
                }
                Piece::Name(Name::Unique(prefix, digits, part)) => {
                    write!(out, "{prefix}{:03}{part:02}{:0digits$}", copy.template, copy.number)
                }
                Piece::Name(Name::Customer(field)) => {
                    out.write_all(reference.customer(copy.customer, *field).as_bytes())
                }
                Piece::Name(Name::Product(index, field)) => {
                    let (series, number) = copy.products.get(*index).copied().unwrap_or_default();
                    out.write_all(reference.product(series, number, *field).as_bytes())
                }
            };
        }
        out.push(b'\n');
    }
}

fn shifted(moment: NaiveDateTime, copy: &Variant) -> NaiveDateTime {
    let days = i64::try_from(copy.days).unwrap_or(0) * 86_400;
    let seconds = moment.and_utc().timestamp() - days - copy.seconds;
    DateTime::from_timestamp(seconds, 0).map_or(moment, |moved| moved.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_differs_where_it_must_and_nowhere_else() {
        let names = vec![
            ("OG-AB".to_owned(), Name::Unique("OG-".to_owned(), 7, 1)),
            ("C-1".to_owned(), Name::Customer(Field::Code)),
            ("LAMP".to_owned(), Name::Product(0, Field::Code)),
        ];
        let shared = BTreeSet::from(["11111111-1111-4111-8111-111111111111".to_owned()]);
        let mut known = Known::new(names, shared);
        let row = b"00000000-aaaa-4bbb-8ccc-000000000000\tOG-AB\\nC-1\t11111111-1111-4111-8111-111111111111\t\
            2026-03-10 10:00:00.123+00\t{\"a\": \"2026-03-10T10:00:00Z\", \"b\": \"LAMPS\"}\t2026-03-10\tLAMP\tC-10";
        let stencil = known.cut(row);
        let variant =
            Variant { template: 3, number: 42, days: 2, seconds: 60, customer: 5, products: vec![(PRODUCTS, 9)] };
        let mut copy = Vec::new();
        stencil.write(&variant, &Reference { customers: 10 }, &mut copy);
        assert_eq!(
            String::from_utf8_lossy(&copy),
            "00030000-0000-4000-8000-000000000042\tOG-003010000042\\nK-000005\t11111111-1111-4111-8111-111111111111\t\
             2026-03-08 09:59:00.123+00\t{\"a\": \"2026-03-08T09:59:00Z\", \"b\": \"LAMPS\"}\t2026-03-08\tB-000009\tC-10\n"
        );
        assert_eq!(known.place("00000000-aaaa-4bbb-8ccc-000000000000"), Some(0));
    }
}
