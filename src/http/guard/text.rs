//! One pass over the bytes of a document, before the parser sees it.

use super::{Limits, Refusal};
use crate::http::error::code;

/// Refuses text that is too long, has too many tokens or nests brackets too deeply.
///
/// The pass agrees with the parser about where strings and comments end. Where the parser would
/// try a second reading (an unclosed block string may also be read as an empty string followed by
/// another string), the text is refused here, since brackets would be counted wrongly.
pub(super) fn check(text: &str, limits: &Limits) -> Result<(), Box<Refusal>> {
    if text.len() > limits.document_bytes {
        return Err(Box::new(Refusal::new(
            code::DOCUMENT_TOO_LARGE,
            format!("The document is {} bytes long; at most {} are accepted.", text.len(), limits.document_bytes),
        )));
    }

    let bytes = text.as_bytes();
    let mut position = 0;
    let mut tokens = 0_usize;
    let mut open_brackets = 0_usize;

    while let Some(&byte) = bytes.get(position) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                position += 1;
                continue;
            }
            b'#' => {
                position = end_of_comment(bytes, position);
                continue;
            }
            _ => {}
        }
        if text[position..].starts_with('\u{feff}') {
            position += '\u{feff}'.len_utf8();
            continue;
        }

        tokens += 1;
        if tokens > limits.document_tokens {
            return Err(Box::new(Refusal::new(
                code::DOCUMENT_TOO_MANY_TOKENS,
                format!("The document has more than {} tokens.", limits.document_tokens),
            )));
        }

        position = match byte {
            b'{' | b'(' | b'[' => {
                open_brackets += 1;
                if open_brackets > limits.bracket_nesting {
                    return Err(Box::new(Refusal::new(
                        code::DOCUMENT_TOO_DEEP,
                        format!("Brackets are nested more than {} levels deep.", limits.bracket_nesting),
                    )));
                }
                position + 1
            }
            b'}' | b')' | b']' => {
                open_brackets = open_brackets.saturating_sub(1);
                position + 1
            }
            b'"' => end_of_string(bytes, position).ok_or_else(|| {
                Box::new(Refusal::new(code::GRAPHQL_PARSE_FAILED, "Syntax error: a string is not closed."))
            })?,
            b'.' if bytes[position..].starts_with(b"...") => position + 3,
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                end_of_run(bytes, position, |other| other == b'_' || other.is_ascii_alphanumeric())
            }
            b'-' | b'0'..=b'9' => {
                end_of_run(bytes, position, |other| matches!(other, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
            }
            // Anything outside ASCII is an error here; the parser says so with the position.
            128..=255 => end_of_run(bytes, position, |other| other >= 128),
            _ => position + 1,
        };
    }
    Ok(())
}

fn end_of_run(bytes: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let mut position = start + 1;
    while bytes.get(position).is_some_and(|&byte| belongs(byte)) {
        position += 1;
    }
    position
}

fn end_of_comment(bytes: &[u8], start: usize) -> usize {
    end_of_run(bytes, start, |byte| byte != b'\n' && byte != b'\r')
}

/// The position after the string that starts at `start`, or nothing if it is not closed.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes[start..].starts_with(b"\"\"\"") {
        let mut position = start + 3;
        loop {
            let rest = bytes.get(position..)?;
            if rest.starts_with(b"\\\"\"\"") {
                position += 4;
            } else if rest.starts_with(b"\"\"\"") {
                return Some(position + 3);
            } else if rest.is_empty() {
                return None;
            } else {
                position += 1;
            }
        }
    }
    let mut position = start + 1;
    loop {
        match bytes.get(position)? {
            b'"' => return Some(position + 1),
            b'\\' => position += 2,
            b'\n' | b'\r' => return None,
            _ => position += 1,
        }
    }
}
