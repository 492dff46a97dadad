//! The people of a simulation: one for each role, with a token of their own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::cli::call::{self, Endpoint, Fault};
use crate::cli::import::Submitters;
use crate::domain::actor::Role;
use crate::http::auth::{DemoKey, DemoToken};

/// A run takes minutes.
const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 3_600);

/// Roles that carry an order through, in the order they meet it.
const STAFF: &[Role] = &[
    Role::Sales,
    Role::FinanceApprover,
    Role::Dispatcher,
    Role::Procurement,
    Role::Operator,
    Role::Inspector,
    Role::Logistics,
];

/// Everybody at work, over HTTP.
pub(super) struct Crew {
    endpoints: BTreeMap<Role, Endpoint>,
    overview: Endpoint,
    calls: AtomicU64,
}

impl Crew {
    /// Staff of the group's head unit, and the shop's system with its channel account.
    pub(super) fn new(address: SocketAddr, key: &DemoKey, head: &str, account: &str) -> anyhow::Result<Self> {
        let client = call::client(true)?;
        let url = call::api_url(&format!("http://{address}"))?;
        let endpoint = |name: &str, roles: &[Role]| -> anyhow::Result<Endpoint> {
            let partner = roles.contains(&Role::Partner);
            let token = key.issue(&DemoToken {
                subject: format!("{}.{name}", head.to_lowercase()),
                roles: roles.iter().map(|role| role.code().to_owned()).collect(),
                unit: (!partner).then(|| head.to_owned()),
                customer: None,
                channel: partner.then(|| account.to_owned()),
                lifetime: TOKEN_LIFETIME,
            })?;
            Ok(Endpoint { client: client.clone(), url: url.clone(), token })
        };
        let mut endpoints = BTreeMap::new();
        for role in STAFF.iter().chain(&[Role::Partner]) {
            let name = role.code().to_lowercase().replace('_', "-");
            endpoints.insert(*role, endpoint(&name, &[*role])?);
        }
        Ok(Self {
            endpoints,
            overview: endpoint("overview", &[STAFF, &[Role::Supervisor]].concat())?,
            calls: AtomicU64::new(0),
        })
    }

    /// Performs an operation as somebody of a role.
    pub(super) async fn call(&self, role: Role, document: &str, variables: &Value) -> Result<Value, Fault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match self.endpoints.get(&role) {
            Some(endpoint) => endpoint.call(document, variables).await,
            None => Err(Fault { code: "FORBIDDEN".to_owned(), message: format!("nobody here is {role}") }),
        }
    }

    /// Reads as somebody who holds every staff role, and so sees what each could do.
    pub(super) async fn look(&self, document: &str, variables: &Value) -> Result<Value, Fault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.overview.call(document, variables).await
    }

    /// Those who hand orders in.
    pub(super) fn submitters(&self) -> anyhow::Result<Submitters> {
        let of = |role| self.endpoints.get(&role).cloned().with_context(|| format!("nobody here is {role}"));
        Ok(Submitters { sales: of(Role::Sales)?, partner: of(Role::Partner)? })
    }

    /// Operations asked for until now.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}
