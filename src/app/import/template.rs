//! Templates: an empty file of each format with the headers of a language and an example.

use rust_xlsxwriter::{Format, Workbook};

use super::super::Failure;
use crate::domain::import::FileFormat;
use crate::domain::import::columns::{Field, STANDARD, Standard};

/// The languages that headers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Chinese.
    Chinese,
}

impl Language {
    /// By its code; English unless it is Chinese.
    pub fn of(code: &str) -> Self {
        if code.to_ascii_lowercase().starts_with("zh") { Self::Chinese } else { Self::English }
    }
}

fn columns(historical: bool) -> impl Iterator<Item = &'static Standard> {
    STANDARD.iter().filter(move |column| historical || !column.is_past)
}

fn header(column: &Standard, language: Language) -> &'static str {
    match language {
        Language::English => column.english,
        Language::Chinese => column.chinese,
    }
}

/// The template of a format.
///
/// # Errors
/// It cannot be written.
pub fn template(format: FileFormat, language: Language, historical: bool) -> Result<Vec<u8>, Failure> {
    match format {
        FileFormat::Csv => csv(language, historical),
        FileFormat::Xlsx => xlsx(language, historical).map_err(|error| Failure::Internal(error.to_string())),
        FileFormat::Jsonl => Ok(jsonl(historical).into_bytes()),
    }
}

fn csv(language: Language, historical: bool) -> Result<Vec<u8>, Failure> {
    // The mark tells spreadsheets that it is UTF-8.
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(b"\xEF\xBB\xBF".to_vec());
    let internal = |error: &dyn std::fmt::Display| Failure::Internal(error.to_string());
    let headers = columns(historical).map(|column| header(column, language));
    writer.write_record(headers).map_err(|error| internal(&error))?;
    let examples = columns(historical).map(|column| crate::domain::import::cells::harmless(column.example));
    writer.write_record(examples).map_err(|error| internal(&error))?;
    writer.into_inner().map_err(|error| internal(&error))
}

fn xlsx(language: Language, historical: bool) -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let (bold, text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
    for (place, column) in (0..).zip(columns(historical)) {
        sheet.write_with_format(0, place, header(column, language), &bold)?;
        // Text, so that identifiers, dates and decimals stay as they are typed.
        sheet.set_column_format(place, &text)?;
        sheet.set_column_width(place, 18)?;
        if !column.example.is_empty() {
            sheet.write_with_format(1, place, column.example, &text)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    book.save_to_buffer()
}

fn jsonl(historical: bool) -> String {
    let of = |wanted: Field| STANDARD.iter().find(|column| column.field == wanted).map_or("", |column| column.example);
    let mut order = serde_json::json!({
        "channel": of(Field::Channel),
        "externalReference": of(Field::ExternalReference),
        "customerNumber": of(Field::CustomerNumber),
        "region": of(Field::Region),
        "currencyCode": of(Field::CurrencyCode),
        "requiredWithinDays": 14,
        "priority": of(Field::Priority),
        "contact": {
            "companyName": of(Field::CompanyName),
            "contactName": of(Field::ContactName),
            "email": of(Field::Email),
            "phone": of(Field::Phone),
        },
        "deliveryAddress": {
            "street": of(Field::Street),
            "city": of(Field::City),
            "countryCode": of(Field::CountryCode),
        },
        "lines": [{ "sku": of(Field::Sku), "quantity": of(Field::Quantity) }],
    });
    if historical {
        order["status"] = of(Field::Status).into();
        order["submittedAt"] = "2024-01-05T09:03:00+08:00".into();
        order["completedAt"] = "2024-01-19T17:30:00+08:00".into();
    }
    format!("{order}\n")
}
