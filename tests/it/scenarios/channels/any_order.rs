//! In whatever order a channel's words arrive: the last it said is what counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Duration, Utc};
use ordergraph::domain::actor::Act;
use ordergraph::domain::channel::order::ChannelOrder;
use ordergraph::domain::channel::{ChannelKind, ChannelSettings, CustomerPolicy, SalesChannel, SalesChannelStatus};
use ordergraph::domain::ids::{CustomerId, SalesChannelId, UnitId};
use ordergraph::domain::intake::Channel;
use ordergraph::domain::intake::received::{Charges, Received, ReceivedLine, draft};
use ordergraph::domain::money::Currency;
use ordergraph::domain::order::OrderStatus;
use ordergraph::domain::reference::{Address, Contact, Customer};
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

fn currency() -> Currency {
    Currency::from_code("USD").expect("a currency")
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("a moment")
}

fn channel() -> SalesChannel {
    SalesChannel {
        id: SalesChannelId(Uuid::nil()),
        version: 1,
        code: "shop".to_owned(),
        name: "Shop".to_owned(),
        kind: ChannelKind::Shopify,
        channel: Channel::ECommerce,
        unit_id: UnitId(Uuid::nil()),
        status: SalesChannelStatus::Active,
        secrets: Vec::new(),
        settings: ChannelSettings {
            customer_policy: CustomerPolicy::Collective,
            customer_number: "C-1".to_owned(),
            customer_group: "RETAIL".to_owned(),
            region: None,
            currency: currency(),
            lead_time_days: 3,
            utc_offset_minutes: 0,
            sku_mappings: Vec::new(),
        },
        created_at: start(),
    }
}

fn customer() -> Customer {
    Customer {
        id: CustomerId(Uuid::nil()),
        number: "C-1".to_owned(),
        contact: Contact::default(),
        group: "RETAIL".to_owned(),
        region: "NORTH".to_owned(),
        currency: currency(),
        credit_limit: None,
        licences: Vec::new(),
    }
}

/// What the channel says at a minute: how much of each of four things; none of some.
fn said(minute: i64, quantities: [u8; 4]) -> Received {
    let line = |(index, quantity): (usize, u8)| {
        (quantity > 0).then(|| ReceivedLine {
            reference: Some(index.to_string()),
            sku: None,
            title: Some(format!("thing {index}")),
            specification: None,
            quantity: Some(Decimal::from(quantity)),
            unit_price: Some(Decimal::new(199, 2)),
            discount: Decimal::ZERO,
        })
    };
    Received {
        reference: "1".to_owned(),
        name: None,
        placed_at: Some(start()),
        changed_at: Some(start() + Duration::minutes(minute)),
        is_test: false,
        cancelled: None,
        buyer: None,
        currency_code: Some("USD".to_owned()),
        contact: Contact::default(),
        address: Address::default(),
        note: Some(format!("said at {minute}")),
        lines: quantities.into_iter().enumerate().filter_map(line).collect(),
        charges: Charges::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_newest_word_counts(
        words in proptest::collection::vec(prop::array::uniform4(0_u8..4).prop_filter("something", |all| all.iter().any(|one| *one > 0)), 1..7),
        order_of_arrival in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(),
        repeated in any::<bool>(),
    ) {
        let count = AtomicU64::new(0);
        let new_id = move || Uuid::from_u128(u128::from(count.fetch_add(1, Ordering::Relaxed)));
        let (channel, customer) = (channel(), customer());
        let actor = channel.actor();
        let act = Act { actor: &actor, now: start(), new_id: &new_id };
        let words: Vec<Received> =
            words.into_iter().zip(0..).map(|(quantities, minute)| said(minute, quantities)).collect();
        let mut arrivals: Vec<&Received> =
            order_of_arrival.iter().filter_map(|index| words.get(*index)).collect();
        if repeated {
            arrivals = arrivals.iter().chain(&arrivals).copied().collect();
        }
        let first = arrivals[0];
        let understood = draft(first, &channel, &BTreeMap::new(), &act);
        let lines = understood.lines.clone();
        let (mut order, faults) = understood.into_order(first, &channel, &customer, 1, &act);
        let mut told = ChannelOrder::new(first, &channel, &lines, order.id, faults, &act);
        for word in &arrivals[1..] {
            let understood = draft(word, &channel, &BTreeMap::new(), &act);
            told.follow(&mut order, word, understood, &act);
        }
        let newest = words.last().expect("a word");
        let expected: BTreeMap<String, Decimal> = newest
            .lines
            .iter()
            .filter_map(|line| Some((line.title.clone()?, line.quantity?)))
            .collect();
        let found: BTreeMap<String, Decimal> = order
            .lines
            .iter()
            .filter(|line| line.quantities.ordered > Decimal::ZERO)
            .map(|line| (line.description.clone(), line.quantities.ordered))
            .collect();
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(&order.note, &newest.note);
        prop_assert_eq!(told.told_at, newest.changed_at);
        prop_assert_eq!(order.status, OrderStatus::Submitted);
        let total: Decimal = expected.values().map(|quantity| quantity * Decimal::new(199, 2)).sum();
        prop_assert_eq!(order.total(), total);
        // Numbers of lines are never given twice.
        let mut numbers: Vec<i32> = order.lines.iter().map(|line| line.line_number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        prop_assert_eq!(numbers.len(), order.lines.len());
    }
}
