//! Lets the server itself make one order of every kind, through its API. What it writes is what all
//! others are copied from, so that every row is one the server would write.

use anyhow::{Context, bail};
use bench_common::http::Http;
use bench_common::token::Signer;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value as Json, json};

/// How far an order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goal {
    Submitted,
    UnderReview,
    Clarification,
    Rejected,
    Cancelled,
    Approved,
    OnHold,
    Working,
    Backordered,
    Planned,
    Dispatched,
    Delivered,
    Completed,
    Ticketed,
}

/// Whom an order comes from.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    Sales(&'static str),
    Shop,
    Partner(&'static str),
}

/// An order that the server made.
#[derive(Clone, Debug)]
pub struct Played {
    /// Its identity in the database.
    pub order: String,
    /// The customer's number.
    pub customer: &'static str,
    /// The products' stock keeping units.
    pub skus: Vec<&'static str>,
}

/// The API, and people of every role.
pub struct Studio {
    http: Http,
    signer: Signer,
    now: DateTime<Utc>,
    orders: u32,
}

const ORDER: &str = "order { id }";

impl Studio {
    /// At this server.
    pub fn new(http: Http, signer: Signer) -> Self {
        Self { http, signer, now: DateTime::<Utc>::from(std::time::SystemTime::now()), orders: 0 }
    }

    async fn act(&mut self, role: &str, subject: &str, field: &str, input: Json, wanted: &str) -> anyhow::Result<Json> {
        let token = self.signer.token(role, subject)?;
        self.act_with(&token, field, input, wanted).await
    }

    async fn act_with(&mut self, token: &str, field: &str, input: Json, wanted: &str) -> anyhow::Result<Json> {
        let (first, rest) = field.split_at(1);
        let query = format!(
            "mutation Bench($input: {}{rest}Input!) {{ {field}(input: $input) {{ userErrors {{ code message }} {wanted} }} }}",
            first.to_uppercase()
        );
        let mut data = self.http.graphql(token, &query, json!({"input": input})).await?;
        let payload = data[field].take();
        if payload["userErrors"].as_array().is_none_or(|errors| !errors.is_empty()) {
            bail!("{field} of {input} was refused: {payload}");
        }
        Ok(payload)
    }

    /// Lets a query be answered to an administrator.
    pub async fn ask(&mut self, query: &str, variables: Json) -> anyhow::Result<Json> {
        let token = self.signer.token("ADMIN", "ada.admin")?;
        self.http.graphql(&token, query, variables).await
    }

    /// Makes an order and brings it to its goal.
    pub async fn play(&mut self, goal: Goal, origin: Origin) -> anyhow::Result<Played> {
        self.orders += 1;
        let (skus, played) = self.submit(goal, origin).await?;
        let id = played["order"]["id"].as_str().context("no order's id")?.to_owned();
        let customer = match origin {
            Origin::Sales(customer) | Origin::Partner(customer) => customer,
            Origin::Shop => "C-1001",
        };
        self.advance(goal, &id).await?;
        Ok(Played { order: uuid(&id)?, customer, skus })
    }

    async fn submit(&mut self, goal: Goal, origin: Origin) -> anyhow::Result<(Vec<&'static str>, Json)> {
        let skus = match goal {
            // Goods that are reserved and not gone would count in stock that all copies share.
            Goal::Working | Goal::Planned => vec!["INSTALL", "COURSE"],
            Goal::Backordered => vec!["LASER-4", "INSTALL", "COURSE"],
            _ => vec!["LAMP-1", "CABLE-5", "INSTALL"],
        };
        // Quantities differ, so that none looks like the double of another.
        let mut lines: Vec<Json> = skus.iter().map(|sku| json!({"sku": sku, "quantity": "2"})).collect();
        lines[1]["quantity"] = (1 + self.orders).to_string().into();
        match goal {
            Goal::Working | Goal::Planned => lines.push(json!({"sku": "INSTALL", "quantity": "3"})),
            Goal::Backordered => lines[0]["quantity"] = "5".into(),
            Goal::Clarification => lines[2] = json!({"category": "Lighting", "quantity": "10"}),
            _ => {}
        }
        let mut input = json!({
            "currencyCode": "CNY", "lines": lines, "requiredWithinDays": 25,
            "externalReference": format!("PLAYED-{:04}", self.orders),
            "note": "Please call before delivery.",
            "deliveryAddress": {
                "street": "1 Lantern Road", "city": "Hangzhou", "regionName": "Zhejiang",
                "postalCode": "310000", "countryCode": "CN",
            },
        });
        let token = match origin {
            Origin::Sales(customer) => {
                input["channel"] = "OFFLINE_SALES".into();
                input["customerNumber"] = customer.into();
                self.signer.token("SALES", "sam.sales")?
            }
            Origin::Shop => {
                input["channel"] = "E_COMMERCE".into();
                self.signer.token_for("CUSTOMER", "customer.c-1001", "customer", "C-1001")?
            }
            Origin::Partner(customer) => {
                input["channel"] = "PARTNER_REFERRAL".into();
                input["customerNumber"] = customer.into();
                self.signer.token_for("PARTNER", "shop.lumen", "channel", "lumen-shop")?
            }
        };
        Ok((skus, self.act_with(&token, "submitOrder", input, ORDER).await?))
    }

    async fn advance(&mut self, goal: Goal, id: &str) -> anyhow::Result<()> {
        let order = json!({"orderId": id});
        let with = |name: &str, text: &str| json!({"orderId": id, name: text});
        match goal {
            Goal::Submitted => return Ok(()),
            Goal::Cancelled => {
                self.act("SALES", "sam.sales", "cancelOrder", with("reason", "The project was called off."), "")
                    .await?;
                return Ok(());
            }
            _ => self.act("REVIEWER", "rita.reviewer", "startReview", order.clone(), "").await?,
        };
        match goal {
            Goal::UnderReview => return Ok(()),
            Goal::Clarification => {
                let input = with("question", "Which lamps would you like?");
                self.act("REVIEWER", "rita.reviewer", "requestClarification", input, "").await?;
                return Ok(());
            }
            Goal::Rejected => {
                let input = with("reason", "It is not sold to this group of customers.");
                self.act("REVIEWER", "rita.reviewer", "rejectOrder", input, "").await?;
                return Ok(());
            }
            _ => self.act("FINANCE_APPROVER", "fiona.finance", "approveOrder", order.clone(), "").await?,
        };
        if goal == Goal::OnHold {
            let input = with("reason", "The customer waits for a building permit.");
            self.act("DISPATCHER", "dan.dispatcher", "placeHold", input, "").await?;
        }
        if goal < Goal::Working {
            return Ok(());
        }
        let shares =
            self.act("DISPATCHER", "dan.dispatcher", "allocateOrder", order, "allocations { id kind }").await?;
        for share in shares["allocations"].as_array().context("no allocations")?.clone() {
            let allocation = share["id"].as_str().context("no allocation's id")?.to_owned();
            self.share(goal, &allocation, share["kind"] == "SERVICE").await?;
        }
        if goal == Goal::Ticketed {
            self.ticket(id, true).await?;
            self.ticket(id, false).await?;
        }
        Ok(())
    }

    async fn share(&mut self, goal: Goal, allocation: &str, service: bool) -> anyhow::Result<()> {
        let id = json!({"allocationId": allocation});
        let wanted = "allocation { checklistItems milestones { id } }";
        let accepted = self.act("OPERATOR", "olga.operator", "acceptAllocation", id.clone(), wanted).await?;
        if goal <= Goal::Backordered {
            return Ok(());
        }
        let milestones = accepted["allocation"]["milestones"].as_array().context("no milestones")?;
        for milestone in milestones {
            let input = json!({"milestoneId": milestone["id"]});
            self.act("OPERATOR", "olga.operator", "startMilestone", input.clone(), "").await?;
            self.act("OPERATOR", "olga.operator", "completeMilestone", input, "").await?;
        }
        let items = accepted["allocation"]["checklistItems"].as_array().context("no checklist")?;
        let checklist: Vec<Json> = items.iter().map(|item| json!({"item": item, "passed": true})).collect();
        let input = json!({"allocationId": allocation, "checklist": checklist});
        self.act("INSPECTOR", "ines.inspector", "recordInspection", input, "").await?;
        self.deliver(goal, id, service).await
    }

    async fn deliver(&mut self, goal: Goal, mut plan: Json, service: bool) -> anyhow::Result<()> {
        plan["method"] = if service { "ON_SITE_SERVICE" } else { "EXPRESS" }.into();
        let logistics = ("LOGISTICS", "lars.logistics");
        let planned = self.act(logistics.0, logistics.1, "planDelivery", plan, "delivery { id number }").await?;
        let delivery = planned["delivery"]["id"].clone();
        if goal == Goal::Planned {
            return Ok(());
        }
        let number = planned["delivery"]["number"].as_str().context("no delivery's number")?.to_owned();
        let booking = json!({
            "deliveryId": delivery, "carrier": if service { "Aurora Services" } else { "Swift Parcel" },
            "trackingNumber": format!("SP{}", number.replace('-', "")),
            "appointment": (self.now + Duration::hours(20)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        });
        self.act(logistics.0, logistics.1, "bookDelivery", booking, "").await?;
        self.act(logistics.0, logistics.1, "dispatchDelivery", json!({"deliveryId": delivery}), "").await?;
        let kinds: &[&str] = match (goal, service) {
            (Goal::Dispatched, _) => &[],
            (_, true) => &["DELIVERED"],
            (_, false) => &["PICKED_UP", "IN_TRANSIT", "DELIVERED"],
        };
        for (position, kind) in kinds.iter().enumerate() {
            let occurred = DateTime::<Utc>::from(std::time::SystemTime::now());
            let input = json!({
                "deliveryId": delivery, "carrier": "Swift Parcel", "kind": kind, "location": "Hangzhou",
                "carrierEventId": format!("EV{position}{}", number.replace('-', "")),
                "occurredAt": occurred.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            });
            self.act(logistics.0, logistics.1, "recordTrackingEvent", input, "").await?;
        }
        if goal < Goal::Completed {
            return Ok(());
        }
        let evidence = json!({
            "kind": if service { "SERVICE_REPORT_SIGNATURE" } else { "SIGNED_SLIP" }, "reference": "slip 4711",
        });
        let input = json!({"deliveryId": delivery, "evidence": evidence});
        self.act(logistics.0, logistics.1, "confirmDelivery", input, "").await?;
        Ok(())
    }

    async fn ticket(&mut self, order: &str, resolved: bool) -> anyhow::Result<()> {
        let service = ("SERVICE_AGENT", "sara.service");
        let input = json!({
            "orderId": order, "type": "PRODUCT_QUALITY", "subject": "One lamp flickers",
            "description": "It flickers when it has been on for an hour.",
        });
        let opened = self.act(service.0, service.1, "openTicket", input, "ticket { id }").await?;
        let ticket = &opened["ticket"]["id"];
        if resolved {
            let input = json!({"ticketId": ticket, "summary": "The customer sent a film of it."});
            self.act(service.0, service.1, "contactCustomer", input, "").await?;
            let input = json!({"ticketId": ticket, "resolution": "The driver was replaced."});
            self.act(service.0, service.1, "resolveTicket", input, "").await?;
        }
        Ok(())
    }

    /// Takes all of a product out of every warehouse, so that whoever wants it must wait.
    pub async fn empty(&mut self, sku: &str) -> anyhow::Result<()> {
        let query =
            "query Bench($skus: [String!]) { stockItems(first: 10, filter: {skus: $skus}) { nodes { id onHand } } }";
        let data = self.ask(query, json!({"skus": [sku]})).await?;
        for item in data["stockItems"]["nodes"].as_array().context("no stock items")? {
            let on_hand = item["onHand"].as_str().context("no count")?;
            if on_hand.trim_matches(['0', '.']).is_empty() {
                continue;
            }
            let input =
                json!({"stockItemId": item["id"], "change": format!("-{on_hand}"), "reason": "moved to a museum"});
            self.act("WAREHOUSE", "walt.warehouse", "adjustStock", input, "").await?;
        }
        Ok(())
    }
}

/// The database's form of a global id.
fn uuid(global: &str) -> anyhow::Result<String> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(global)?;
    let text = String::from_utf8(bytes)?;
    let (_, digits) = text.split_once(':').context("no global id")?;
    if digits.len() != 32 || !digits.is_ascii() {
        bail!("{text} holds no identity");
    }
    Ok(format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]))
}
