//! From the rows of an order to its submission, with every fault at its row and column.

use super::cells::{date, decimal, has_lost_digits, moment, tidy};
use super::columns::{Field, STANDARD, WORDS, field_at, field_of, name_of, plain, recognize};
use super::market;
use super::{Fault, FileLayout, ImportSettings};
use crate::domain::intake::{Channel, Past, PastStatus, Priority, Submission, SubmissionLine};
use crate::domain::reference::{Address, Contact};
use crate::domain::refusal::Refusal;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

/// The column in which faults come back; a file that is corrected and sent again may still have it.
pub const FAULT_HEADERS: &[&str] = &["faults", "错误"];
/// A value that cannot be read at all, as a failure of `submitOrder` calls it.
pub const UNREADABLE: &str = "BAD_USER_INPUT";

/// A row of a file: its number, and its cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// From 1; of JSON Lines, the number of the line.
    pub number: i64,
    /// The cells; of JSON Lines, the line.
    pub cells: Vec<String>,
}

/// An order as a file has it, before anything is asked about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOrder {
    /// What is handed in.
    pub submission: Submission,
    /// The submitter's key for it.
    pub idempotency_key: Option<String>,
    /// When and how it ended, of an order of the past.
    pub past: Option<Past>,
    /// The rows of its lines; of JSON Lines, always the same one.
    pub rows: Vec<i64>,
    /// May its lines name products that nobody knows? Review clarifies them.
    pub is_lenient: bool,
}

/// What the columns of a file hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Whose columns they are.
    pub layout: FileLayout,
    /// The headers as they stand in the file.
    pub headers: Vec<String>,
    /// What each used column holds.
    places: Vec<(Field, usize)>,
}

impl Columns {
    /// Recognizes them.
    ///
    /// # Errors
    /// What is wrong with the headers, for people: one that nobody knows, one that comes twice, or one that is missing.
    pub fn of(headers: Vec<String>, settings: &ImportSettings) -> Result<Self, String> {
        let layout = settings.layout.unwrap_or_else(|| recognize(&headers));
        let mut places: Vec<(Field, usize)> = Vec::new();
        for (place, header) in headers.iter().enumerate() {
            match field_of(layout, header) {
                Some(field) if layout == FileLayout::Standard && places.iter().any(|(known, _)| *known == field) => {
                    return Err(format!("The column {} comes twice.", tidy(header)));
                }
                Some(field) => places.push((field, place)),
                None if layout == FileLayout::Standard => {
                    let header = plain(header);
                    if !header.is_empty() && !FAULT_HEADERS.contains(&header.as_str()) {
                        return Err(format!("No column is called {header:?}; see the template."));
                    }
                }
                None => {}
            }
        }
        let needed: &[Field] = match layout {
            FileLayout::Standard => &[Field::ExternalReference, Field::Quantity],
            _ => &[Field::ExternalReference],
        };
        for field in needed {
            if !places.iter().any(|(known, _)| known == field) {
                return Err(format!("There is no column {}.", name_of(*field).unwrap_or_default()));
            }
        }
        Ok(Self { layout, headers, places })
    }

    /// What tells the rows of an order from those of others; nothing of a row that names none.
    pub fn key(&self, cells: &[String], settings: &ImportSettings) -> Option<String> {
        let reference = self.cell(cells, Field::ExternalReference)?;
        let told = self.cell(cells, Field::Channel).map(|text| in_codes(Field::Channel, text));
        let channel = told.or_else(|| settings.channel.map(Channel::code)).unwrap_or_default();
        Some(format!("{channel}\u{1f}{reference}"))
    }

    /// The first cell of a field with something in it.
    pub(super) fn cell<'a>(&self, cells: &'a [String], field: Field) -> Option<&'a str> {
        self.places
            .iter()
            .filter(|(known, _)| *known == field)
            .filter_map(|(_, place)| cells.get(*place).map(|cell| tidy(cell)))
            .find(|cell| !cell.is_empty())
    }

    /// The header of a field as it stands in the file.
    fn header(&self, field: Field) -> Option<String> {
        let place = self.places.iter().find(|(known, _)| *known == field).map(|(_, place)| *place);
        place.and_then(|place| self.headers.get(place)).map(|header| tidy(header).to_owned())
    }

    /// A refusal as a fault of the file: at the row of its line, and at the column it came from.
    pub fn fault(&self, rows: &[i64], refusal: &Refusal) -> Fault {
        let place = field_at(&refusal.path);
        let line = place.and_then(|(_, line)| line);
        let column = place.map_or_else(
            || (!refusal.path.is_empty()).then(|| refusal.path.join(".")),
            |(field, _)| self.header(field).or_else(|| name_of(field).map(str::to_owned)),
        );
        Fault {
            row: line.and_then(|line| rows.get(line)).or_else(|| rows.first()).copied().unwrap_or_default(),
            column,
            code: refusal.code.code().to_owned(),
            message: refusal.message.clone(),
        }
    }
}

/// Reads the rows of one order.
///
/// # Errors
/// Everything that cannot be read.
pub fn read_rows(rows: &[Row], columns: &Columns, settings: &ImportSettings) -> Result<ReadOrder, Vec<Fault>> {
    let mut reader = Reader { rows, columns, settings, faults: Vec::new() };
    let order = match columns.layout {
        FileLayout::Standard => reader.standard(),
        _ => market::read(&mut reader),
    };
    match order {
        Some(order) if reader.faults.is_empty() => Ok(order),
        _ => Err(reader.faults),
    }
}

/// Reads cells and collects what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) rows: &'a [Row],
    pub(super) columns: &'a Columns,
    pub(super) settings: &'a ImportSettings,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(super) fn fault(&mut self, row: i64, field: Field, code: &str, message: impl Into<String>) {
        let column = self.columns.header(field).or_else(|| name_of(field).map(str::to_owned));
        self.faults.push(Fault { row, column, code: code.to_owned(), message: message.into() });
    }

    /// The text of a cell, without control characters.
    pub(super) fn text(&mut self, row: &'a Row, field: Field) -> Option<&'a str> {
        let text = self.columns.cell(&row.cells, field)?;
        let unwanted = text.chars().find(|one| one.is_control() && !matches!(one, '\n' | '\r' | '\t'));
        if let Some(unwanted) = unwanted {
            let message = format!("The text contains the control character U+{:04X}.", u32::from(unwanted));
            self.fault(row.number, field, UNREADABLE, message);
            return None;
        }
        Some(text)
    }

    /// What the rows of the order say together: each says the same or nothing.
    pub(super) fn common(&mut self, field: Field) -> Option<(i64, &'a str)> {
        let mut found: Option<(i64, &'a str)> = None;
        for row in self.rows {
            let Some(text) = self.text(row, field) else { continue };
            match found {
                None => found = Some((row.number, text)),
                Some((_, former)) if former == text => {}
                Some((at, _)) => {
                    let message = format!("Row {at} of the same order says something else.");
                    self.fault(row.number, field, "REPEATED", message);
                }
            }
        }
        found
    }

    pub(super) fn owned(&mut self, field: Field) -> Option<String> {
        self.common(field).map(|(_, text)| text.to_owned())
    }

    /// A common value that a function reads; what it cannot read is a fault.
    pub(super) fn read<T>(&mut self, field: Field, form: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (row, text) = self.common(field)?;
        let value = read(in_codes(field, text));
        if value.is_none() {
            self.fault(row, field, UNREADABLE, format!("{text:?} is {form}."));
        }
        value
    }

    /// The number of the order in its channel; never one that has lost digits.
    pub(super) fn reference(&mut self) -> Option<String> {
        let Some((row, text)) = self.common(Field::ExternalReference) else {
            let row = self.rows.first().map_or(0, |row| row.number);
            self.fault(row, Field::ExternalReference, "REQUIRED", "This is required.");
            return None;
        };
        if has_lost_digits(text) {
            let message = format!("A spreadsheet has cut the digits of {text}; export the number as text.");
            self.fault(row, Field::ExternalReference, "DIGITS_LOST", message);
            return None;
        }
        Some(text.to_owned())
    }

    pub(super) fn number(&mut self, row: &'a Row, field: Field) -> Option<Decimal> {
        let text = self.text(row, field)?;
        let value = decimal(text);
        if value.is_none() {
            let message = format!("{text:?} is no decimal with digits and at most one point.");
            self.fault(row.number, field, UNREADABLE, message);
        }
        value
    }

    pub(super) fn date(&mut self, field: Field) -> Option<NaiveDate> {
        self.read(field, "no day such as 2026-03-31", date)
    }

    pub(super) fn moment(&mut self, field: Field) -> Option<DateTime<Utc>> {
        self.read(field, "no moment such as 2026-03-31 09:03", moment)
    }

    /// When and how an order of the past ended.
    pub(super) fn past(&mut self, status: Option<PastStatus>) -> Option<Past> {
        let row = self.rows.first().map_or(0, |row| row.number);
        let submitted_at = self.moment(Field::SubmittedAt);
        if submitted_at.is_none() {
            self.fault(row, Field::SubmittedAt, "REQUIRED", "An order of the past says when it was placed.");
        }
        if status.is_none() {
            let message = "An order of the past says whether it was COMPLETED or CANCELLED.";
            self.fault(row, Field::Status, "REQUIRED", message);
        }
        let completed_at = self.moment(Field::CompletedAt);
        Some(Past { status: status?, submitted_at: submitted_at?, completed_at: completed_at.or(submitted_at)? })
    }

    fn standard(&mut self) -> Option<ReadOrder> {
        let channel = self.read(Field::Channel, "no channel", |text| text.parse::<Channel>().ok());
        let channel = channel.or(self.settings.channel);
        let first = self.rows.first().map_or(0, |row| row.number);
        if channel.is_none() {
            self.fault(first, Field::Channel, "REQUIRED", "Name the channel in the file, or for the whole file.");
        }
        let reference = self.reference();
        let past = self.standard_past(first);
        let days = self.read(Field::RequiredWithinDays, "no whole number", |text| text.parse::<i32>().ok());
        let required_by = self.date(Field::RequiredBy);
        let days = match (days, required_by, &past) {
            (None, None, Some(past)) => Some(days_between(past)),
            (None, None, None) => self.settings.required_within_days,
            (days, ..) => days,
        };
        let priority = self.read(Field::Priority, "no priority", |text| text.parse::<Priority>().ok());
        let contact = self.contact();
        let delivery_address = Address {
            street: self.owned(Field::Street).unwrap_or_default(),
            city: self.owned(Field::City).unwrap_or_default(),
            region_name: self.owned(Field::RegionName),
            postal_code: self.owned(Field::PostalCode),
            country_code: self
                .owned(Field::CountryCode)
                .map(|text| in_codes(Field::CountryCode, &text).to_owned())
                .unwrap_or_default(),
        };
        let currency = self.owned(Field::CurrencyCode).map(|text| in_codes(Field::CurrencyCode, &text).to_owned());
        let rows = self.rows;
        let lines = rows.iter().map(|row| self.line(row)).collect();
        let submission = Submission {
            channel: channel?,
            external_reference: Some(reference?),
            customer_number: self.owned(Field::CustomerNumber).or_else(|| self.settings.customer_number.clone()),
            contact,
            region: self.owned(Field::Region).or_else(|| self.settings.region.clone()),
            currency_code: currency.or_else(|| self.settings.currency_code.clone()).unwrap_or_default(),
            required_by,
            required_within_days: days,
            priority: priority.unwrap_or(Priority::Normal),
            delivery_address,
            note: self.owned(Field::Note),
            lines,
        };
        let rows = self.rows.iter().map(|row| row.number).collect();
        let is_lenient = past.is_some();
        Some(ReadOrder { submission, idempotency_key: None, past, rows, is_lenient })
    }

    fn standard_past(&mut self, first: i64) -> Option<Past> {
        if self.settings.historical {
            let status = self.read(Field::Status, "neither COMPLETED nor CANCELLED", past_status);
            return self.past(status);
        }
        for column in STANDARD.iter().filter(|column| column.is_past) {
            if self.common(column.field).is_some() {
                self.fault(first, column.field, "MALFORMED", "Only an import of orders of the past takes this.");
            }
        }
        None
    }

    fn contact(&mut self) -> Option<Contact> {
        let (company, name) = (self.owned(Field::CompanyName), self.owned(Field::ContactName));
        let (email, phone) = (self.owned(Field::Email), self.owned(Field::Phone));
        if company.is_none() && name.is_none() && email.is_none() && phone.is_none() {
            return None;
        }
        Some(Contact {
            company_name: company.unwrap_or_default(),
            contact_name: name.unwrap_or_default(),
            email,
            phone,
        })
    }

    fn line(&mut self, row: &'a Row) -> SubmissionLine {
        let mut own = |field| self.text(row, field).map(str::to_owned);
        let (sku, category, specification) = (own(Field::Sku), own(Field::Category), own(Field::Specification));
        let quantity = self.number(row, Field::Quantity);
        if quantity.is_none() && self.columns.cell(&row.cells, Field::Quantity).is_none() {
            self.fault(row.number, Field::Quantity, "REQUIRED", "This is required.");
        }
        SubmissionLine {
            sku,
            category,
            quantity: quantity.unwrap_or_default(),
            unit_price: self.number(row, Field::UnitPrice),
            discount_rate: self.number(row, Field::DiscountRate),
            specification,
        }
    }
}

/// The days an order of the past took.
pub(super) fn days_between(past: &Past) -> i32 {
    i32::try_from((past.completed_at - past.submitted_at).num_days().clamp(0, 3_650)).unwrap_or(0)
}

/// How an order of the past ended, in codes or words.
pub(super) fn past_status(text: &str) -> Option<PastStatus> {
    text.parse().ok().or_else(|| market::Stand::of(text).and_then(market::Stand::end))
}

/// The code that a word of people stands for.
pub(super) fn in_codes(field: Field, text: &str) -> &str {
    WORDS.iter().find(|(of, word, _)| *of == field && *word == text).map_or(text, |(_, _, code)| *code)
}
