//! JSON Lines: one order a line, in UTF-8.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use super::{FileLimits, Result, Taker, Unreadable};
use crate::domain::import::Row;

pub(super) fn read(file: File, limits: &FileLimits, take: Taker<'_>) -> Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let most = limits.row_bytes;
    for number in 1.. {
        let mut bytes = Vec::new();
        let taken = (&mut reader).take(most as u64 + 1).read_until(b'\n', &mut bytes)?;
        if taken == 0 {
            return Ok(());
        }
        let is_cut = bytes.last() != Some(&b'\n') && taken > most;
        if is_cut {
            skip_line(&mut reader)?;
        }
        let line = match (is_cut, String::from_utf8(bytes)) {
            // A line that is none is told like any other bad line.
            (true, _) => format!("The line has more than {most} bytes."),
            (false, Ok(line)) => line.trim_start_matches('\u{feff}').trim_end().to_owned(),
            (false, Err(_)) => "The line is not UTF-8.".to_owned(),
        };
        take(Row { number, cells: vec![line] })?;
    }
    Err(Unreadable("The file never ends.".to_owned()))
}

/// Passes over what is left of a line, in bounded memory.
fn skip_line(reader: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let available = reader.fill_buf()?;
        if available.is_empty() {
            return Ok(());
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(available.len(), |end| end + 1);
        reader.consume(taken);
        if end.is_some() {
            return Ok(());
        }
    }
}
