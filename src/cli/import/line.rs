//! The form of docs/import.md: one order on one line.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

pub(crate) use crate::domain::import::{LineForm, OrderForm};

/// Bytes a line may have: the server takes no larger request.
pub(crate) const LONGEST_LINE: usize = 250_000;

/// A line of a file, as far as it was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RawLine {
    /// Its number, from 1.
    pub(crate) number: u64,
    /// Its bytes without the line break; empty if there are too many.
    pub(crate) bytes: Vec<u8>,
    /// Bytes it takes in the file.
    pub(crate) length: u64,
    /// Was it too long to be kept?
    pub(crate) too_long: bool,
}

impl RawLine {
    /// Is there nothing on it?
    pub(crate) fn is_blank(&self) -> bool {
        !self.too_long && self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    /// The order on it, or what is wrong with its form.
    pub(crate) fn order(&self) -> Result<OrderForm, String> {
        if self.too_long {
            return Err(format!("The line has more than {LONGEST_LINE} bytes."));
        }
        std::str::from_utf8(&self.bytes).map_err(|_| "The line is not UTF-8.".to_owned())?.parse()
    }
}

/// Reads the next line in bounded memory: what is too long is skipped, not kept. Nothing at the end.
pub(crate) async fn next_line<R: AsyncBufRead + Unpin>(
    reader: &mut R,
    number: u64,
) -> std::io::Result<Option<RawLine>> {
    let mut line = RawLine { number, ..RawLine::default() };
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            return Ok((line.length > 0).then_some(line));
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let kept = end.unwrap_or(available.len());
        if line.bytes.len() + kept > LONGEST_LINE {
            line.too_long = true;
            line.bytes = Vec::new();
        }
        if !line.too_long {
            line.bytes.extend_from_slice(&available[..kept]);
        }
        let taken = end.map_or(kept, |position| position + 1);
        line.length += taken as u64;
        reader.consume(taken);
        if end.is_some() {
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> RawLine {
        RawLine { number: 1, bytes: text.as_bytes().to_vec(), length: text.len() as u64, too_long: false }
    }

    const ORDER: &str = r#"{"channel":"E_COMMERCE","externalReference":"A1","customerNumber":"C1","region":"FR","currencyCode":"EUR","requiredWithinDays":3,"contact":{},"deliveryAddress":{"street":"1 Road","city":"Lyon","countryCode":"FR"},"lines":[{"sku":"X","quantity":"1","unitPrice":"2.5"}]}"#;

    #[test]
    fn an_order_becomes_the_input_of_the_mutation() {
        let order = line(ORDER).order().unwrap();
        let input = serde_json::to_value(&order).unwrap();
        assert_eq!(input["priority"], "NORMAL");
        assert_eq!(input["contact"]["companyName"], "");
        assert_eq!(input["lines"][0]["unitPrice"], "2.5");
        assert!(input.get("requiredBy").is_none());
    }

    #[test]
    fn faults_of_form_are_told() {
        for (change, expected) in [
            (("\"quantity\":\"1\"", "\"quantity\":1"), "invalid type: integer `1`"),
            (("\"region\":\"FR\",", ""), "missing field `region`"),
            (("\"sku\"", "\"SKU\""), "unknown field `SKU`"),
            (("E_COMMERCE", "SHOP"), "unknown variant `SHOP`"),
            (("}]}", "}]}]"), "trailing characters"),
        ] {
            let fault = line(&ORDER.replace(change.0, change.1)).order().unwrap_err();
            assert!(fault.contains(expected), "{fault}");
        }
        for text in ["[]", "null", "{", "{}"] {
            assert!(line(text).order().is_err());
        }
        assert!(line(" \r").is_blank());
    }

    #[tokio::test]
    async fn lines_too_long_are_skipped_whole() {
        let text = format!("a\n{}\n\nb", "x".repeat(LONGEST_LINE + 1));
        let mut reader = tokio::io::BufReader::new(text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut reader, 1).await.unwrap() {
            lines.push((String::from_utf8(line.bytes).unwrap(), line.too_long));
        }
        let expected = [("a", false), ("", true), ("", false), ("b", false)];
        assert_eq!(lines, expected.map(|(text, long)| (text.to_owned(), long)));
    }
}
