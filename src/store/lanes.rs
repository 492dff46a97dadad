//! Connections to PostgreSQL that are kept for one statement at a time: a pool asks a connection that
//! comes back whether it still lives, which costs the database as much as a small statement.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection};
use sea_orm::{DbErr, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Semaphore;

use super::error::{Result, StoreError};

/// How long to wait for a connection at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// The connections.
pub struct Lanes {
    options: PgConnectOptions,
    turns: Semaphore,
    /// The one that was used last comes first: what it knows is still in the processor's caches.
    idle: Mutex<Vec<PgConnection>>,
}

impl Lanes {
    /// At most so many, none yet.
    pub fn new(options: PgConnectOptions, most: usize) -> Self {
        Self { options, turns: Semaphore::new(most), idle: Mutex::default() }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a statement that only reads. It is sent again if the connection had died unnoticed.
    ///
    /// A connection whose statement failed, or was dropped halfway, is closed.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when no connection became free in time; those of the statement.
    pub async fn read(&self, statement: &Statement) -> Result<Vec<PgRow>> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(StoreError::Busy) };
        let kept = self.idle().pop();
        if let Some(connection) = kept {
            match self.send(connection, statement).await {
                // Those that lay beside it have probably died with it.
                Err(StoreError::Away(_)) => self.idle().clear(),
                outcome => return outcome,
            }
        }
        let connecting = PgConnection::connect_with(&self.options);
        let connection = tokio::time::timeout(PATIENCE, connecting).await.map_err(|_| StoreError::Busy)?;
        self.send(connection.map_err(failed)?, statement).await
    }

    async fn send(&self, mut connection: PgConnection, statement: &Statement) -> Result<Vec<PgRow>> {
        let values = SqlxValues(statement.values.clone().unwrap_or_else(|| Values(Vec::new())));
        let query = sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values);
        let rows = query.fetch_all(&mut connection).await.map_err(failed)?;
        self.idle().push(connection);
        Ok(rows)
    }

    /// Closes those that are not in use; later statements open new ones.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            if let Err(error) = connection.close().await {
                tracing::debug!(%error, "a connection was gone before it was closed");
            }
        }
    }
}

/// As sea-orm would report it.
fn failed(error: sqlx::Error) -> StoreError {
    DbErr::Query(RuntimeErr::SqlxError(error.into())).into()
}
