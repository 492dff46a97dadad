//! Which header means what: the tables by which the columns of a file are recognized, and by which templates are made.

use super::FileLayout;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Where the order comes from.
    Channel,
    /// The order's number in its channel; rows with the same one are lines of one order.
    ExternalReference,
    /// The customer's number.
    CustomerNumber,
    /// The company, or a person's name.
    CompanyName,
    /// The contact person.
    ContactName,
    /// Electronic mail.
    Email,
    /// Telephone.
    Phone,
    /// Another telephone, used when the first is blank.
    OtherPhone,
    /// Region code.
    Region,
    /// ISO 4217 code.
    CurrencyCode,
    /// The day delivery is expected by.
    RequiredBy,
    /// The same in days from submission.
    RequiredWithinDays,
    /// How urgent it is.
    Priority,
    /// Street and number.
    Street,
    /// City.
    City,
    /// Province or state.
    RegionName,
    /// Postal code.
    PostalCode,
    /// ISO 3166 code.
    CountryCode,
    /// The whole address in one cell.
    Address,
    /// A remark.
    Note,
    /// What the buyer says.
    BuyerNote,
    /// What the shop says.
    SellerNote,
    /// The product's SKU.
    Sku,
    /// The channel's own number for the product.
    ChannelSku,
    /// The category.
    Category,
    /// What the channel calls the product.
    Title,
    /// How much.
    Quantity,
    /// Price of one unit.
    UnitPrice,
    /// Share taken off.
    DiscountRate,
    /// What exactly is wanted.
    Specification,
    /// What the goods of the whole order cost.
    Amount,
    /// Where the order stands in its channel, or stood in the past.
    Status,
    /// When it was placed.
    SubmittedAt,
    /// When it was finished.
    CompletedAt,
    /// The buyer's account.
    Buyer,
    /// How many kinds of goods there are.
    Kinds,
}

/// A column of this service's own template: its headers in English and Chinese, other headers that mean the same, and
/// an example for the template.
pub struct Standard {
    /// What it holds.
    pub field: Field,
    /// The header in English: the key in JSON Lines.
    pub english: &'static str,
    /// The header in Chinese.
    pub chinese: &'static str,
    /// Other headers.
    pub others: &'static [&'static str],
    /// An example.
    pub example: &'static str,
    /// Must the template have it? Those of the past are only for orders of the past.
    pub is_past: bool,
}

const fn column(
    field: Field,
    english: &'static str,
    chinese: &'static str,
    others: &'static [&'static str],
    example: &'static str,
) -> Standard {
    Standard { field, english, chinese, others, example, is_past: false }
}

const fn past(field: Field, english: &'static str, chinese: &'static str, example: &'static str) -> Standard {
    Standard { field, english, chinese, others: &[], example, is_past: true }
}

/// The columns of the template, in its order.
pub const STANDARD: &[Standard] = &[
    column(Field::Channel, "channel", "渠道", &["订单渠道"], "OFFLINE_SALES"),
    column(Field::ExternalReference, "externalReference", "订单编号", &["订单号", "orderNumber"], "SO-2026-0001"),
    column(Field::CustomerNumber, "customerNumber", "客户编号", &["客户编码"], "C-1001"),
    column(Field::CompanyName, "companyName", "公司名称", &["客户名称", "company"], "Better Bike Shop"),
    column(Field::ContactName, "contactName", "联系人", &["收货人", "收货人姓名"], "James Hendergart"),
    column(Field::Email, "email", "邮箱", &["电子邮箱", "电子邮件"], "james@example.com"),
    column(Field::Phone, "phone", "联系电话", &["电话", "手机", "联系手机"], "+1-555-0125"),
    column(Field::Region, "region", "区域", &["区域代码"], "NORTH"),
    column(Field::CurrencyCode, "currencyCode", "币种", &["currency", "货币"], "CNY"),
    column(Field::RequiredBy, "requiredBy", "期望交付日期", &["交付日期", "要求交期"], ""),
    column(Field::RequiredWithinDays, "requiredWithinDays", "期望交付天数", &["交付天数"], "14"),
    column(Field::Priority, "priority", "优先级", &[], "NORMAL"),
    column(Field::Street, "street", "详细地址", &["街道地址", "收货地址"], "12 Example Street"),
    column(Field::City, "city", "城市", &[], "Example City"),
    column(Field::RegionName, "regionName", "省份", &["省", "州"], ""),
    column(Field::PostalCode, "postalCode", "邮编", &["邮政编码"], ""),
    column(Field::CountryCode, "countryCode", "国家代码", &["国家"], "CN"),
    column(Field::Note, "note", "备注", &["订单备注"], ""),
    column(Field::Sku, "sku", "商品编码", &["SKU编码", "货号"], "LAMP-1"),
    column(Field::Category, "category", "品类", &["商品类别", "类别"], ""),
    column(Field::Quantity, "quantity", "数量", &["订购数量"], "2"),
    column(Field::UnitPrice, "unitPrice", "单价", &["price"], ""),
    column(Field::DiscountRate, "discountRate", "折扣率", &["discount"], ""),
    column(Field::Specification, "specification", "规格要求", &["规格"], ""),
    past(Field::Status, "status", "订单状态", "COMPLETED"),
    past(Field::SubmittedAt, "submittedAt", "下单时间", "2024-01-05 09:03"),
    past(Field::CompletedAt, "completedAt", "完成时间", "2024-01-19 17:30"),
];

/// The columns of a marketplace's export that are used; the others are passed over.
pub struct Market {
    /// Whose export it is.
    pub layout: FileLayout,
    /// A file of these has all of one of these sets of headers.
    pub known_by: &'static [&'static [&'static str]],
    /// What the headers mean.
    pub headers: &'static [(&'static str, Field)],
}

/// The marketplaces' exports. Of several columns for one field the first that is there counts.
pub const MARKETS: &[Market] = &[
    Market {
        layout: FileLayout::Taobao,
        known_by: &[
            &["订单编号", "宝贝标题"],
            &["订单编号", "买家会员名"],
            &["订单编号", "总金额", "买家实际支付金额"],
        ],
        headers: &[
            ("订单编号", Field::ExternalReference),
            ("主订单编号", Field::ExternalReference),
            ("买家会员名", Field::Buyer),
            ("买家应付货款", Field::Amount),
            ("总金额", Field::Amount),
            ("买家实际支付金额", Field::Amount),
            ("订单状态", Field::Status),
            ("买家留言", Field::BuyerNote),
            ("收货人姓名", Field::ContactName),
            ("修改后的收货地址", Field::Address),
            ("收货地址", Field::Address),
            ("联系手机", Field::Phone),
            ("联系电话", Field::OtherPhone),
            ("订单创建时间", Field::SubmittedAt),
            ("确认收货时间", Field::CompletedAt),
            ("宝贝标题", Field::Title),
            ("宝贝种类", Field::Kinds),
            ("宝贝总数量", Field::Quantity),
            ("购买数量", Field::Quantity),
            ("订单备注", Field::SellerNote),
            ("修改后的sku", Field::Specification),
            ("商品属性", Field::Specification),
            ("商家编码", Field::Sku),
            ("外部系统编号", Field::Sku),
            ("价格", Field::UnitPrice),
        ],
    },
    Market {
        layout: FileLayout::Jd,
        known_by: &[&["订单号", "商品ID", "订购数量"], &["订单号", "京东价"]],
        headers: &[
            ("订单号", Field::ExternalReference),
            ("商品ID", Field::ChannelSku),
            ("商品名称", Field::Title),
            ("订购数量", Field::Quantity),
            ("下单时间", Field::SubmittedAt),
            ("京东价", Field::UnitPrice),
            ("订单金额", Field::Amount),
            ("订单状态", Field::Status),
            ("下单帐号", Field::Buyer),
            ("客户姓名", Field::ContactName),
            ("客户地址", Field::Address),
            ("联系电话", Field::Phone),
            ("订单备注", Field::BuyerNote),
            ("商家备注", Field::SellerNote),
            ("货号", Field::Sku),
            ("订单完成时间", Field::CompletedAt),
        ],
    },
    Market {
        layout: FileLayout::Youzan,
        known_by: &[&["订单号", "全部商品名称"], &["订单号", "收货人手机号/提货人手机号"]],
        headers: &[
            ("订单号", Field::ExternalReference),
            ("买家付款时间", Field::SubmittedAt),
            ("交易成功时间", Field::CompletedAt),
            ("收货人手机号/提货人手机号", Field::Phone),
            ("收货人/提货人", Field::ContactName),
            ("详细收货地址/提货地址", Field::Address),
            ("全部商品名称", Field::Title),
            ("商品种类数", Field::Kinds),
            ("商品件数", Field::Quantity),
            ("商品编码", Field::Sku),
            ("订单实付金额", Field::Amount),
            ("订单状态", Field::Status),
            ("买家备注", Field::BuyerNote),
            ("商家订单备注", Field::SellerNote),
        ],
    },
];

/// What a cell says in words of people instead of codes.
pub const WORDS: &[(Field, &str, &str)] = &[
    (Field::Channel, "电商", "E_COMMERCE"),
    (Field::Channel, "电商平台", "E_COMMERCE"),
    (Field::Channel, "线下", "OFFLINE_SALES"),
    (Field::Channel, "线下销售", "OFFLINE_SALES"),
    (Field::Channel, "合作伙伴", "PARTNER_REFERRAL"),
    (Field::Channel, "合作伙伴推荐", "PARTNER_REFERRAL"),
    (Field::Priority, "普通", "NORMAL"),
    (Field::Priority, "紧急", "URGENT"),
    (Field::Priority, "加急", "URGENT"),
    (Field::CurrencyCode, "人民币", "CNY"),
    (Field::CountryCode, "中国", "CN"),
];

/// A header without what people add to it: blanks, stars of required columns, underscores, and capitals.
pub fn plain(header: &str) -> String {
    super::cells::tidy(header)
        .chars()
        .filter(|one| !one.is_whitespace() && !matches!(one, '*' | '_' | '-' | '＊'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The field a header stands for in a layout.
pub fn field_of(layout: FileLayout, header: &str) -> Option<Field> {
    let header = plain(header);
    match MARKETS.iter().find(|market| market.layout == layout) {
        Some(market) => market.headers.iter().find(|(name, _)| plain(name) == header).map(|(_, field)| *field),
        None => STANDARD
            .iter()
            .find(|column| {
                let names = [column.english, column.chinese].into_iter().chain(column.others.iter().copied());
                names.into_iter().any(|name| plain(name) == header)
            })
            .map(|column| column.field),
    }
}

/// Whose columns these are.
pub fn recognize(headers: &[String]) -> FileLayout {
    let plain_headers: Vec<String> = headers.iter().map(|header| plain(header)).collect();
    let has = |name: &&str| plain_headers.contains(&plain(name));
    MARKETS
        .iter()
        .find(|market| market.known_by.iter().any(|set| set.iter().all(has)))
        .map_or(FileLayout::Standard, |market| market.layout)
}

/// The template's name of a field, for faults of a column that is not in the file.
pub fn name_of(field: Field) -> Option<&'static str> {
    STANDARD.iter().find(|column| column.field == field).map(|column| column.english)
}

/// The field that a place in a submission comes from, such as `lines.2.sku`, and the line.
pub fn field_at(path: &[String]) -> Option<(Field, Option<usize>)> {
    let last = path.last()?;
    let line = match path.first().map(String::as_str) {
        Some("lines") => path.get(1).and_then(|index| index.parse().ok()),
        _ => None,
    };
    let found = STANDARD.iter().find(|column| column.english == last)?;
    Some((found.field, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_recognized_in_both_languages() {
        for header in ["externalReference", "External Reference", "EXTERNAL_REFERENCE*", "订单编号 ", "\u{feff}订单号"]
        {
            assert_eq!(field_of(FileLayout::Standard, header), Some(Field::ExternalReference), "{header}");
        }
        assert_eq!(field_of(FileLayout::Standard, "colour"), None);
        for column in STANDARD {
            assert_eq!(field_of(FileLayout::Standard, column.english), Some(column.field));
            assert_eq!(field_of(FileLayout::Standard, column.chinese), Some(column.field));
        }
    }

    #[test]
    fn exports_are_known_by_their_columns() {
        let of = |headers: &[&str]| recognize(&headers.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["订单编号", "买家会员名", "总金额", "宝贝标题 "]), FileLayout::Taobao);
        assert_eq!(of(&["订单编号", "总金额", "买家实际支付金额", "收货地址 "]), FileLayout::Taobao);
        assert_eq!(of(&["订单号", "商品ID", "商品名称", "订购数量"]), FileLayout::Jd);
        assert_eq!(of(&["订单号", "买家付款时间", "全部商品名称"]), FileLayout::Youzan);
        assert_eq!(of(&["订单编号", "客户编号", "商品编码", "数量"]), FileLayout::Standard);
    }
}
