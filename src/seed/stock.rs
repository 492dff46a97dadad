//! What goes on in the demo group's warehouses: a hold, a transfer on its way, a count that is off, and goods that
//! are ordered.

use std::sync::Arc;

use chrono::Duration;
use rust_decimal::Decimal;

use super::group::PEOPLE;
use super::{SteppedClock, session};
use crate::app::inventory::{
    ApproveReplenishment, DispatchTransfer, FinishStocktake, HoldStock, OpenStocktake, OrderReplenishment,
    ReceiveTransfer, RecordCount, RequestTransfer,
};
use crate::app::{App, Clock, Command, Failure, Guarded, perform};
use crate::domain::actor::Actor;
use crate::domain::inventory::{Purchase, ReplenishmentStatus, StockItem};
use crate::store::inventory::{self, ReplenishmentFilter, StockFilter};
use crate::store::page::Keyset;

const NORTH: &str = "walt.warehouse";
const SOUTH: &str = "wendy.warehouse";
const PROCUREMENT: &str = "paul.procurement";

struct Warehouses<'a> {
    app: &'a Arc<App>,
    clock: &'a SteppedClock,
}

/// A morning in the warehouses, after all orders of the demo.
pub(super) async fn operations(app: &Arc<App>, clock: &SteppedClock) -> Result<(), Failure> {
    clock.advance(Duration::hours(2));
    let warehouses = Warehouses { app, clock };
    warehouses.hold().await?;
    warehouses.transfer().await?;
    warehouses.count().await?;
    warehouses.purchase().await
}

impl Warehouses<'_> {
    async fn by<C: Command>(&self, subject: &str, command: C) -> Result<C::Answer, Failure> {
        self.clock.advance(Duration::minutes(9));
        let person = PEOPLE.iter().find(|person| person.subject == subject).ok_or(Failure::NotFound)?;
        let session = session(self.app, person).await?;
        Ok(perform(&session, Guarded { command, idempotency_key: None }).await?.answer)
    }

    /// The stock of a product, as the keeper of its warehouse sees it.
    async fn item(&self, sku: &str, keeper: &str) -> Result<StockItem, Failure> {
        let person = PEOPLE.iter().find(|person| person.subject == keeper).ok_or(Failure::NotFound)?;
        let actor = session(self.app, person).await?.actor;
        let filter = StockFilter { sku: Some(vec![sku.to_owned()]), ..StockFilter::default() };
        let page = inventory::list(self.app.store(), &actor, &filter, first()).await?;
        page.items.into_iter().next().map(|(_, item)| item).ok_or(Failure::NotFound)
    }

    async fn hold(&self) -> Result<(), Failure> {
        let hold = HoldStock {
            stock_item_id: self.item("CABLE-5", NORTH).await?.id,
            quantity: Decimal::from(25),
            reason: "A pallet was wet; the insulation is to be measured.".to_owned(),
            expected_version: None,
        };
        self.by(NORTH, hold).await?;
        Ok(())
    }

    async fn transfer(&self) -> Result<(), Failure> {
        let request = RequestTransfer {
            from_stock_item_id: self.item("LAMP-1", NORTH).await?.id,
            to_warehouse_id: self.item("LAMP-1", SOUTH).await?.warehouse_id,
            quantity: Decimal::from(40),
            reason: Some("The south sells more of them in spring.".to_owned()),
            expected_at: Some(self.clock.now() + Duration::days(3)),
        };
        let transfer_id = self.by(PROCUREMENT, request).await?.transfer_id;
        self.by(NORTH, DispatchTransfer { transfer_id, expected_version: None }).await?;
        let quantity = Decimal::from(15);
        self.by(SOUTH, ReceiveTransfer { transfer_id, quantity, expected_version: None }).await?;
        Ok(())
    }

    /// One product is right, the other is off by more than the rules tolerate: somebody else is to look at it.
    async fn count(&self) -> Result<(), Failure> {
        let items = [self.item("LAMP-2", NORTH).await?, self.item("WIRE-C", NORTH).await?];
        let open = OpenStocktake {
            warehouse_id: items[0].warehouse_id,
            category: None,
            stock_item_ids: Some(items.iter().map(|item| item.id).collect()),
            blind: false,
        };
        let stocktake_id = self.by(NORTH, open).await?.stocktake_id;
        for (item, off) in items.iter().zip([Decimal::ZERO, Decimal::from(-85)]) {
            let counted = item.on_hand + off;
            let count = RecordCount { stocktake_id, stock_item_id: item.id, counted, expected_version: None };
            self.by(NORTH, count).await?;
        }
        self.by(NORTH, FinishStocktake { stocktake_id, expected_version: None }).await?;
        Ok(())
    }

    async fn purchase(&self) -> Result<(), Failure> {
        let filter =
            ReplenishmentFilter { status: Some(vec![ReplenishmentStatus::Proposed]), ..ReplenishmentFilter::default() };
        let proposed = inventory::requests(self.app.store(), &Actor::system(), &filter, first()).await?;
        let Some((_, request)) = proposed.items.into_iter().next() else { return Ok(()) };
        self.by(PROCUREMENT, ApproveReplenishment { request_id: request.id, expected_version: None }).await?;
        let purchase = Purchase {
            supplier: "Pearl River Panels".to_owned(),
            supplier_reference: Some("PRP-20871".to_owned()),
            expected_at: Some(self.clock.now() + Duration::days(6)),
            quantity: None,
        };
        self.by(PROCUREMENT, OrderReplenishment { request_id: request.id, purchase, expected_version: None }).await?;
        Ok(())
    }
}

fn first() -> Keyset {
    Keyset { limit: 1, ..Keyset::default() }
}
