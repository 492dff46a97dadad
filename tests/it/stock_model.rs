//! Whatever is done with stock, in whatever order: a small model says what must lie where, and after every step
//! the server agrees and every invariant holds.

use std::sync::Arc;

use chrono::Duration;
use ordergraph::app::due::DUTIES;
use ordergraph::domain::actor::Role;
use proptest::collection::vec;
use proptest::prelude::any;
use serde_json::{Value, json};

use crate::support::actor::text;
use crate::support::chance::live;
use crate::support::story::{Share, line};
use crate::support::{World, on_both_databases};

const SKU: &str = "LASER-4";
const NORTH: usize = 0;
const SOUTH: usize = 1;
const WAREHOUSES: [&str; 2] = ["AUR-N-WH", "AUR-S-WH"];
const KEEPERS: [&str; 2] = ["walt.warehouse", "wendy.warehouse"];
/// Random lives, and steps of each.
const CASES: u32 = 3;
const STEPS: usize = 16;

/// What must lie where. Orders are served by the north alone.
struct Books {
    world: Arc<World>,
    items: [String; 2],
    units: [String; 2],
    on_hand: [i64; 2],
    held: [i64; 2],
    /// Shares that were accepted and have not left, with what they want.
    shares: Vec<(Share, i64)>,
    /// Transfers on their way: id, where they go, what is left.
    moving: Vec<(String, usize, i64)>,
    told: Vec<String>,
}

impl Books {
    async fn open(world: &Arc<World>) -> Self {
        let mut items = [String::new(), String::new()];
        let (mut on_hand, mut held) = ([0; 2], [0; 2]);
        for place in [NORTH, SOUTH] {
            let found = world.stock(SKU, WAREHOUSES[place]).await;
            items[place] = text(&found["id"]);
        }
        let units = world.actor(Role::Supervisor).data("{ units { id code } }", json!({})).await;
        let unit = |code: &str| {
            let all = units["units"].as_array().expect("units").iter();
            text(&all.into_iter().find(|unit| unit["code"] == code).expect("the unit")["id"])
        };
        let units = WAREHOUSES.map(unit);
        let mut books = Self {
            world: world.clone(),
            items,
            units,
            on_hand,
            held,
            shares: Vec::new(),
            moving: Vec::new(),
            told: Vec::new(),
        };
        // What former lives left behind is what this one begins with.
        for place in [NORTH, SOUTH] {
            [on_hand[place], _, held[place]] = books.seen(place).await;
        }
        books.on_hand = on_hand;
        books.held = held;
        books
    }

    /// On hand, reserved and put aside, as the server tells it.
    async fn seen(&self, place: usize) -> [i64; 3] {
        let document = "query($id: ID!) { node(id: $id) { ... on StockItem { onHand reserved qualityHold } } }";
        let asked = json!({ "id": self.items[place] });
        let found = self.world.actor(Role::Supervisor).data(document, asked).await["node"].clone();
        ["onHand", "reserved", "qualityHold"].map(|name| text(&found[name]).parse().expect("a whole number"))
    }

    fn wanted(&self) -> i64 {
        self.shares.iter().map(|(_, quantity)| quantity).sum()
    }

    /// Those who wait get everything that is neither held nor missing.
    fn reserved(&self, place: usize) -> i64 {
        if place == NORTH { self.wanted().min(self.on_hand[NORTH] - self.held[NORTH]) } else { 0 }
    }

    fn available(&self, place: usize) -> i64 {
        self.on_hand[place] - self.held[place] - self.reserved(place)
    }

    /// Does something that must succeed exactly when the model says so.
    async fn tries(&mut self, who: &str, field: &str, input: Value, expected: bool) -> Value {
        let answer = self.world.person(who).act(field, input.clone()).await;
        let payload = answer.data()[field].clone();
        let errors = &payload["userErrors"];
        self.told.push(format!("{who} {field} {input} -> {errors}"));
        assert_eq!(*errors == json!([]), expected, "{:#?}", self.told);
        payload
    }

    async fn step(&mut self, kind: u8, size: u8) {
        let quantity = i64::from(size % 6) + 1;
        let place = usize::from(size % 2);
        let it = |more: Value| {
            let mut input = more;
            input["stockItemId"] = json!(self.items[place]);
            input["quantity"] = json!(quantity.to_string());
            input
        };
        let because = json!({ "reason": "Chance." });
        match kind % 11 {
            0 | 1 => {
                let input = it(json!({}));
                self.tries(KEEPERS[place], "receiveStock", input, true).await;
                self.on_hand[place] += quantity;
            }
            2 | 3 => self.accept(quantity).await,
            4 => {
                let (input, fits) = (it(because), quantity <= self.available(place));
                self.tries(KEEPERS[place], "holdStock", input, fits).await;
                self.held[place] += if fits { quantity } else { 0 };
            }
            5 => {
                let (input, fits) = (it(because), quantity <= self.held[place]);
                self.tries("ines.inspector", "releaseHeldStock", input, fits).await;
                self.held[place] -= if fits { quantity } else { 0 };
            }
            6 => {
                let (input, fits) = (it(because), quantity <= self.held[place]);
                self.tries("ines.inspector", "scrapHeldStock", input, fits).await;
                self.held[place] -= if fits { quantity } else { 0 };
                self.on_hand[place] -= if fits { quantity } else { 0 };
            }
            7 => self.send(place, quantity).await,
            8 => self.arrive(size, quantity).await,
            9 => self.count(place, quantity - 4).await,
            _ if size.is_multiple_of(2) => self.issue().await,
            _ => {
                self.told.push("fifteen days pass".to_owned());
                self.world.done_later(Duration::days(15), DUTIES).await;
            }
        }
        for place in [NORTH, SOUTH] {
            let model = [self.on_hand[place], self.reserved(place), self.held[place]];
            assert_eq!(self.seen(place).await, model, "{}: {:#?}", WAREHOUSES[place], self.told);
        }
        assert_eq!(self.world.violations().await, Vec::<String>::new(), "{:#?}", self.told);
    }

    async fn accept(&mut self, quantity: i64) {
        let share = self.world.allocated(&[line(SKU, &quantity.to_string())]).await.1.remove(0);
        assert_eq!(share.unit, "AUR-N");
        self.tries("olga.operator", "acceptAllocation", share.input(), true).await;
        self.shares.push((share, quantity));
    }

    /// The oldest share that has all it wants leaves the house.
    async fn issue(&mut self) {
        for index in 0..self.shares.len() {
            let (share, quantity) = self.shares[index].clone();
            let document = "query($id: ID!) { node(id: $id) { ... on Allocation { lines { reserved } } } }";
            let found = self.world.actor(Role::Supervisor).data(document, json!({ "id": share.id })).await;
            let all = quantity.to_string();
            if found["node"]["lines"][0]["reserved"] != all {
                continue;
            }
            self.world.work(&share).await;
            self.world.pass(&share).await;
            let delivery = self.world.booked(&share, Some("EXPRESS")).await;
            self.world.arrive(&delivery).await;
            self.told.push(format!("{quantity} leave"));
            self.shares.remove(index);
            self.on_hand[NORTH] -= quantity;
            return;
        }
    }

    async fn send(&mut self, from: usize, quantity: i64) {
        let to = 1 - from;
        let request = json!({
            "fromStockItemId": self.items[from], "toWarehouseId": self.units[to], "quantity": quantity.to_string(),
        });
        let id = text(&self.tries("paul.procurement", "requestTransfer", request, true).await["transfer"]["id"]);
        let fits = quantity <= self.available(from);
        self.tries(KEEPERS[from], "dispatchTransfer", json!({ "transferId": id }), fits).await;
        if fits {
            self.on_hand[from] -= quantity;
            self.moving.push((id, to, quantity));
        }
    }

    async fn arrive(&mut self, size: u8, quantity: i64) {
        if self.moving.is_empty() {
            return;
        }
        let index = usize::from(size) % self.moving.len();
        let (id, to, left) = self.moving[index].clone();
        if size.is_multiple_of(5) {
            let input = json!({ "transferId": id, "reason": "Chance." });
            self.tries(KEEPERS[to], "closeTransferShort", input, true).await;
            self.moving.remove(index);
            return;
        }
        let (input, fits) = (json!({ "transferId": id, "quantity": quantity.to_string() }), quantity <= left);
        self.tries(KEEPERS[to], "receiveTransfer", input, fits).await;
        if fits {
            self.on_hand[to] += quantity;
            self.moving[index].2 -= quantity;
        }
        self.moving.retain(|(.., left)| *left > 0);
    }

    async fn count(&mut self, place: usize, off: i64) {
        let counted = (self.on_hand[place] + off).max(0);
        let off = counted - self.on_hand[place];
        let open = json!({ "warehouseId": self.units[place], "stockItemIds": [self.items[place]] });
        let opened = self.tries(KEEPERS[place], "openStocktake", open, true).await;
        let id = text(&opened["stocktake"]["id"]);
        let input = json!({
            "stocktakeId": id, "stockItemId": self.items[place], "counted": counted.to_string(),
        });
        self.tries(KEEPERS[place], "recordCount", input, true).await;
        let finished = self.tries(KEEPERS[place], "finishStocktake", json!({ "stocktakeId": id }), true).await;
        if finished["stocktake"]["status"] == "COUNTED" {
            // Nobody has taken anything from its place: all that is reserved can be taken back, but nothing that
            // is put aside.
            let fits = counted >= self.held[place];
            let input = json!({ "stocktakeId": id, "releaseReservations": true });
            self.tries("fiona.finance", "approveStocktake", input, fits).await;
            if !fits {
                let input = json!({ "stocktakeId": id, "reason": "It cannot be." });
                self.tries("ada.admin", "rejectStocktake", input, true).await;
                return;
            }
        }
        self.on_hand[place] += off;
    }
}

async fn life(world: Arc<World>, steps: Vec<(u8, u8)>) {
    let mut books = Books::open(&world).await;
    for (kind, size) in steps {
        books.step(kind, size).await;
    }
    // So that the next life begins with nobody waiting: what is missing comes in, and everything leaves.
    let missing = books.wanted() - books.reserved(NORTH);
    if missing > 0 {
        let input = json!({ "stockItemId": books.items[NORTH], "quantity": missing.to_string() });
        books.tries(KEEPERS[NORTH], "receiveStock", input, true).await;
        books.on_hand[NORTH] += missing;
    }
    while !books.shares.is_empty() {
        books.issue().await;
    }
}

on_both_databases!(whatever_is_done_with_stock_the_model_agrees, |world| async move {
    live((CASES, 0), &vec((any::<u8>(), any::<u8>()), STEPS), |steps| life(world.clone(), steps));
    // Had little happened, nothing would have been tested.
    let kinds = world.number("SELECT COUNT(DISTINCT kind) FROM stock_movement").await;
    assert!(kinds >= 4, "only {kinds} kinds of movements");
});
