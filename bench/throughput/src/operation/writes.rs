//! The writes: what is asked of the server. Their statements for pgbench are the server's own; see
//! [`crate::capture`].

use serde_json::json;

use super::{body, expected, global_id};
use crate::fill::Filled;
use crate::fill::reference::{GOODS, SERVICES, customer_number, sku};
use crate::fill::stencil::{CUSTOMERS, PRODUCTS, identity};
use crate::fill::studio::Goal;
use crate::fill::template::{Template, mix};
use crate::load::Expected;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    W1,
    W2,
    W3,
    W4,
}

pub const WRITES: [Write; 4] = [Write::W1, Write::W2, Write::W3, Write::W4];

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The number of the copy that is written to; of W1, the number of the request.
    pub copy: u64,
    /// Which of the steps that can be taken with one copy.
    pub step: u64,
    /// What makes keys of different runs differ.
    pub run: u64,
}

/// A text of a request, and what pgbench says instead.
pub type Substitute = (String, String);

impl Write {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::W1 => "W1",
            Self::W2 => "W2",
            Self::W3 => "W3",
            Self::W4 => "W4",
        }
    }

    /// The copies it writes to; none for what makes new orders.
    pub fn template(self, filled: &Filled) -> anyhow::Result<Option<&Template>> {
        Ok(match self {
            Self::W1 => None,
            Self::W2 => Some(filled.template(Goal::Working)?),
            Self::W3 => Some(filled.template(Goal::Delivered)?),
            Self::W4 => Some(filled.template(Goal::Backordered)?),
        })
    }

    /// How many steps can be taken with one copy, each by one request.
    pub fn steps(self) -> u64 {
        match self {
            Self::W1 | Self::W4 => 1,
            Self::W2 => 3,
            Self::W3 => 2,
        }
    }

    /// Whose token is sent: role and subject.
    pub fn person(self) -> (&'static str, &'static str) {
        match self {
            Self::W1 => ("SALES", "sam.sales"),
            Self::W2 => ("OPERATOR", "olga.operator"),
            Self::W3 => ("LOGISTICS", "lars.logistics"),
            Self::W4 => ("WAREHOUSE", "walt.warehouse"),
        }
    }

    /// What counts the rows that really appeared: one more for each answer.
    pub fn counted(self) -> &'static str {
        match self {
            Self::W1 => "SELECT count(*) FROM orders",
            Self::W2 => "SELECT sum(version)::bigint FROM allocation",
            Self::W3 => "SELECT sum(version)::bigint FROM delivery",
            Self::W4 => "SELECT sum(version)::bigint FROM stock_item",
        }
    }

    /// The document of a step.
    pub fn query(self, step: u64) -> &'static str {
        match (self, step) {
            (Self::W1, _) => {
                "mutation W1($input: SubmitOrderInput!) { submitOrder(input: $input) { duplicate \
                 order { id number status total { amount } lines { lineNumber } } userErrors { code message } } }"
            }
            (Self::W2, 1) => {
                "mutation W2($input: CompleteMilestoneInput!) { completeMilestone(input: $input) { \
                 milestone { id status } userErrors { code message } } }"
            }
            (Self::W2, _) => {
                "mutation W2($input: StartMilestoneInput!) { startMilestone(input: $input) { \
                 milestone { id status } userErrors { code message } } }"
            }
            (Self::W3, _) => {
                "mutation W3($input: ConfirmDeliveryInput!) { confirmDelivery(input: $input) { \
                 delivery { id status confirmationStatus } order { id status } userErrors { code message } } }"
            }
            (Self::W4, _) => {
                "mutation W4($input: ReceiveStockInput!) { receiveStock(input: $input) { \
                 stockItem { id onHand reserved } filledAllocations { id status } userErrors { code message } } }"
            }
        }
    }

    /// What an answer must be like.
    pub fn expected(self) -> Expected {
        let mut wanted = match self {
            Self::W1 => expected(&[("lineNumber", 3), ("number", 1)]),
            Self::W2 => expected(&[("status", 1)]),
            Self::W3 => expected(&[("confirmationStatus", 1), ("status", 2)]),
            Self::W4 => expected(&[("onHand", 1), ("status", 3)]),
        };
        // The list of refusals is there, and nothing in it.
        wanted.counts.push(("\"userErrors\":[]".to_owned(), 1));
        wanted
    }

    /// The idempotency key of a request.
    pub fn key(self, target: Target) -> String {
        format!("key-{}-{:x}-{}-{}", self.name(), target.run, target.copy, target.step)
    }

    /// The body of a request.
    pub fn body(self, filled: &Filled, target: Target) -> anyhow::Result<String> {
        let key = self.key(target);
        let template = self.template(filled)?;
        let id = |kind: &str, place: Option<&u32>| match (template, place) {
            (Some(template), Some(place)) => Ok(global_id(kind, &template.identity(*place, target.copy))),
            _ => Err(anyhow::anyhow!("{} has nothing to write to", self.name())),
        };
        let input = match (self, template) {
            (Self::W1, _) => {
                let chosen = Chosen::of(filled, target);
                let lines: Vec<_> = chosen
                    .products
                    .iter()
                    .map(|product| json!({"sku": sku(PRODUCTS, *product), "quantity": "2"}))
                    .collect();
                json!({
                    "channel": "OFFLINE_SALES", "customerNumber": customer_number(chosen.customer),
                    "currencyCode": "CNY", "requiredWithinDays": 20, "lines": lines, "idempotencyKey": key,
                    "deliveryAddress": {
                        "street": "7 Harbour Street", "city": "Ningbo", "postalCode": "315000", "countryCode": "CN",
                    },
                })
            }
            (Self::W2, Some(template)) => {
                let place = template.milestones.get(usize::try_from(target.step / 2)?);
                json!({"milestoneId": id("Milestone", place)?, "idempotencyKey": key})
            }
            (Self::W3, Some(template)) => {
                let place = template.deliveries.get(usize::try_from(target.step)?);
                let kind = if target.step == 0 { "SIGNED_SLIP" } else { "SERVICE_REPORT_SIGNATURE" };
                json!({
                    "deliveryId": id("Delivery", place)?, "idempotencyKey": key,
                    "evidence": {"kind": kind, "reference": "slip 4712"},
                })
            }
            (Self::W4, Some(template)) => {
                let place = template.stock_item.as_ref();
                json!({"stockItemId": id("StockItem", place)?, "quantity": "15", "idempotencyKey": key})
            }
            _ => anyhow::bail!("{} has nothing to write to", self.name()),
        };
        Ok(body(self.query(target.step), &json!({"input": input})))
    }

    /// Texts of a request that pgbench says another way each time.
    pub fn substitutes(self, filled: &Filled, target: Target) -> Vec<Substitute> {
        let mut all = vec![(self.key(target), "('key-' || :n)".to_owned())];
        if self == Self::W1 {
            let chosen = Chosen::of(filled, target);
            let number = |variable: &str, digits: usize| format!("lpad(:{variable}::text, {digits}, '0')");
            let id = |series: u32, variable: &str| {
                format!("('{series:04}0000-0000-4000-8000-' || {})", number(variable, 12))
            };
            for (product, variable) in chosen.products.iter().zip(["p1", "p2", "p3"]) {
                all.push((sku(PRODUCTS, *product), format!("('B-' || {})", number(variable, 6))));
                all.push((identity(PRODUCTS, 0, *product), id(PRODUCTS, variable)));
            }
            all.push((customer_number(chosen.customer), format!("('K-' || {})", number("c", 6))));
            all.push((identity(CUSTOMERS, 0, chosen.customer), id(CUSTOMERS, "c")));
        }
        all
    }

    /// Variables of pgbench that [`Write::substitutes`] name.
    pub fn variables(self, filled: &Filled) -> String {
        if self != Self::W1 {
            return String::new();
        }
        format!(
            "\\set p1 random(0, {})\n\\set p2 (:p1 + 17) % {GOODS}\n\\set p3 random({GOODS}, {})\n\\set c random(0, {})\n",
            GOODS - 1,
            GOODS + SERVICES - 1,
            filled.reference.customers - 1
        )
    }
}

/// What a new order is about.
struct Chosen {
    customer: u64,
    products: [u64; 3],
}

impl Chosen {
    fn of(filled: &Filled, target: Target) -> Self {
        let random = mix(target.run << 32 | target.copy);
        let goods = random % GOODS;
        Self {
            customer: mix(random) % filled.reference.customers,
            products: [goods, (goods + 17) % GOODS, GOODS + mix(random + 1) % SERVICES],
        }
    }
}
