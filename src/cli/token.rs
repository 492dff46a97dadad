//! `token`: prints a token of the demo key.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use crate::config::Config;
use crate::domain::actor::Role;
use crate::http::auth::DemoToken;
use crate::seed::{PEOPLE, person_for};

/// Whom the token is for.
#[derive(Debug, Args)]
pub struct Token {
    /// Role, such as SALES or CUSTOMER
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// Subject; the demo's person of that role when absent
    #[arg(long, value_name = "S")]
    subject: Option<String>,
    /// Code of the unit in which, and below which, the role is held
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// Number of the customer a CUSTOMER acts for
    #[arg(long, value_name = "NUMBER")]
    customer: Option<String>,
    /// Channel account a PARTNER acts for
    #[arg(long, value_name = "ACCOUNT")]
    channel: Option<String>,
    /// Hours it is valid
    #[arg(long, default_value_t = 12, value_name = "HOURS")]
    hours: u64,
}

impl Token {
    /// Prints the token.
    pub fn run(&self, config: &Config) -> anyhow::Result<ExitCode> {
        let Some(key) = config.demo_key()? else {
            bail!("a real key is configured: tokens come from your identity provider");
        };
        let named = self.subject.as_ref().and_then(|subject| PEOPLE.iter().find(|person| person.subject == subject));
        let person = named.or_else(|| person_for(self.role)).context("the demo has nobody of this role")?;
        let or = |given: &Option<String>, known: Option<&str>| given.clone().or_else(|| known.map(str::to_owned));
        let token = key.issue(&DemoToken {
            subject: self.subject.clone().unwrap_or_else(|| person.subject.to_owned()),
            roles: vec![self.role.code().to_owned()],
            unit: or(&self.unit, person.unit),
            customer: or(&self.customer, person.customer),
            channel: or(&self.channel, person.channel),
            lifetime: Duration::from_secs(self.hours.saturating_mul(3_600)),
        })?;
        println!("{token}");
        Ok(ExitCode::SUCCESS)
    }
}
