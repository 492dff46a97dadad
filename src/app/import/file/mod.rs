//! Reads files of orders in bounded memory: rows go one by one into a second file, and only where each lies is kept.

mod csv;
mod lines;
mod text;
mod xlsx;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;

use sha2::{Digest, Sha256};

use crate::domain::import::{Columns, Fault, FileFormat, ImportSettings, ReadOrder, Row, read_line, read_rows};

/// What a file may have; more is refused before it takes memory.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileLimits {
    /// Bytes.
    pub file_bytes: u64,
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: usize,
    /// Bytes of a row, or of a line of JSON.
    pub row_bytes: usize,
    /// Bytes to which a spreadsheet unpacks.
    pub unpacked_bytes: u64,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self { file_bytes: 64 << 20, rows: 500_000, columns: 200, row_bytes: 250_000, unpacked_bytes: 512 << 20 }
    }
}

/// Why a file as a whole cannot be read, for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl From<std::io::Error> for Unreadable {
    fn from(error: std::io::Error) -> Self {
        Self(format!("The file cannot be read: {error}."))
    }
}

type Result<T> = std::result::Result<T, Unreadable>;

/// Takes a row; the reader stops at the first refusal.
type Taker<'a> = &'a mut dyn FnMut(Row) -> Result<()>;

fn read(format: FileFormat, file: File, limits: &FileLimits, take: Taker<'_>) -> Result<()> {
    match format {
        FileFormat::Csv => csv::read(file, limits, take),
        FileFormat::Xlsx => xlsx::read(file, limits, take),
        FileFormat::Jsonl => lines::read(file, limits, take),
    }
}

/// Where a row lies in the second file, and which row of the same order is next.
#[derive(Clone, Copy)]
struct Place {
    offset: u64,
    number: u32,
    length: u32,
    next: u32,
}

/// No row.
const NONE: u32 = u32::MAX;

/// A file whose rows were read once, and can be read again order by order.
pub struct Staged {
    columns: Option<Columns>,
    settings: ImportSettings,
    places: Vec<Place>,
    /// The first row of each order, in the order of the file.
    orders: Vec<u32>,
    rows: File,
}

/// An order with its rows.
pub struct FileOrder {
    /// As they stand in the file.
    pub rows: Vec<Row>,
    /// What they say, or why that cannot be read.
    pub read: std::result::Result<ReadOrder, Vec<Fault>>,
}

impl Staged {
    /// Reads a file once. Rows of one order need not follow each other.
    ///
    /// # Errors
    /// Why it cannot be read as a whole: it is not what it should be, or too large.
    pub fn read(file: File, format: FileFormat, settings: &ImportSettings, limits: &FileLimits) -> Result<Self> {
        let mut staging = Staging {
            columns: None,
            settings,
            has_headers: format != FileFormat::Jsonl,
            limits,
            places: Vec::new(),
            orders: Vec::new(),
            lasts: Vec::new(),
            known: HashMap::new(),
            rows: BufWriter::with_capacity(1 << 16, tempfile::tempfile()?),
            offset: 0,
        };
        read(format, file, limits, &mut |row| staging.take(row))?;
        if staging.has_headers && staging.columns.is_none() {
            return Err(Unreadable("The file is empty.".to_owned()));
        }
        let rows = staging.rows.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        Ok(Self {
            columns: staging.columns,
            settings: settings.clone(),
            places: staging.places,
            orders: staging.orders,
            rows,
        })
    }

    /// Its columns; none of JSON Lines.
    pub fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    /// Rows with something in them.
    pub fn rows(&self) -> usize {
        self.places.len()
    }

    /// Orders.
    pub fn orders(&self) -> usize {
        self.orders.len()
    }

    /// Some orders from a place on: at most so many, and no more when they have so many rows together.
    ///
    /// # Errors
    /// When the second file cannot be read.
    pub fn some(&self, from: usize, most_orders: usize, most_rows: usize) -> Result<Vec<FileOrder>> {
        let mut found = Vec::new();
        let mut rows = 0;
        for first in self.orders.iter().skip(from).take(most_orders) {
            let order = self.order(*first)?;
            rows += order.rows.len();
            found.push(order);
            if rows >= most_rows {
                break;
            }
        }
        Ok(found)
    }

    fn order(&self, first: u32) -> Result<FileOrder> {
        let mut rows = Vec::new();
        let mut next = first;
        while let Some(place) = self.places.get(next as usize) {
            let mut bytes = vec![0; place.length as usize];
            self.rows.read_exact_at(&mut bytes, place.offset)?;
            let cells = serde_json::from_slice(&bytes).map_err(std::io::Error::from)?;
            rows.push(Row { number: i64::from(place.number), cells });
            next = place.next;
        }
        let read = match (&self.columns, rows.first()) {
            (Some(columns), _) => read_rows(&rows, columns, &self.settings),
            (None, Some(row)) => read_line(row.number, row.cells.first().map_or("", String::as_str), &self.settings),
            (None, None) => Err(Vec::new()),
        };
        Ok(FileOrder { rows, read })
    }
}

/// A file that is being read.
struct Staging<'a> {
    columns: Option<Columns>,
    settings: &'a ImportSettings,
    has_headers: bool,
    limits: &'a FileLimits,
    places: Vec<Place>,
    orders: Vec<u32>,
    /// The last row of each order so far.
    lasts: Vec<u32>,
    /// Orders by what tells them apart, of which a digest is kept.
    known: HashMap<[u8; 16], u32>,
    rows: BufWriter<File>,
    offset: u64,
}

impl Staging<'_> {
    fn take(&mut self, row: Row) -> Result<()> {
        if row.cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(());
        }
        // No database of ours keeps it, in a cell or in what is said of it.
        if row.cells.iter().any(|cell| cell.contains('\0')) {
            return Err(Unreadable(format!("Row {} contains the character U+0000.", row.number)));
        }
        if row.cells.len() > self.limits.columns {
            return Err(Unreadable(format!("Row {} has more than {} columns.", row.number, self.limits.columns)));
        }
        let Some(columns) = &self.columns else {
            if self.has_headers {
                self.columns = Some(Columns::of(row.cells, self.settings).map_err(Unreadable)?);
                return Ok(());
            }
            return self.keep(&row, None);
        };
        let key = columns.key(&row.cells, self.settings).map(|key| brief(&key));
        self.keep(&row, key)
    }

    fn keep(&mut self, row: &Row, key: Option<[u8; 16]>) -> Result<()> {
        let this = u32::try_from(self.places.len()).unwrap_or(NONE);
        if this >= self.limits.rows {
            return Err(Unreadable(format!("The file has more than {} rows.", self.limits.rows)));
        }
        let bytes = serde_json::to_vec(&row.cells).map_err(std::io::Error::from)?;
        self.rows.write_all(&bytes)?;
        let length = u32::try_from(bytes.len()).unwrap_or(NONE);
        let number = u32::try_from(row.number).unwrap_or(NONE);
        self.places.push(Place { offset: self.offset, number, length, next: NONE });
        self.offset += u64::from(length);
        let new = u32::try_from(self.orders.len()).unwrap_or(NONE);
        let order = match key.map(|key| self.known.entry(key)) {
            Some(Entry::Occupied(known)) => *known.get(),
            Some(Entry::Vacant(unknown)) => *unknown.insert(new),
            // A row that names no order is one of its own.
            None => new,
        };
        if order == new {
            self.orders.push(this);
            self.lasts.push(this);
            return Ok(());
        }
        if let Some(last) = self.lasts.get_mut(order as usize) {
            if let Some(place) = self.places.get_mut(*last as usize) {
                place.next = this;
            }
            *last = this;
        }
        Ok(())
    }
}

/// The beginning of a text's SHA-256: the same for the same text only.
pub(super) fn brief(text: &str) -> [u8; 16] {
    let digest = Sha256::digest(text.as_bytes());
    let mut brief = [0; 16];
    brief.copy_from_slice(&digest[..16]);
    brief
}
