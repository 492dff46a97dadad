//! Comma-separated values, or separated by semicolons or tabs, as spreadsheets of some languages do.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::rc::Rc;

use super::text::{Text, broken};
use super::{FileLimits, Result, Taker};
use crate::domain::import::Row;

/// Bytes in which the headers are looked for.
const HEAD: usize = 16 << 10;

pub(super) fn read(file: File, limits: &FileLimits, take: Taker<'_>) -> Result<()> {
    let allowance = Rc::new(Cell::new(limits.row_bytes));
    let mut text = BufReader::with_capacity(HEAD, Text::open(file, allowance.clone())?);
    // What the reader behind has taken ahead belongs to rows to come.
    let renew = || allowance.set(limits.row_bytes + (1 << 16));
    let head = text.fill_buf()?;
    let separator = separator(head);
    renew();
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(1 << 16)
        .from_reader(text.by_ref());
    let mut record = ::csv::StringRecord::new();
    loop {
        if !reader.read_record(&mut record).map_err(|error| broken(&error))? {
            return Ok(());
        }
        renew();
        // Where a record begins is told wrongly behind blank lines; where it ends is not.
        let within: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
        let end = usize::try_from(reader.position().line()).unwrap_or(0);
        let number = i64::try_from(end.saturating_sub(1 + within)).unwrap_or(0);
        take(Row { number, cells: record.iter().map(str::to_owned).collect() })?;
    }
}

/// The one of three that the headers have most of, outside of quotation marks.
fn separator(head: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            other if !quoted => {
                if let Some((_, count)) = counts.iter_mut().find(|(separator, _)| separator == other) {
                    *count += 1;
                }
            }
            _ => {}
        }
    }
    // Of equal counts the first: a comma.
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    counts.iter().find(|(_, count)| *count == most).map_or(b',', |(separator, _)| *separator)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    fn rows(bytes: &[u8], limits: &FileLimits) -> Result<Vec<(i64, Vec<String>)>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        let mut found = Vec::new();
        read(file, limits, &mut |row| {
            found.push((row.number, row.cells));
            Ok(())
        })?;
        Ok(found)
    }

    fn cells(one: &[&str]) -> Vec<String> {
        one.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn text_is_read_in_every_way_a_spreadsheet_writes_it() {
        let text = "订单编号,备注\r\n1,\"两\n行\"\r\n2,二\r\n";
        let expected = vec![(1, cells(&["订单编号", "备注"])), (2, cells(&["1", "两\n行"])), (4, cells(&["2", "二"]))];
        let (gb18030, ..) = encoding_rs::GB18030.encode(text);
        let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
        for bytes in [text.as_bytes(), &marked, &gb18030, &utf16] {
            assert_eq!(rows(bytes, &FileLimits::default()).unwrap(), expected);
        }
        let blank = rows(b"a\r\n\r\n\r\n1\n\n2", &FileLimits::default()).unwrap();
        assert_eq!(blank.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 4, 6]);
        assert_eq!(rows(b"a;b\n1;\"2,3\"\n", &FileLimits::default()).unwrap()[1].1, cells(&["1", "2,3"]));
        assert_eq!(rows(b"a\tb\n1\t2\n", &FileLimits::default()).unwrap()[1].1, cells(&["1", "2"]));
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_takes_no_memory() {
        let limits = FileLimits { row_bytes: 100_000, ..FileLimits::default() };
        let endless = format!("a,b\n1,\"{}", "x".repeat(1_000_000));
        let told = rows(endless.as_bytes(), &limits).unwrap_err().to_string();
        assert!(told.contains("never closed"), "{told}");
        let told = rows(b"a,b\n\xFF\xFF\xFF", &limits).unwrap_err().to_string();
        assert!(told.contains("neither UTF-8 nor GB18030"), "{told}");
    }
}
