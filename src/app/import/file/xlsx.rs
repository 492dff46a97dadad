//! Spreadsheets of Office Open XML: the first sheet, cell by cell. What the file unpacks to is measured first, since a
//! small one may unpack to more than any memory.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use calamine::{DataRef, Reader, Xlsx};

use super::{FileLimits, Result, Taker, Unreadable};
use crate::domain::import::Row;

/// Parts of a file.
const PARTS: usize = 1_000;

pub(super) fn read(mut file: File, limits: &FileLimits, take: Taker<'_>) -> Result<()> {
    measure(&mut file, limits)?;
    file.seek(SeekFrom::Start(0))?;
    let broken = |error: calamine::XlsxError| Unreadable(format!("The spreadsheet cannot be read: {error}."));
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(broken)?;
    let Some(name) = book.sheet_names().first().cloned() else {
        return Err(Unreadable("The spreadsheet has no sheet.".to_owned()));
    };
    let mut cells = book.worksheet_cells_reader(&name).map_err(broken)?;
    let mut row = Row::default();
    let mut bytes = 0;
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (line, column) = cell.get_position();
        let number = i64::from(line) + 1;
        if number != row.number {
            if number < row.number {
                return Err(Unreadable(format!("Row {number} stands behind row {}.", row.number)));
            }
            if row.number > 0 {
                take(std::mem::take(&mut row))?;
            }
            row.number = number;
            bytes = 0;
        }
        let column = column as usize;
        if column >= limits.columns {
            if matches!(cell.get_value(), DataRef::Empty) {
                continue;
            }
            return Err(Unreadable(format!("Row {number} has more than {} columns.", limits.columns)));
        }
        let text = shown(cell.get_value());
        bytes += text.len();
        if bytes > limits.row_bytes {
            return Err(Unreadable(format!("Row {number} has more than {} bytes.", limits.row_bytes)));
        }
        if row.cells.len() <= column {
            row.cells.resize(column + 1, String::new());
        }
        row.cells[column] = text;
    }
    if row.number > 0 { take(row) } else { Ok(()) }
}

/// Unpacks everything once, into nothing.
fn measure(file: &mut File, limits: &FileLimits) -> Result<()> {
    let broken = |error: zip::result::ZipError| Unreadable(format!("The file is no spreadsheet: {error}."));
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    if archive.len() > PARTS {
        return Err(Unreadable(format!("The spreadsheet has more than {PARTS} parts.")));
    }
    let mut left = limits.unpacked_bytes;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(broken)?;
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut std::io::sink())?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            Unreadable(format!("The spreadsheet unpacks to more than {} bytes.", limits.unpacked_bytes))
        })?;
    }
    Ok(())
}

/// Spreadsheets keep fifteen digits of a number.
const EXACT: u64 = 1_000_000_000_000_000;

fn with_exponent(text: &str) -> String {
    if text.contains('.') { text.replace('E', "E+") } else { text.replace('E', ".0E+") }
}

/// What a cell shows. A number of more than fifteen digits has lost some: it is shown with an exponent, so that it is
/// told from one that has not.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) if number.unsigned_abs() < EXACT => number.to_string(),
        DataRef::Int(number) => with_exponent(&format!("{number:E}")),
        DataRef::Float(number) if number.abs() >= 1e15 => with_exponent(&format!("{number:E}")),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(truth) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            }
        }
        DataRef::DateTime(duration) => duration.as_f64().to_string(),
        DataRef::Error(error) => error.to_string(),
    }
}
