//! Exports of Chinese marketplaces: what they leave out is filled in by what was said for the whole file, and what nobody
//! knows is left to the review, so that no order is lost.

use rust_decimal::Decimal;

use super::columns::Field;
use super::rows::{ReadOrder, Reader, Row, days_between};
use crate::domain::intake::{Channel, LONG_TEXT, PastStatus, Priority, SHORT_TEXT, Submission, SubmissionLine};
use crate::domain::money;
use crate::domain::reference::{Address, Contact};

/// What stands where an export says nothing: to be supplied.
const TO_BE_SUPPLIED: &str = "待补充";
/// Days to delivery when nothing was said for the whole file.
const DAYS: i32 = 7;

/// Where an order stands in its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Not paid yet: there is nothing to do.
    Unpaid,
    /// Waits for the shop.
    Waits,
    /// On its way to the customer.
    Shipped,
    /// Finished.
    Finished,
    /// Closed without delivery.
    Closed,
}

/// What the marketplaces call it, without punctuation.
const STANDS: &[(&str, Stand)] = &[
    ("等待买家付款", Stand::Unpaid),
    ("待付款", Stand::Unpaid),
    ("等待付款", Stand::Unpaid),
    ("WAIT_BUYER_PAY", Stand::Unpaid),
    ("买家已付款等待卖家发货", Stand::Waits),
    ("等待卖家发货", Stand::Waits),
    ("买家已付款", Stand::Waits),
    ("已付款", Stand::Waits),
    ("待发货", Stand::Waits),
    ("等待发货", Stand::Waits),
    ("等待出库", Stand::Waits),
    ("WAIT_SELLER_SEND_GOODS", Stand::Waits),
    ("卖家已发货等待买家确认", Stand::Shipped),
    ("等待买家确认收货", Stand::Shipped),
    ("等待确认收货", Stand::Shipped),
    ("卖家部分发货", Stand::Shipped),
    ("已发货", Stand::Shipped),
    ("SELLER_CONSIGNED_PART", Stand::Shipped),
    ("WAIT_BUYER_CONFIRM_GOODS", Stand::Shipped),
    ("交易成功", Stand::Finished),
    ("交易完成", Stand::Finished),
    ("完成", Stand::Finished),
    ("已完成", Stand::Finished),
    ("买家已签收", Stand::Finished),
    ("TRADE_BUYER_SIGNED", Stand::Finished),
    ("TRADE_FINISHED", Stand::Finished),
    ("交易关闭", Stand::Closed),
    ("已关闭", Stand::Closed),
    ("已取消", Stand::Closed),
    ("取消", Stand::Closed),
    ("锁定", Stand::Closed),
    ("TRADE_CLOSED", Stand::Closed),
    ("TRADE_CLOSED_BY_TAOBAO", Stand::Closed),
];

impl Stand {
    /// What the words of a marketplace mean; nothing when they are none of these.
    pub fn of(text: &str) -> Option<Self> {
        let plain: String = text.chars().filter(|one| one.is_alphanumeric() || *one == '_').collect();
        STANDS.iter().find(|(words, _)| *words == plain).map(|(_, stand)| *stand)
    }

    /// How it ended, if it did.
    pub const fn end(self) -> Option<PastStatus> {
        match self {
            Self::Finished => Some(PastStatus::Completed),
            Self::Closed => Some(PastStatus::Cancelled),
            _ => None,
        }
    }
}

/// Reads the rows of one order of an export.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<ReadOrder> {
    let reference = reader.reference();
    let stand = reader.common(Field::Status).map(|(row, text)| (row, text.to_owned(), Stand::of(text)));
    let past = if reader.settings.historical {
        reader.past(stand.as_ref().and_then(|(_, _, stand)| *stand).and_then(Stand::end))
    } else {
        // Words that are none of the known ones do not lose an order.
        if let Some((row, text, Some(known))) = &stand
            && *known != Stand::Waits
        {
            let message =
                format!("The channel says {text}: only orders that wait for delivery are taken; of the past, as such.");
            reader.fault(*row, Field::Status, "NOT_FOR_HANDLING", message);
        }
        None
    };
    let days = past.as_ref().map_or_else(|| reader.settings.required_within_days.unwrap_or(DAYS), days_between);
    let buyer = reader.owned(Field::Buyer);
    let name = reader.owned(Field::ContactName).or_else(|| buyer.clone()).unwrap_or_default();
    let phone = reader.owned(Field::Phone).or_else(|| reader.owned(Field::OtherPhone));
    let address = reader.owned(Field::Address);
    let rows = reader.rows;
    let amount = reader.common(Field::Amount).and_then(|(_, text)| super::cells::decimal(text));
    let lines: Vec<SubmissionLine> =
        rows.iter().map(|row| line(reader, row, amount.filter(|_| rows.len() == 1))).collect();
    let notes = [
        reader.owned(Field::BuyerNote).map(|text| format!("买家留言: {text}")),
        reader.owned(Field::SellerNote).map(|text| format!("卖家备注: {text}")),
        buyer.map(|text| format!("买家: {text}")),
        amount.map(|amount| format!("金额: {}", amount.normalize())),
        stand.map(|(_, text, _)| format!("订单状态: {text}")),
    ];
    let note = notes.into_iter().flatten().collect::<Vec<_>>().join("\n");
    let settings = reader.settings;
    let submission = Submission {
        channel: settings.channel.unwrap_or(Channel::ECommerce),
        external_reference: Some(reference?),
        customer_number: settings.customer_number.clone(),
        contact: Some(Contact { company_name: name.clone(), contact_name: name, email: None, phone }),
        region: settings.region.clone(),
        currency_code: settings.currency_code.clone().unwrap_or_else(|| "CNY".to_owned()),
        required_by: None,
        required_within_days: Some(days),
        priority: Priority::Normal,
        delivery_address: address.as_deref().map_or_else(nowhere, place),
        note: (!note.is_empty()).then(|| cut(&note, LONG_TEXT)),
        lines,
    };
    let rows = rows.iter().map(|row| row.number).collect();
    Some(ReadOrder { submission, idempotency_key: None, past, rows, is_lenient: true })
}

/// A line: the SKU if the shop gave the product one, and what the marketplace calls it. `amount` is that of the whole
/// order where this is its only row.
fn line<'a>(reader: &mut Reader<'a>, row: &'a Row, amount: Option<Decimal>) -> SubmissionLine {
    let title = reader.text(row, Field::Title).map(|text| cut(text, SHORT_TEXT));
    let quantity = reader.number(row, Field::Quantity).unwrap_or(Decimal::ONE);
    let kinds = reader.text(row, Field::Kinds).and_then(|text| text.parse::<u32>().ok());
    // One price for all is told only where there is one kind of goods and nothing would have to be rounded.
    let shared = amount.filter(|_| kinds.is_none_or(|kinds| kinds == 1)).and_then(|amount| {
        let price = amount.checked_div(quantity)?;
        (money::is_price(price) && price * quantity == amount).then_some(price)
    });
    let details = [
        reader.text(row, Field::Title).filter(|title| title.chars().count() > SHORT_TEXT).map(str::to_owned),
        reader.text(row, Field::Specification).map(str::to_owned),
        reader.text(row, Field::ChannelSku).map(|text| format!("商品ID {text}")),
    ];
    let specification = details.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let sku = reader.text(row, Field::Sku).map(str::to_owned);
    SubmissionLine {
        category: title.or_else(|| sku.is_none().then(|| TO_BE_SUPPLIED.to_owned())),
        sku,
        quantity,
        unit_price: reader.number(row, Field::UnitPrice).or(shared),
        discount_rate: None,
        specification: (!specification.is_empty()).then(|| cut(&specification, LONG_TEXT)),
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn nowhere() -> Address {
    Address {
        street: TO_BE_SUPPLIED.to_owned(),
        city: TO_BE_SUPPLIED.to_owned(),
        region_name: None,
        postal_code: None,
        country_code: "CN".to_owned(),
    }
}

/// The whole address of an export: province, city and the rest, separated by blanks. Where they are not, all of it is
/// the street, and the city is to be supplied.
fn place(text: &str) -> Address {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let postal = parts.last().and_then(|last| last.strip_prefix("邮编:").or(Some(*last)));
    let postal = postal.map(|last| last.trim_matches(['(', ')', '（', '）']));
    let postal_code =
        postal.filter(|last| last.len() == 6 && last.bytes().all(|one| one.is_ascii_digit()) && parts.len() > 3);
    let words = if postal_code.is_some() { &parts[..parts.len() - 1] } else { &parts[..] };
    let (region_name, city, street) = match words {
        [province, city, rest @ ..] if !rest.is_empty() => {
            (Some((*province).to_owned()), (*city).to_owned(), rest.join(" "))
        }
        _ => (None, TO_BE_SUPPLIED.to_owned(), words.join(" ")),
    };
    Address {
        street: cut(&street, SHORT_TEXT),
        city: cut(&city, SHORT_TEXT),
        region_name: region_name.map(|name| cut(&name, SHORT_TEXT)),
        postal_code: postal_code.map(str::to_owned),
        country_code: "CN".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::{Columns, read_rows};
    use super::super::{Fault, ImportSettings};
    use super::*;

    fn read(headers: &str, rows: &[&str], settings: &ImportSettings) -> Result<ReadOrder, Vec<Fault>> {
        let split = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        let columns = Columns::of(split(headers), settings).unwrap();
        let rows: Vec<Row> = rows.iter().zip(2..).map(|(cells, number)| Row { number, cells: split(cells) }).collect();
        read_rows(&rows, &columns, settings)
    }

    #[test]
    fn an_export_of_taobao_with_one_row_for_an_order() {
        let headers = "订单编号|买家会员名|总金额|订单状态|收货人姓名|收货地址 |联系手机|宝贝标题 |宝贝种类|宝贝总数量";
        let row = "=\"123456789012345678\"|tb_1|199.80|买家已付款,等待卖家发货|张三|广东省 深圳市 南山区 科技园1号 518000|'13800000000|台灯|1|2";
        let order = read(headers, &[row], &ImportSettings::default()).unwrap();
        let submission = order.submission;
        assert_eq!(submission.external_reference.as_deref(), Some("123456789012345678"));
        let address = submission.delivery_address;
        assert_eq!((address.region_name.as_deref(), address.city.as_str()), (Some("广东省"), "深圳市"));
        assert_eq!((address.street.as_str(), address.postal_code.as_deref()), ("南山区 科技园1号", Some("518000")));
        let line = &submission.lines[0];
        assert_eq!((line.sku.as_deref(), line.category.as_deref()), (None, Some("台灯")));
        assert_eq!((line.quantity, line.unit_price), (Decimal::TWO, Some(Decimal::new(999, 1))));
        assert_eq!(submission.contact.unwrap().phone.as_deref(), Some("13800000000"));
    }

    #[test]
    fn an_export_of_jd_with_a_row_for_each_line() {
        let headers = "订单号|商品ID|商品名称|订购数量|京东价|订单状态|客户姓名|客户地址|联系电话|货号";
        let rows =
            ["7|9001|台灯|1|99.9|等待出库|李四|北京 1号|139|LAMP-1", "7|9002|灯泡|3|5|等待出库|李四|北京 1号|139|"];
        let order = read(headers, &rows, &ImportSettings::default()).unwrap();
        let lines = order.submission.lines;
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].sku.as_deref(), Some("LAMP-1"));
        assert_eq!(lines[1].sku, None);
        assert_eq!(lines[1].specification.as_deref(), Some("商品ID 9002"));
        assert_eq!(order.rows, [2, 3]);
    }

    #[test]
    fn what_has_lost_digits_or_waits_for_nothing_is_a_fault() {
        let headers = "订单号|买家付款时间|全部商品名称|订单状态";
        let code = |row: &str| {
            let faults = read(headers, &[row], &ImportSettings::default()).unwrap_err();
            faults
                .into_iter()
                .map(|fault| (fault.row, fault.column.unwrap_or_default(), fault.code))
                .collect::<Vec<_>>()
        };
        assert_eq!(code("1.23457E+17|2024/1/5 9:03|台灯|待发货"), [(2, "订单号".to_owned(), "DIGITS_LOST".to_owned())]);
        assert_eq!(code("7|2024/1/5 9:03|台灯|交易成功"), [(2, "订单状态".to_owned(), "NOT_FOR_HANDLING".to_owned())]);
        let settings = ImportSettings { historical: true, ..ImportSettings::default() };
        let past = read(headers, &["7|2024/1/5 9:03|台灯|交易成功"], &settings).unwrap().past.unwrap();
        assert_eq!(past.status, PastStatus::Completed);
        assert_eq!(past.submitted_at.to_rfc3339(), "2024-01-05T01:03:00+00:00");
    }
}
