//! A script of pgbench out of the server's own statements: the same texts, constants where two
//! mutations had the same, and new identities, keys and targets where they had others.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value as Json;
use sqlx::postgres::PgConnection;

use crate::capture::{Sample, Statement};
use crate::database;
use crate::fill::Filled;
use crate::operation::writes::{Substitute, Write};

/// The script for all steps of a write. Variables that it takes: `first` and `chunk`, the copies of
/// each client, and `counter`, which begins at -1.
pub async fn script(filled: &Filled, write: Write, steps: &[[Sample; 2]]) -> anyhow::Result<String> {
    let mut connection = database::connect(&filled.url).await?;
    let mut script = "\\set n random(1, 999999999999)\n".to_owned();
    script.push_str(&write.variables(filled));
    if write.template(filled)?.is_some() {
        script.push_str(
            "\\set counter :counter + 1\n\\set step :counter / :chunk\n\
             \\set k :first + :client_id * :chunk + :counter % :chunk\n",
        );
    }
    for (step, samples) in steps.iter().enumerate() {
        let section = Section::new(filled, write, samples);
        if steps.len() > 1 {
            let branch = if step == 0 { "\\if" } else { "\\elif" };
            writeln!(script, "{branch} :step = {step}")?;
        }
        for (one, other) in samples[0].statements.iter().zip(&samples[1].statements) {
            let types = types(&mut connection, one).await?;
            writeln!(script, "{};", section.statement(one, other, &types))?;
        }
    }
    if steps.len() > 1 {
        script.push_str("\\endif\n");
    }
    Ok(script)
}

/// The types of a statement's parameters, as the database understands it.
async fn types(connection: &mut PgConnection, statement: &Statement) -> anyhow::Result<Vec<String>> {
    if statement.parameters.is_empty() {
        return Ok(Vec::new());
    }
    database::run(connection, &format!("PREPARE asked AS {}", statement.text)).await?;
    let sql = "SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = 'asked'";
    let found = database::texts(connection, sql).await?;
    database::run(connection, "DEALLOCATE asked").await?;
    Ok(found)
}

struct Section {
    /// Of the first and of the second sample.
    substitutes: [Vec<Substitute>; 2],
    /// The copy that the first sample wrote to.
    copy: Option<u64>,
    /// New texts and identities of the first sample, by the order in which they are met.
    new: std::cell::RefCell<BTreeMap<String, usize>>,
}

impl Section {
    fn new(filled: &Filled, write: Write, samples: &[Sample; 2]) -> Self {
        let substitutes = [0, 1].map(|index: usize| write.substitutes(filled, samples[index].target));
        let copy = (write != Write::W1).then_some(samples[0].target.copy);
        Self { substitutes, copy, new: std::cell::RefCell::default() }
    }

    fn statement(&self, one: &Statement, other: &Statement, types: &[String]) -> String {
        let mut text = String::new();
        let mut rest = one.text.as_str();
        while let Some(at) = rest.find('$') {
            let digits = rest[at + 1..].find(|character: char| !character.is_ascii_digit());
            let digits = digits.unwrap_or(rest.len() - at - 1);
            text.push_str(&rest[..at]);
            match rest[at + 1..at + 1 + digits].parse::<usize>().ok().filter(|number| *number > 0) {
                Some(number) => {
                    let of = |statement: &Statement| statement.parameters.get(number - 1).cloned().flatten();
                    text.push_str(&self.parameter(of(one).as_deref(), of(other).as_deref()));
                    if let Some(kind) = types.get(number - 1) {
                        text.push_str("::");
                        text.push_str(kind);
                    }
                }
                None => text.push('$'),
            }
            rest = &rest[at + 1 + digits..];
        }
        text.push_str(rest);
        text
    }

    fn parameter(&self, one: Option<&str>, other: Option<&str>) -> String {
        let Some(value) = one else { return "NULL".to_owned() };
        let Some(other) = other.filter(|other| *other != value) else { return literal(value) };
        if let Some(expression) = self.element(value, other) {
            return expression;
        }
        let inner = |text: &str| Some(text.strip_prefix('{')?.strip_suffix('}')?.replace('"', ""));
        if serde_json::from_str::<Json>(value).is_ok_and(|json| json.is_object() || json.is_array()) {
            return literal(value);
        }
        if let (Some(elements), Some(others)) = (inner(value), inner(other)) {
            let (elements, others): (Vec<&str>, Vec<&str>) =
                (elements.split(',').collect(), others.split(',').collect());
            if elements.len() == others.len() {
                let parts: Vec<String> = elements
                    .iter()
                    .zip(others)
                    .map(|(one, other)| self.element(one, other).unwrap_or_else(|| literal(one)))
                    .collect();
                return if parts.iter().zip(&elements).all(|(part, one)| *part == literal(one)) {
                    literal(value)
                } else {
                    format!("ARRAY[{}]", parts.join(", "))
                };
            }
        }
        if let Some(expression) = self.of_copy(value) {
            return expression;
        }
        if changes_by_itself(value) {
            return literal(value);
        }
        format!("({} || :n)", literal(&format!("{}{}-", unique_part(value), self.index(value))))
    }

    /// A text that ends with the number of the copy, as all texts do that a copy has for itself.
    fn of_copy(&self, value: &str) -> Option<String> {
        let head = value.trim_end_matches(|character: char| character.is_ascii_digit());
        let digits = (value.len() - head.len()).min(7);
        let (head, number) = value.split_at(value.len() - digits);
        let fits = digits >= 7 && self.copy.is_some() && number.parse().ok() == self.copy;
        fits.then(|| format!("({} || lpad(:k::text, {digits}, '0'))", literal(head)))
    }

    /// New texts and identities of the first sample are told apart by the order they are met in.
    fn index(&self, value: &str) -> usize {
        let mut new = self.new.borrow_mut();
        let next = new.len();
        *new.entry(value.to_owned()).or_insert(next)
    }

    /// An identity or a text that requests name.
    fn element(&self, value: &str, other: &str) -> Option<String> {
        if value == other {
            return Some(literal(value));
        }
        let place = self.substitutes[0].iter().position(|(text, _)| text == value);
        if let Some(place) = place {
            return Some(self.substitutes[0][place].1.clone());
        }
        if !is_identity(value) {
            return None;
        }
        let (head, number) = value.split_at(24);
        if head.ends_with("-0000-4000-8000-") {
            let of_copy = self.copy.is_some() && number.parse().ok() == self.copy;
            return Some(if of_copy { format!("('{head}' || lpad(:k::text, 12, '0'))") } else { literal(value) });
        }
        let index = self.index(value);
        Some(format!("('{index:08}-9999-4000-8000-' || lpad(:n::text, 12, '0'))"))
    }
}

fn is_identity(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Numbers and moments differ between any two mutations and are nobody's key.
fn changes_by_itself(value: &str) -> bool {
    value.parse::<f64>().is_ok()
        || value.len() > 200
        || value.get(..10).is_some_and(|day| chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok())
}

/// The beginning of a text, short enough that a number behind it makes it about as long as it was.
fn unique_part(value: &str) -> String {
    value.chars().take(value.chars().count().saturating_sub(10).max(1)).collect()
}

/// A literal in which pgbench finds no variable of its own: those begin with a colon.
fn literal(text: &str) -> String {
    if text.contains(['\\', ':', '\'']) {
        return format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace(':', "\\x3a"));
    }
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_hold_no_variable_of_pgbench() {
        assert_eq!(literal(r#"{"a":1}"#), r#"E'{"a"\x3a1}'"#);
        assert_eq!(literal("it's"), r"E'it\'s'");
        assert_eq!(literal("plain"), "'plain'");
    }

    #[test]
    fn what_differs_is_replaced_and_what_does_not_is_kept() {
        let section = Section {
            substitutes: [vec![("key-1".to_owned(), ":key".to_owned())], vec![]],
            copy: Some(7),
            new: std::cell::RefCell::default(),
        };
        let of_copy = "00090001-0000-4000-8000-000000000007";
        assert_eq!(section.parameter(Some("a"), Some("a")), "'a'");
        assert_eq!(section.parameter(Some("key-1"), Some("key-2")), ":key");
        assert_eq!(
            section.parameter(Some(of_copy), Some("00090001-0000-4000-8000-000000000008")),
            "('00090001-0000-4000-8000-' || lpad(:k::text, 12, '0'))"
        );
        assert_eq!(section.parameter(Some("17"), Some("18")), "'17'");
        assert_eq!(
            section.parameter(Some("OG-009000000007"), Some("OG-009000000008")),
            "('OG-00900' || lpad(:k::text, 7, '0'))",
            "what comes before is the template's"
        );
        assert_eq!(section.parameter(None, None), "NULL");
    }
}
