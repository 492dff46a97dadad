//! A database of a test's own.

use std::path::Path;

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection};
use tempfile::TempDir;

/// The databases everything is tested on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Made for one test and dropped after it.
pub struct Database {
    pub url: String,
    kind: Kind,
    /// The cluster it was made in, and its name there.
    made: Option<(String, String)>,
    folder: TempDir,
}

const VARIABLE: &str = "ORDERGRAPH_TEST_POSTGRES_URL";

fn cluster() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set: run `scripts/test`, which starts a private PostgreSQL, or set it to the address of \
             a superuser of an empty cluster (`scripts/postgres start DIR` prints one)"
        )
    })
}

/// The address of the NATS server of this run.
pub fn nats_url() -> String {
    const VARIABLE: &str = "ORDERGRAPH_TEST_NATS_URL";
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set: run `scripts/test`, which starts a private NATS server, or set it to the address of \
             one (`scripts/nats start DIR` prints one)"
        )
    })
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url.to_owned());
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await.expect("a connection of the test's own")
}

impl Database {
    pub async fn create(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::sqlite(),
            Kind::Postgres => Self::within(&cluster()).await,
        }
    }

    fn sqlite() -> Self {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("world.db");
        Self { url: format!("sqlite://{}?mode=rwc", file.display()), kind: Kind::Sqlite, made: None, folder }
    }

    /// In the PostgreSQL cluster at this address.
    pub async fn within(cluster: &str) -> Self {
        let name = format!("it_{}", uuid::Uuid::now_v7().simple());
        let admin = connect(cluster).await;
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
        admin.close().await.expect("closed");
        let folder = TempDir::new().expect("a folder");
        let url = at(cluster, &name);
        Self { url, kind: Kind::Postgres, made: Some((cluster.to_owned(), name)), folder }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection of the test's own.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.url).await
    }

    /// Another name of an SQLite file falls away with its folder; a PostgreSQL database is dropped.
    pub async fn drop(&self) {
        if let Some((cluster, name)) = &self.made {
            let admin = connect(cluster).await;
            let _ = admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
            let _ = admin.close().await;
        }
    }
}

/// The cluster's address with another database.
fn at(cluster: &str, name: &str) -> String {
    let (address, query) = match cluster.split_once('?') {
        Some((address, query)) => (address, format!("?{query}")),
        None => (cluster, String::new()),
    };
    let (server, _) = address.rsplit_once('/').expect("an address with a database");
    format!("{server}/{name}{query}")
}
