//! Orders as their channels tell of them, and how that compares with what is here.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::common::Money;
use super::order::{Order, order};
use crate::domain::channel::order::ChannelOrder as Told;
use crate::domain::channel::reconcile::{Difference, Reconciliation as Compared, ReconciliationKind};
use crate::domain::intake::received::{IntakeFault as Fault, IntakeFaultCode};
use crate::domain::money::Currency;
use crate::graphql::context::int;
use crate::graphql::scalars::DateTime;

/// An order as its channel tells of it.
#[derive(Clone, Debug)]
pub struct ChannelOrder {
    told: std::sync::Arc<Told>,
    currency: Currency,
}

impl ChannelOrder {
    /// What a channel tells of an order in a currency.
    pub fn new(told: std::sync::Arc<Told>, currency: Currency) -> Self {
        Self { told, currency }
    }
}

/// An order as the channel it came over tells of it, for the group's own people.
#[macros::written]
#[Object]
impl ChannelOrder {
    /// The channel's own number, exactly as it was told.
    async fn reference(&self) -> &str {
        &self.told.reference
    }

    /// What the channel's people call it, such as `#1001`.
    async fn name(&self) -> Option<&String> {
        self.told.name.as_ref()
    }

    /// When it was placed there.
    async fn placed_at(&self) -> Option<DateTime> {
        self.told.placed_at.map(Into::into)
    }

    /// When it was changed there, as far as that is known here.
    async fn changed_at(&self) -> Option<DateTime> {
        self.told.told_at.map(Into::into)
    }

    /// Is it cancelled there?
    async fn cancelled(&self) -> bool {
        self.told.cancelled
    }

    /// What the buyer pays there, with shipping, taxes and fees.
    async fn channel_total(&self) -> Option<Money> {
        self.told.charges.total.map(|total| Money::new(total, self.currency))
    }

    /// Of that, for shipping. It is no line of the order.
    async fn shipping(&self) -> Money {
        Money::new(self.told.charges.shipping, self.currency)
    }

    /// Of that, taxes that are not in the prices of the lines.
    async fn tax(&self) -> Money {
        Money::new(self.told.charges.tax, self.currency)
    }

    /// Of that, other fees.
    async fn fees(&self) -> Money {
        Money::new(self.told.charges.fees, self.currency)
    }

    /// What was missing or wrong with it; the order was taken in nevertheless.
    async fn faults(&self) -> Vec<IntakeFault> {
        self.told.faults.iter().map(Into::into).collect()
    }
}

/// Something that was missing or wrong when an order came over a channel (R1.4).
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct IntakeFault {
    /// What it is.
    pub code: IntakeFaultCode,
    /// Where in the order, such as `lines.0.sku`; null when it is about the whole.
    pub path: Option<String>,
    /// The same in words.
    pub message: String,
}

impl From<&Fault> for IntakeFault {
    fn from(fault: &Fault) -> Self {
        Self { code: fault.code, path: fault.path.clone(), message: fault.message.clone() }
    }
}

/// What a channel's own list and the group's orders have in common, and what not.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ChannelReconciliation {
    /// Entries of the list that are here and agree in everything that was given.
    pub matched: i32,
    /// Everything else, by the channel's number.
    pub differences: Vec<ReconciliationDifference>,
}

impl From<Compared> for ChannelReconciliation {
    fn from(compared: Compared) -> Self {
        Self {
            matched: int(compared.matched),
            differences: compared.differences.into_iter().map(ReconciliationDifference).collect(),
        }
    }
}

/// A difference.
#[derive(Clone, Debug)]
pub struct ReconciliationDifference(Difference);

/// One way in which a channel's list and the group's orders differ.
#[macros::written]
#[Object]
impl ReconciliationDifference {
    /// The channel's own number of the order.
    async fn reference(&self) -> &str {
        &self.0.reference
    }

    /// How they differ.
    async fn kind(&self) -> ReconciliationKind {
        self.0.kind
    }

    /// What the channel says.
    async fn there(&self) -> Option<&String> {
        self.0.there.as_ref()
    }

    /// What is here.
    async fn here(&self) -> Option<&String> {
        self.0.here.as_ref()
    }

    /// The order, if it is here.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        match self.0.order_id {
            Some(id) => order(ctx, id).await,
            None => Ok(None),
        }
    }
}
