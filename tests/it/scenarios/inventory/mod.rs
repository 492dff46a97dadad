//! Inventory (R4): what is done with stock, and what it adds up to.

mod catalogue;
mod expiry;
mod holds;
mod replenishment;
mod report;
mod stocktakes;
mod transfers;

use std::sync::Arc;

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::actor::text;

/// A stock item as the supervisor sees it.
async fn look(world: &Arc<World>, sku: &str, warehouse: &str, selection: &str) -> Value {
    let id = world.stock(sku, warehouse).await["id"].clone();
    let document = format!("query($id: ID!) {{ node(id: $id) {{ ... on StockItem {{ {selection} }} }} }}");
    world.actor(Role::Supervisor).data(&document, json!({ "id": id })).await["node"].clone()
}

async fn item(world: &Arc<World>, sku: &str, warehouse: &str) -> String {
    text(&world.stock(sku, warehouse).await["id"])
}

/// The id of an organizational unit.
async fn unit(world: &Arc<World>, code: &str) -> String {
    let units = world.actor(Role::Supervisor).data("{ units { id code } }", json!({})).await;
    let units = units["units"].as_array().expect("units");
    text(&units.iter().find(|unit| unit["code"] == code).expect("the unit")["id"])
}

/// On hand, reserved, put aside and available.
async fn counts(world: &Arc<World>, sku: &str, warehouse: &str) -> [String; 4] {
    let found = look(world, sku, warehouse, "onHand reserved qualityHold available").await;
    ["onHand", "reserved", "qualityHold", "available"].map(|name| text(&found[name]))
}

/// What the supervisor is answered.
async fn asked(world: &Arc<World>, query: &str) -> Value {
    world.actor(Role::Supervisor).data(query, json!({})).await
}
