//! The reads: what is asked of the server, and the one statement that brings the same content.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value as Json, json};

use super::{body, expected, global_id};
use crate::fill::Filled;
use crate::fill::reference::WORDS;
use crate::fill::stencil::identity;
use crate::fill::template::mix;
use crate::load::Expected;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    R1,
    R2,
    R3,
    R4,
    R5,
}

pub const READS: [Read; 5] = [Read::R1, Read::R2, Read::R3, Read::R4, Read::R5];
const CHANNELS: [&str; 3] = ["E_COMMERCE", "OFFLINE_SALES", "PARTNER_REFERRAL"];
/// Templates of completed orders, each with three lines, two shares and two deliveries.
const COMPLETED: u64 = 6;

/// Seconds before which there are copies only: orders of the demo group have other shapes.
const PLAYED: i64 = 40 * 86_400;

/// The fields of R1 and R2: 45 values of an order with three lines, two shares and two deliveries.
const TREE: &str = "id number status stage channel submittedAt requiredBy total { amount currencyCode } \
    lines { lineNumber description quantities { ordered } total { amount } product { sku name } } \
    allocations { status kind unit { code name } } \
    deliveries { number status method plannedArrival trackingNumber }";
const FLAT: &str = "id number status stage region priority submittedAt requiredBy externalReference";
const NEWEST_FIRST: &str = "sort: {field: SUBMITTED_AT, direction: DESCENDING}";
const PAGE: &str = include_str!("detail.graphql");
const PAGE_SQL: &str = include_str!("detail.sql");

const TREE_SQL: &str = "json_build_object('id', o.id, 'number', o.number, 'status', o.status, 'stage', o.stage, \
    'channel', o.channel, 'submittedAt', o.submitted_at, 'requiredBy', o.required_by, \
    'total', json_build_object('amount', l.total, 'currencyCode', o.currency), 'lines', l.lines, \
    'allocations', (SELECT json_agg(json_build_object('status', a.status, 'kind', a.kind, \
        'unit', json_build_object('code', u.code, 'name', u.name)) ORDER BY a.id) \
      FROM allocation a JOIN org_unit u ON u.id = a.unit_id WHERE a.order_id = o.id), \
    'deliveries', (SELECT json_agg(json_build_object('number', d.number, 'status', d.status, 'method', d.method, \
        'plannedArrival', d.planned_arrival, 'trackingNumber', d.tracking_number) ORDER BY d.id) \
      FROM delivery d WHERE d.order_id = o.id))";
const LINES_SQL: &str = "CROSS JOIN LATERAL (SELECT sum(l.total) AS total, json_agg(json_build_object(\
        'lineNumber', l.line_number, 'description', l.description, \
        'quantities', json_build_object('ordered', l.ordered), 'total', json_build_object('amount', l.total), \
        'product', json_build_object('sku', p.sku, 'name', p.name)) ORDER BY l.line_number) AS lines \
      FROM order_line l JOIN product p ON p.id = l.product_id WHERE l.order_id = o.id) l";
const FLAT_SQL: &str = "json_build_object('id', id, 'number', number, 'status', status, 'stage', stage, \
    'region', region, 'priority', priority, 'submittedAt', submitted_at, 'requiredBy', required_by, \
    'externalReference', external_reference)";

/// What a request of a number asks for; the same for ours and for the peers.
pub struct Choice {
    pub template: u64,
    pub copy: u64,
    pub before: i64,
    pub channel: &'static str,
    pub word: &'static str,
}

impl Read {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::R1 => "R1",
            Self::R2 => "R2",
            Self::R3 => "R3",
            Self::R4 => "R4",
            Self::R5 => "R5",
        }
    }

    /// The document.
    pub fn query(self) -> String {
        match self {
            Self::R1 => format!("query R1($id: ID!) {{ order(by: {{id: $id}}) {{ {TREE} }} }}"),
            Self::R2 => format!(
                "query R2($before: DateTime!) {{ orders(first: 50, {NEWEST_FIRST}, \
                 filter: {{statuses: [COMPLETED], submittedBefore: $before}}) {{ nodes {{ {TREE} }} }} }}"
            ),
            Self::R3 => format!(
                "query R3($channel: Channel!, $before: DateTime!) {{ orders(first: 50, {NEWEST_FIRST}, \
                 filter: {{channels: [$channel], submittedBefore: $before}}) {{ nodes {{ {FLAT} }} }} }}"
            ),
            Self::R4 => format!(
                "query R4($text: String!, $before: DateTime!) {{ orders(first: 20, {NEWEST_FIRST}, filter: {{text: $text, \
                 statuses: [COMPLETED], regions: [\"NORTH\", \"EAST\"], submittedBefore: $before}}) \
                 {{ totalCount nodes {{ {FLAT} }} }} }}"
            ),
            Self::R5 => PAGE.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }

    /// What an answer must be like.
    pub fn expected(self) -> Expected {
        match self {
            Self::R1 => expected(&[("lineNumber", 3), ("plannedArrival", 2), ("code", 2)]),
            Self::R2 => expected(&[("lineNumber", 150), ("plannedArrival", 100), ("code", 100)]),
            Self::R3 => expected(&[("externalReference", 50)]),
            Self::R4 => expected(&[("externalReference", 20), ("totalCount", 1)]),
            Self::R5 => {
                expected(&[("lineNumber", 3), ("plannedStart", 5), ("carrierEventId", 4), ("aggregateKind", 30)])
            }
        }
    }

    /// What the request of a number asks for.
    pub fn choice(self, filled: &Filled, number: u64) -> Choice {
        let random = |purpose: u64| mix(number << 8 | purpose);
        let copies = filled.templates.iter().take(COMPLETED as usize).map(|one| one.copies).min().unwrap_or(1);
        let (template, copies) = match self {
            Self::R5 => (0, filled.histories),
            _ => (random(1) % COMPLETED, copies),
        };
        let days = random(4) % 200 * 86_400 + random(5) % 86_400;
        Choice {
            template,
            copy: random(2) % copies,
            before: filled.filled_at - PLAYED - i64::try_from(days).unwrap_or(0),
            channel: CHANNELS[(random(3) % 3) as usize],
            word: WORDS[(random(6) % WORDS.len() as u64) as usize],
        }
    }

    /// Its variables.
    pub fn variables(self, choice: &Choice) -> Json {
        let before = || moment(choice.before);
        match self {
            Self::R1 | Self::R5 => {
                let id = identity(u32::try_from(choice.template).unwrap_or(0), 0, choice.copy);
                json!({"id": global_id("Order", &id)})
            }
            Self::R2 => json!({"before": before()}),
            Self::R3 => json!({"before": before(), "channel": choice.channel}),
            Self::R4 => json!({"before": before(), "text": choice.word}),
        }
    }

    /// The request of a number.
    pub fn body(self, query: &str, filled: &Filled, number: u64) -> String {
        body(query, &self.variables(&self.choice(filled, number)))
    }

    /// The statement that brings the same content, with `:t` and `:k` for template and copy, `:b` for
    /// the moment in seconds, `:c` and `:w` for channel and word.
    pub fn statement(self) -> String {
        const ID: &str = "(lpad(:t::text, 4, '0') || '0000-0000-4000-8000-' || lpad(:k::text, 12, '0'))::uuid";
        match self {
            Self::R1 => {
                format!("SELECT json_build_object('order', {TREE_SQL}) FROM orders o {LINES_SQL} WHERE o.id = {ID}")
            }
            Self::R2 => format!(
                "SELECT json_build_object('orders', json_build_object('nodes', \
                 json_agg({TREE_SQL} ORDER BY o.submitted_at DESC, o.id DESC))) \
                 FROM (SELECT * FROM orders WHERE status = 'COMPLETED' AND submitted_at < to_timestamp(:b) \
                 ORDER BY submitted_at DESC, id DESC LIMIT 50) o {LINES_SQL}"
            ),
            Self::R3 => format!(
                "SELECT json_build_object('orders', json_build_object('nodes', json_agg({FLAT_SQL}))) \
                 FROM (SELECT * FROM orders WHERE channel = (ARRAY['{}'])[:c + 1] \
                 AND submitted_at < to_timestamp(:b) ORDER BY submitted_at DESC, id DESC LIMIT 50) o",
                CHANNELS.join("','")
            ),
            Self::R4 => format!(
                "WITH found AS MATERIALIZED (SELECT * FROM orders WHERE status = 'COMPLETED' \
                 AND region IN ('NORTH', 'EAST') AND submitted_at < to_timestamp(:b) \
                 AND search LIKE '%' || (ARRAY['{}'])[:w + 1] || '%') \
                 SELECT json_build_object('orders', json_build_object('totalCount', (SELECT count(*) FROM found), \
                 'nodes', (SELECT json_agg({FLAT_SQL}) FROM \
                 (SELECT * FROM found ORDER BY submitted_at DESC, id DESC LIMIT 20) o)))",
                WORDS.join("','")
            ),
            Self::R5 => PAGE_SQL.replace("IDENTITY", ID).trim().trim_end_matches(';').to_owned(),
        }
    }

    /// The script of pgbench: as random as [`Read::choice`].
    pub fn script(self, filled: &Filled) -> String {
        let copies = filled.templates.iter().take(COMPLETED as usize).map(|one| one.copies).min().unwrap_or(1);
        let (templates, copies) = if self == Self::R5 { (1, filled.histories) } else { (COMPLETED, copies) };
        let last = filled.filled_at - PLAYED;
        format!(
            "\\set t random(0, {})\n\\set k random(0, {})\n\\set b random({}, {last})\n\\set c random(0, 2)\n\
             \\set w random(0, {})\n{};\n",
            templates - 1,
            copies - 1,
            last - 200 * 86_400,
            WORDS.len() - 1,
            self.statement()
        )
    }

    /// The statement for one choice, to compare its content.
    pub fn statement_for(self, choice: &Choice) -> String {
        let place = |list: &[&str], wanted: &str| list.iter().position(|one| *one == wanted).unwrap_or(0).to_string();
        let mut sql = self.statement();
        for (variable, value) in [
            (":t", choice.template.to_string()),
            (":k", choice.copy.to_string()),
            (":b", choice.before.to_string()),
            (":c", place(&CHANNELS, choice.channel)),
            (":w", place(&WORDS, choice.word)),
        ] {
            // Casts have two colons.
            sql = sql.replace("::", "\u{1}").replace(variable, &value).replace('\u{1}', "::");
        }
        sql
    }
}

fn moment(seconds: i64) -> String {
    let moment: DateTime<Utc> = DateTime::UNIX_EPOCH + Duration::seconds(seconds);
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
