//! Texts from clients: no control characters other than line breaks and tabs, which no database
//! column, log line or printed slip should ever meet.

use crate::app::Failure;

/// The text, unless it contains a control character. The argument is named in the message.
pub fn clean(argument: &str, text: String) -> Result<String, Failure> {
    let unwanted = text.chars().find(|one| one.is_control() && !matches!(one, '\n' | '\r' | '\t'));
    match unwanted {
        None => Ok(text),
        Some(one) => {
            Err(Failure::BadInput(format!("{argument} contains the control character U+{:04X}.", u32::from(one))))
        }
    }
}

/// The same for a text that may be absent.
pub fn clean_optional(argument: &str, text: Option<String>) -> Result<Option<String>, Failure> {
    text.map(|text| clean(argument, text)).transpose()
}

/// The same for a list of texts.
pub fn clean_all(argument: &str, texts: Option<Vec<String>>) -> Result<Option<Vec<String>>, Failure> {
    texts
        .map(|texts| {
            texts.into_iter().enumerate().map(|(index, text)| clean(&format!("{argument}.{index}"), text)).collect()
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_refused() {
        assert!(clean("note", "two\nlines\tand 中文".to_owned()).is_ok());
        let refused = clean("note", "a\u{0}b".to_owned()).map_err(|error| error.to_string());
        assert_eq!(refused, Err("note contains the control character U+0000.".to_owned()));
        assert!(clean("note", "\u{1b}[31m".to_owned()).is_err());
        assert!(clean("note", "\u{85}".to_owned()).is_err());
    }
}
