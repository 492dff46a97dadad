//! What people and spreadsheets make of numbers, dates and identifiers. Nothing is guessed: what may have lost digits
//! is a fault.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// Moments without an offset are those of China, where the exports come from: UTC+8 all year.
const CHINA: i32 = 8 * 3_600;

/// The text of a cell without what surrounds it: blanks of any width, the mark of byte order, and `="…"`, which keeps a
/// spreadsheet from reading an identifier as a number.
pub fn tidy(cell: &str) -> &str {
    let blank = |one: char| one.is_whitespace() || matches!(one, '\u{feff}' | '\u{200b}');
    let trimmed = cell.trim_matches(blank);
    let quoted = trimmed.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    let bare = quoted.map_or(trimmed, |inner| inner.trim_matches(blank));
    // An apostrophe before digits does the same, and keeps what would begin a formula from being one.
    match bare.strip_prefix('\'') {
        Some(inner) if inner.starts_with(|one: char| one.is_ascii_digit() || "=+-@".contains(one)) => inner,
        _ => bare,
    }
}

/// A number whose last digits a spreadsheet has replaced by an exponent, such as `1.23E+17`.
pub fn has_lost_digits(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    // A number of an order may look like `2E5`, but a spreadsheet writes two digits at least.
    exponent.len() >= 2 && digits(exponent) && mantissa.contains('.') && digits(&mantissa.replacen('.', "", 1))
        || (exponent.len() >= 2 && digits(exponent) && mantissa.len() == 1 && digits(mantissa) && text.contains('+'))
}

/// An exact decimal with digits and at most one point, perhaps behind a sign of money.
pub fn decimal(text: &str) -> Option<Decimal> {
    let text = text.strip_prefix(['¥', '￥']).unwrap_or(text);
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || fraction.is_some_and(|fraction| !digits(fraction)) {
        return None;
    }
    Decimal::from_str_exact(text).ok()
}

/// A day: `2026-03-31`, `2026/3/31`, `2026.3.31`, `2026年3月31日`, `20260331`, the same with a time, or the number by which a
/// spreadsheet counts days.
pub fn date(text: &str) -> Option<NaiveDate> {
    local(text).map(|moment| moment.date())
}

/// A moment: a day as above with or without a time of the day in China, or RFC 3339 with its own offset.
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Some(exact.with_timezone(&Utc));
    }
    let china = FixedOffset::east_opt(CHINA)?;
    china.from_local_datetime(&local(text)?).single().map(|moment| moment.with_timezone(&Utc))
}

fn local(text: &str) -> Option<NaiveDateTime> {
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Some(exact.with_timezone(&FixedOffset::east_opt(CHINA)?).naive_local());
    }
    let normal = text.replace(['年', '月', '/', 'T'], "-").replace('日', " ");
    let mut parts = normal.split_whitespace();
    let first = parts.next()?;
    let first = first.trim_end_matches('-');
    let second = parts.next();
    if parts.next().is_some() {
        return None;
    }
    // A time behind a `T` has become a fourth part of the day.
    let (day, time) = match first.match_indices('-').nth(2) {
        Some((at, _)) => (&first[..at], Some(&first[at + 1..])),
        None => (first, second),
    };
    let pieces: Vec<&str> = day.split(['-', '.']).collect();
    let all_digits = pieces.iter().all(|piece| !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_digit()));
    if !all_digits {
        return None;
    }
    match (pieces.as_slice(), time) {
        ([year, month, day], time) if year.len() == 4 => {
            let day = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
            Some(day.and_time(time.map_or(Some(NaiveTime::MIN), time_of_day)?))
        }
        ([whole], time) if whole.len() == 8 => {
            let day = NaiveDate::parse_from_str(whole, "%Y%m%d").ok()?;
            Some(day.and_time(time.map_or(Some(NaiveTime::MIN), time_of_day)?))
        }
        ([whole] | [whole, _], None) if whole.len() == 5 => serial(day),
        _ => None,
    }
}

fn time_of_day(text: &str) -> Option<NaiveTime> {
    let mut parts = text.split(':');
    let mut next = || parts.next().map(str::parse::<u32>);
    let (hour, minute, second) = (next()?.ok()?, next()?.ok()?, next().transpose().ok()?.unwrap_or(0));
    if parts.next().is_some() {
        return None;
    }
    NaiveTime::from_hms_opt(hour, minute, second)
}

/// Days since the last day but one of 1899, and a fraction of a day, to the second.
fn serial(text: &str) -> Option<NaiveDateTime> {
    let number = decimal(text)?;
    let days = number.trunc().to_u64()?;
    let seconds = (number.fract() * Decimal::from(86_400))
        .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
        .to_i64()?;
    let day = NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(Days::new(days))?;
    day.and_time(NaiveTime::MIN).checked_add_signed(chrono::Duration::seconds(seconds))
}

/// A text that a spreadsheet shows as it is: what would begin a formula gets an apostrophe before it.
pub fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_come_through_whole_or_not_at_all() {
        for (cell, expected) in [
            ("=\"123456789012345678\"", "123456789012345678"),
            ("123456789012345678\t", "123456789012345678"),
            ("'123456789012345678", "123456789012345678"),
            ("\u{feff} A-1\u{3000}", "A-1"),
            ("'quoted'", "'quoted'"),
        ] {
            assert_eq!(tidy(cell), expected);
        }
        for lost in ["1.23E+17", "1.23457E+17", "1.0e18", "2E+17"] {
            assert!(has_lost_digits(lost), "{lost}");
        }
        for whole in ["123456789012345678", "SO43659", "2E5", "A1.2E+17", "E17", "1.2.3E+17"] {
            assert!(!has_lost_digits(whole), "{whole}");
        }
    }

    #[test]
    fn days_are_read_as_people_and_spreadsheets_write_them() {
        let day = NaiveDate::from_ymd_opt(2024, 1, 5);
        for text in
            ["2024-01-05", "2024/1/5", "2024.1.5", "2024年1月5日", "20240105", "2024/1/5 9:03", "45296", "45296.377"]
        {
            assert_eq!(date(text), day, "{text}");
        }
        for text in ["5/1/2024", "2024-13-01", "2024-02-30", "tomorrow", "", "1.5", "2024/1/5 25:00", "2024-1-5 1 2"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn moments_without_an_offset_are_those_of_china() {
        let shown = |text| moment(text).map(|moment| moment.to_rfc3339());
        for (text, expected) in [
            ("2024/1/5 9:03", "2024-01-05T01:03:00+00:00"),
            ("2024-01-05 09:03:07", "2024-01-05T01:03:07+00:00"),
            ("2024-01-05T09:03:00", "2024-01-05T01:03:00+00:00"),
            ("45296.377", "2024-01-05T01:02:53+00:00"),
            ("2024-01-05T09:03:00+01:00", "2024-01-05T08:03:00+00:00"),
            ("2024年1月5日 9:03", "2024-01-05T01:03:00+00:00"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn only_exact_numbers_are_read() {
        assert_eq!(decimal("￥12.50"), Some(Decimal::new(1250, 2)));
        for text in ["1e3", "1,000", "12.", ".5", "+1", "", "１"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn no_cell_begins_a_formula() {
        assert_eq!(harmless("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(harmless("@A"), "'@A");
        assert_eq!(harmless("A=1"), "A=1");
    }
}
