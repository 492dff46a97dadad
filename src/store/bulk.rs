//! Many rows in one value. A statement with a parameter for each value has another text for each number of rows, which
//! PostgreSQL parses, plans and keeps; with the rows as JSON it has one text, whatever their number.

use std::fmt::Write;

use chrono::SecondsFormat;
use sea_orm::Value;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement};

/// Fewer rows are quicker with a parameter for each value.
const MANY: usize = 24;

/// Selects the rows out of one value, if there are many and each value has a form in JSON that the table's own types
/// read back exactly.
pub(super) fn select(table: &str, columns: &[&'static str], rows: &[Vec<Value>]) -> Option<SelectStatement> {
    if rows.len() < MANY {
        return None;
    }
    let mut text = String::with_capacity(rows.len() * columns.len() * 24);
    for row in rows {
        text.push(if text.is_empty() { '[' } else { ',' });
        for (place, (column, value)) in columns.iter().zip(row).enumerate() {
            text.push(if place == 0 { '{' } else { ',' });
            // Names of columns need no escaping.
            let _ = write!(text, "\"{column}\":");
            json(value, &mut text)?;
        }
        text.push('}');
    }
    text.push(']');
    let row = Expr::cust(format!(r#"NULL::"{table}""#));
    let records = Func::cust("json_populate_recordset").args([row, Expr::val(text).cast_as("json")]);
    Some(Query::select().columns(columns.iter().map(|column| Alias::new(*column))).from_function(records, "new").take())
}

/// Writes a value as JSON; nothing where the table would read another value.
fn json(value: &Value, text: &mut String) -> Option<()> {
    match value {
        Value::Bool(Some(truth)) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Int(Some(number)) => write!(text, "{number}").ok()?,
        Value::BigInt(Some(number)) => write!(text, "{number}").ok()?,
        Value::String(Some(string)) => text.push_str(&serde_json::to_string(string).ok()?),
        Value::Uuid(Some(id)) => write!(text, "\"{id}\"").ok()?,
        Value::ChronoDate(Some(date)) => write!(text, "\"{date}\"").ok()?,
        Value::ChronoDateTimeUtc(Some(moment)) => {
            write!(text, "\"{}\"", moment.to_rfc3339_opts(SecondsFormat::Micros, true)).ok()?;
        }
        // Nothing in JSON would be nothing at all.
        Value::Json(Some(value)) if **value != serde_json::Value::Null => text.push_str(&value.to_string()),
        Value::Bool(None)
        | Value::Int(None)
        | Value::BigInt(None)
        | Value::String(None)
        | Value::Uuid(None)
        | Value::ChronoDate(None)
        | Value::ChronoDateTimeUtc(None)
        | Value::Json(None) => text.push_str("null"),
        _ => return None,
    }
    Some(())
}
