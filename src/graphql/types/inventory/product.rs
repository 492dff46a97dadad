//! Stock by product.

use async_graphql::{Context, Object, Result};

use crate::app::read::inventory as domain;
use crate::graphql::connection::connection;
use crate::graphql::context::int;
use crate::graphql::scalars::Decimal;
use crate::graphql::types::reference::{Product, product};
use crate::graphql::types::wrapper;

wrapper! {
    /// A product's stock.
    ProductStock(domain::ProductStock)
}
connection!(ProductStockConnection, ProductStockEdge, ProductStock, "products' stock");

/// A product's stock, summed over the warehouses the caller may see (R4.1). In the product's unit of measure.
#[macros::written]
#[Object]
impl ProductStock {
    /// The product.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.product_id).await
    }

    /// The product's stock keeping unit.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// In how many warehouses it is kept.
    async fn warehouses(&self) -> i32 {
        int(self.0.warehouses)
    }

    /// What lies in the warehouses.
    async fn on_hand(&self) -> Decimal {
        self.0.on_hand.into()
    }

    /// What of it is set aside for orders.
    async fn reserved(&self) -> Decimal {
        self.0.reserved.into()
    }

    /// What of it is put aside until its quality is known.
    async fn quality_hold(&self) -> Decimal {
        self.0.quality_hold.into()
    }

    /// What can be promised: on hand less what is reserved and what is put aside.
    async fn available(&self) -> Decimal {
        self.0.available().into()
    }

    /// What should always be left: the sum of the warehouses' safety stocks.
    async fn safety_stock(&self) -> Decimal {
        self.0.safety_stock.into()
    }

    /// The sum of the warehouses' lower limits.
    async fn reorder_point(&self) -> Decimal {
        self.0.reorder_point.into()
    }
}
