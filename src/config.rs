//! Settings: defaults compiled in, then a file, then the environment, then flags.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::Deserialize;

use crate::app::import::file::FileLimits;
use crate::feed::FeedSettings;
use crate::http::EdgeSettings;
use crate::http::auth::{Authenticator, DemoKey, JwksSettings, TokenPolicy};
use crate::store::StoreOptions;

/// The settings with their defaults and what they mean, as text.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Folder for the embedded database and the demo key.
    pub data_dir: PathBuf,
    /// Log levels by module.
    pub log: String,
    /// For people or for machines.
    pub log_format: LogFormat,
    /// The database.
    pub database: DatabaseConfig,
    /// How tokens are verified.
    pub auth: AuthConfig,
    /// The feed of events.
    pub feed: FeedSettings,
    /// The network edge.
    pub edge: EdgeSettings,
    /// What files of orders may have.
    pub imports: FileLimits,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Its address; empty for the embedded one.
    pub url: String,
    /// Connections to hold.
    pub connections: u32,
    /// Bring the schema up to date at start.
    pub migrate: bool,
}

/// How tokens are verified.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// File with a secret.
    pub secret_file: String,
    /// File with a public key.
    pub public_key_file: String,
    /// Address of a key set.
    pub jwks_url: String,
    /// The issuer a token must name.
    pub issuer: String,
    /// The audience a token must name.
    pub audience: String,
    /// Seconds that clocks may differ.
    pub leeway_seconds: u64,
}

/// Flags that override settings.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Overrides {
    /// File with settings; see config.default.toml
    #[arg(long, global = true, value_name = "FILE", env = "ORDERGRAPH_CONFIG")]
    config: Option<PathBuf>,
    /// Database to use instead of the embedded one
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Folder for the embedded database and the demo key
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Config {
    /// Reads all settings. An unknown one is an error that names it.
    pub fn load(overrides: &Overrides) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = &overrides.config {
            if !file.is_file() {
                bail!("there is no settings file {}", file.display());
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let env =
            Env::prefixed("ORDERGRAPH_").ignore(&["config", "test_postgres_url", "test_nats_url", "root"]).split("__");
        figment = figment.merge(env);
        if let Some(url) = &overrides.database_url {
            figment = figment.merge(Serialized::default("database.url", url));
        }
        if let Some(folder) = &overrides.data_dir {
            figment = figment.merge(Serialized::default("data_dir", folder));
        }
        figment.extract().context("the settings are not right")
    }

    /// Is the embedded database used?
    pub fn is_embedded(&self) -> bool {
        self.database.url.is_empty()
    }

    /// How to reach the database; makes the data folder if need be.
    pub fn store(&self) -> anyhow::Result<StoreOptions> {
        let url = if self.is_embedded() {
            std::fs::create_dir_all(&self.data_dir)
                .with_context(|| format!("the data folder {} cannot be made", self.data_dir.display()))?;
            format!("sqlite://{}?mode=rwc", self.data_dir.join("ordergraph.db").display())
        } else {
            self.database.url.clone()
        };
        Ok(StoreOptions { url, connections: self.database.connections })
    }

    /// The demo key, if no real one is configured.
    pub fn demo_key(&self) -> anyhow::Result<Option<DemoKey>> {
        let auth = &self.auth;
        if [&auth.secret_file, &auth.public_key_file, &auth.jwks_url].iter().any(|setting| !setting.is_empty()) {
            return Ok(None);
        }
        std::fs::create_dir_all(&self.data_dir)?;
        Ok(Some(DemoKey::load_or_create(&self.data_dir)?))
    }

    /// What verifies tokens.
    pub fn authenticator(&self) -> anyhow::Result<Authenticator> {
        let auth = &self.auth;
        let policy = || TokenPolicy {
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
            leeway_seconds: auth.leeway_seconds,
        };
        if let Some(key) = self.demo_key()? {
            return Ok(Authenticator::from_demo_key(&key)?);
        }
        if auth.issuer.is_empty() {
            bail!("auth.issuer is not set: say whose tokens count");
        }
        let read = |file: &str| std::fs::read(Path::new(file)).with_context(|| format!("{file} cannot be read"));
        if !auth.jwks_url.is_empty() {
            return Ok(Authenticator::from_jwks(JwksSettings::new(auth.jwks_url.clone()), policy())?);
        }
        if !auth.public_key_file.is_empty() {
            let pem = String::from_utf8(read(&auth.public_key_file)?).context("a public key is text in PEM")?;
            return Ok(Authenticator::from_public_key_pem(&pem, policy())?);
        }
        Ok(Authenticator::from_secret(&read(&auth.secret_file)?, policy())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_complete_and_loopback_only() {
        let config = Config::load(&Overrides::default()).expect("the compiled-in file holds every setting");
        assert!(config.listen.ip().is_loopback());
        assert!(config.is_embedded());
        assert_eq!(config.feed, FeedSettings::default());
        assert_eq!(config.edge, EdgeSettings::default());
        assert_eq!(config.imports, FileLimits::default());
    }
}
