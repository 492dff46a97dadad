//! Products and customers that orders are spread over.

use super::stencil::{CUSTOMERS, Field, OWN_PRODUCTS, identity};

/// Products that any order may name: goods first, then services.
pub const GOODS: u64 = 8_000;
pub const SERVICES: u64 = 4_000;
/// Products that lie in one stock item with three backorders each.
pub const OWN: u64 = 8_000;

/// Where customers are; the customer of a number is in the region of its remainder.
pub const REGIONS: [&str; 4] = ["NORTH", "EAST", "SOUTH", "WEST"];

/// First words of company names; free text finds one in 32 of all.
pub const WORDS: [&str; 32] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "garnet", "hazel", "indigo", "jasper", "koala", "linden",
    "maple", "nectar", "opal", "pepper", "quartz", "rowan", "saffron", "topaz", "umber", "violet", "willow", "xenon",
    "yarrow", "zephyr", "anchor", "bishop", "copper", "dragon", "emerald", "falcon",
];
const TRADES: [&str; 8] = ["Hotels", "Schools", "Clinics", "Offices", "Studios", "Works", "Markets", "Stations"];

/// Who and what there is.
pub struct Reference {
    /// Number of customers.
    pub customers: u64,
}

impl Reference {
    /// A field of a customer.
    pub fn customer(&self, number: u64, field: Field) -> String {
        match field {
            Field::Id => identity(CUSTOMERS, 0, number),
            Field::Code => customer_number(number),
            Field::Name => company(number),
            Field::LowerName => company(number).to_lowercase(),
            Field::Contact => format!("Person {number}"),
            Field::Email => format!("orders@{}.example", customer_number(number).to_lowercase()),
            Field::Phone => format!("+86 10 {number:08}"),
        }
    }

    /// A field of a product.
    pub fn product(&self, series: u32, number: u64, field: Field) -> String {
        match field {
            Field::Id => identity(series, 0, number),
            Field::Code => sku(series, number),
            Field::Name => format!("Article {}", sku(series, number)),
            Field::LowerName => format!("article {}", sku(series, number).to_lowercase()),
            Field::Contact | Field::Email | Field::Phone => String::new(),
        }
    }

    /// Rows of customers, in the text format of COPY.
    pub fn customer_rows(&self) -> Vec<u8> {
        let mut rows = Vec::new();
        for number in 0..self.customers {
            let region = REGIONS[usize::try_from(number % 4).unwrap_or(0)];
            let field = |field| self.customer(number, field);
            rows.extend_from_slice(
                format!(
                    "{}\t{}\t{}\t{}\t{}\t{}\tWHOLESALE\t{region}\tCNY\t100000000000\n",
                    field(Field::Id),
                    field(Field::Code),
                    field(Field::Name),
                    field(Field::Contact),
                    field(Field::Email),
                    field(Field::Phone),
                )
                .as_bytes(),
            );
        }
        rows
    }
}

/// A customer's number.
pub fn customer_number(number: u64) -> String {
    format!("K-{number:06}")
}

/// A product's stock keeping unit.
pub fn sku(series: u32, number: u64) -> String {
    let letter = if series == OWN_PRODUCTS { 'W' } else { 'B' };
    format!("{letter}-{number:06}")
}

fn company(number: u64) -> String {
    let pick = |from: &[&'static str], number: u64| from[usize::try_from(number).unwrap_or(0) % from.len()];
    let word = pick(&WORDS, number / 4);
    let (first, rest) = word.split_at(1);
    format!("{}{rest} {} {number}", first.to_uppercase(), pick(&TRADES, number / 128))
}

/// The columns that [`Reference::customer_rows`] fills.
pub const CUSTOMER_COLUMNS: &str =
    "id, number, company_name, contact_name, email, phone, customer_group, region, currency, credit_limit";
