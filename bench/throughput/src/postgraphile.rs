//! PostGraphile 5 on Node.js, on the same tables, with a pool of 16 connections as ours.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use bench_common::process::Process;
use serde_json::json;

use crate::database;
use crate::fill::Filled;
use crate::fill::reference::{customer_number, sku};
use crate::fill::stencil::{PRODUCTS, identity};
use crate::fill::studio::Goal;
use crate::fill::template::mix;
use crate::load::Target;
use crate::operation::reads::Read;
use crate::operation::writes::Write;
use crate::operation::{body, expected};
use crate::product::{free_port, ready};
use crate::settings::Settings;

const SETUP: &str = include_str!("postgraphile.sql");
/// Milestones that it advances, back and forth.
pub const MILESTONES: u64 = 400;

const TREE: &str = "rowId number status stage channel submittedAt requiredBy currency \
    lines { nodes { lineNumber description ordered total product { sku name } } } \
    allocations { nodes { status kind unit { code name } } } \
    deliveries { nodes { number status method plannedArrival trackingNumber } }";
const FLAT: &str = "rowId number status stage region priority submittedAt requiredBy externalReference";

/// A running server.
pub struct Postgraphile {
    /// Its process.
    pub process: Process,
    address: SocketAddr,
    /// Copies whose milestones are its own.
    first: u64,
    template: u32,
    milestone: u32,
}

/// What it is asked.
pub struct Asked {
    /// Where, and what must come back.
    pub target: Target,
    query: String,
    first: u64,
    template: u32,
    milestone: u32,
}

impl Postgraphile {
    /// Tells it of the tables and starts it.
    pub async fn start(settings: &Settings, filled: &Filled) -> anyhow::Result<Self> {
        database::run(&mut database::connect(&filled.url).await?, SETUP).await.context("setting PostGraphile up")?;
        let port = free_port()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let script = settings.node_folder.join("server.mjs").display().to_string();
        let port = port.to_string();
        let environment = [
            ("NODE_ENV", "production"),
            ("GRAPHILE_ENV", "production"),
            ("PEER_PORT", port.as_str()),
            ("PEER_DATABASE_URL", filled.url.as_str()),
        ];
        let log = settings.log("postgraphile");
        let mut process = Process::start("", Path::new("node"), &[&script], &environment, &log)?;
        ready(&mut process, address, "/graphql", "PostGraphile").await?;
        let template = filled.template(Goal::Working)?;
        let first = filled.take(template, MILESTONES).start;
        let milestone = *template.milestones.first().context("no milestone")?;
        let peer = Self { process, address, first, template: template.number, milestone };
        peer.rest().await?;
        Ok(peer)
    }

    /// Lets it go on.
    pub async fn wake(&self) -> anyhow::Result<()> {
        self.process.signal("CONT").await
    }

    /// Stops it while others are measured.
    pub async fn rest(&self) -> anyhow::Result<()> {
        self.process.signal("STOP").await
    }

    fn asked(&self, query: String, counts: &[(&str, usize)]) -> Asked {
        let target = Target { address: self.address, headers: String::new(), expected: expected(counts) };
        Asked { target, query, first: self.first, template: self.template, milestone: self.milestone }
    }

    /// The same read, as far as it is compared.
    pub fn read(&self, read: Read) -> Option<Asked> {
        Some(match read {
            Read::R1 => self.asked(
                format!("query R1($id: UUID!) {{ orderByRowId(rowId: $id) {{ {TREE} }} }}"),
                &[("lineNumber", 3), ("plannedArrival", 2), ("code", 2)],
            ),
            Read::R2 => self.asked(
                format!(
                    "query R2($before: Datetime!) {{ benchCompletedBefore(first: 50, before: $before) {{ nodes {{ {TREE} }} }} }}"
                ),
                &[("lineNumber", 150), ("plannedArrival", 100), ("code", 100)],
            ),
            Read::R3 => self.asked(
                format!(
                    "query R3($channel: String!, $before: Datetime!) {{ benchOfChannelBefore(first: 50, channel: $channel, \
                     before: $before) {{ nodes {{ {FLAT} }} }} }}"
                ),
                &[("externalReference", 50)],
            ),
            Read::R4 | Read::R5 => return None,
        })
    }

    /// A write of the same rows, as far as it is compared.
    pub fn write(&self, write: Write) -> Option<Asked> {
        Some(match write {
            Write::W1 => self.asked(
                "mutation W1($input: BenchSubmitOrderInput!) { benchSubmitOrder(input: $input) { \
                 result { rowId number status lines { nodes { lineNumber } } } } }"
                    .to_owned(),
                &[("lineNumber", 3)],
            ),
            Write::W2 => self.asked(
                "mutation W2($input: BenchAdvanceMilestoneInput!) { benchAdvanceMilestone(input: $input) { \
                 result { rowId status } } }"
                    .to_owned(),
                &[("status", 1)],
            ),
            Write::W3 | Write::W4 => return None,
        })
    }
}

impl Asked {
    /// The request of a number.
    pub fn body(&self, filled: &Filled, read: Read, number: u64) -> String {
        let choice = read.choice(filled, number);
        let mut variables = read.variables(&choice);
        if read == Read::R1 {
            variables["id"] = identity(u32::try_from(choice.template).unwrap_or(0), 0, choice.copy).into();
        }
        body(&self.query, &variables)
    }

    /// The write of a number.
    pub fn write_body(&self, filled: &Filled, write: Write, run: u64, number: u64) -> String {
        let key = format!("peer-{}-{run}-{number}", write.name());
        let random = mix(run << 32 | number);
        let input = if write == Write::W1 {
            let products = [random % 8_000, (random + 17) % 8_000, 8_000 + mix(random) % 4_000];
            json!({
                "key": key, "customerNumber": customer_number(mix(random + 1) % filled.reference.customers),
                "skus": products.map(|product| sku(PRODUCTS, product)),
            })
        } else {
            let copy = self.first + number % MILESTONES;
            json!({"key": key, "milestone": identity(self.template, self.milestone, copy)})
        };
        body(&self.query, &json!({"input": input}))
    }
}
