//! What a channel delivered, and what came of it.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::order::Reading;
use super::{ChannelKind, ChannelSettings, shopify, woocommerce};
use crate::domain::codes::codes;
use crate::domain::ids::{ChannelDeliveryId, OrderId, SalesChannelId};
use crate::domain::intake::MOST_LINES;

codes! {
    /// What came of a delivery.
    DeliveryOutcome {
        /// It is kept and will be processed in a moment.
        Received = "RECEIVED",
        /// An order was taken in.
        TakenIn = "TAKEN_IN",
        /// An order was taken in that the channel had cancelled already, or its order was cancelled.
        Cancelled = "CANCELLED",
        /// A unit is at work on the order: it was asked to agree to the cancellation.
        CancellationRequested = "CANCELLATION_REQUESTED",
        /// The order was changed before its approval; what was reviewed is checked again.
        Amended = "AMENDED",
        /// It says nothing new of the order.
        Unchanged = "UNCHANGED",
        /// Something newer came before it.
        Stale = "STALE",
        /// It says something of an order that is approved or has ended: somebody must look at it.
        NeedsAttention = "NEEDS_ATTENTION",
        /// It makes no order: a test of the channel, or something else than an order.
        Ignored = "IGNORED",
        /// It could not be processed; it is kept and can be processed again.
        Failed = "FAILED",
    }
}

/// A delivery, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelDelivery {
    /// Identity.
    pub id: ChannelDeliveryId,
    /// The channel it came over.
    pub channel_id: SalesChannelId,
    /// The channel's own number for it.
    pub delivery_number: Option<String>,
    /// What it is about, in the channel's words.
    pub topic: String,
    /// Headers it came with, without any that could let somebody in.
    pub headers: Vec<Header>,
    /// When it was kept.
    pub received_at: DateTime<Utc>,
    /// What came of it.
    pub outcome: DeliveryOutcome,
    /// The same in words.
    pub remark: Option<String>,
    /// The channel's number of the order it is about.
    pub reference: Option<String>,
    /// The order it is about.
    pub order_id: Option<OrderId>,
    /// How often it was tried in vain.
    pub attempts: i32,
    /// When it was processed last.
    pub processed_at: Option<DateTime<Utc>>,
    /// Who processed it last.
    pub processed_by: Option<String>,
}

/// A header of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its name, in small letters.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The first look of the clock at what was kept: whoever kept it is at it until then.
pub const GRACE: Duration = Duration::seconds(15);
/// After so many failures that may pass, it is left to somebody.
pub const MOST_ATTEMPTS: i32 = 10;

/// How long to wait before the next try after so many in vain: 15 s, 30 s, a minute, up to half an hour.
pub fn pause(attempts: i32) -> Duration {
    let doubled = attempts.clamp(1, 8) - 1;
    Duration::seconds(15_i64 << doubled)
}

/// What a body says, in the terms of its kind of channel.
///
/// # Errors
/// Why nothing can be made of it.
pub fn read(kind: ChannelKind, topic: &str, body: &[u8], settings: &ChannelSettings) -> Result<Reading, String> {
    let body = std::str::from_utf8(body).map_err(|error| format!("The body is not in UTF-8: {error}."))?;
    let reading = match kind {
        ChannelKind::Shopify => shopify::read(topic, body, settings)?,
        ChannelKind::Woocommerce => woocommerce::read(topic, body, settings)?,
        ChannelKind::Partner | ChannelKind::Marketplace => {
            Reading::Ignored("Channels of this kind deliver no webhooks.".to_owned())
        }
    };
    match reading {
        Reading::Order(order) if order.lines.len() > MOST_LINES => {
            Err(format!("The order has {} lines; at most {MOST_LINES} can be taken in.", order.lines.len()))
        }
        reading => Ok(reading),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_an_hour() {
        let seconds: Vec<i64> =
            [1, 2, 3, 8, 9, 100].into_iter().map(|attempts| pause(attempts).num_seconds()).collect();
        assert_eq!(seconds, [15, 30, 60, 1_920, 1_920, 1_920]);
    }
}
