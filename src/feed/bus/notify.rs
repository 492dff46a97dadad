//! Hints by PostgreSQL's LISTEN and NOTIFY.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sea_orm::sqlx::{ConnectOptions, Error, Executor};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{CHANNEL_LOG, CHANNEL_WAITING, PACE, Shared, pause};

/// How tests and operators find the connection in `pg_stat_activity`.
const APPLICATION: &str = "ordergraph listener";
/// What is said over the connection takes at most this, or the connection counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// After so long a silence the connection is tried: a server that went away without a word leaves
/// a listener waiting for ever.
const SILENCE: Duration = Duration::from_secs(20);

/// Hears and tells until told to stop, over as many connections as it takes.
pub(super) async fn run(shared: Arc<Shared>, url: String, stop: CancellationToken) {
    let mut untold = shared.untold_waiting.subscribe();
    let mut failures = 0;
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = session(&shared, &url, &mut untold) => ended,
        };
        // The first failure after a good time is told, the following ones are the same.
        if shared.disconnected() {
            failures = 0;
        }
        if failures == 0 {
            let error = ended.err().map_or_else(|| "the server closed it".to_owned(), |error| error.to_string());
            tracing::warn!(error, "the listener has no connection; new events take up to a poll longer until it has");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(pause(failures)) => {}
        }
        failures = failures.saturating_add(1);
    }
}

/// Hears and tells over one connection until it is lost.
async fn session(shared: &Shared, url: &str, untold: &mut watch::Receiver<()>) -> Result<(), Error> {
    // Not `PgListener::connect`: it waits half a minute for a server that is away.
    let options = PgConnectOptions::from_str(url)?.application_name(APPLICATION).disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    // A lost connection is noticed here, so that there is one way back, with pauses in between.
    listener.eager_reconnect(false);
    listener.listen_all([CHANNEL_LOG, CHANNEL_WAITING]).await?;
    shared.connected();
    let mut not_before = Instant::now();
    loop {
        let to_tell = async {
            sleep_until(not_before).await;
            let _ = untold.changed().await;
        };
        tokio::select! {
            notification = listener.try_recv() => match notification? {
                Some(notification) if notification.channel() == CHANNEL_LOG => {
                    shared.hear_position(notification.payload());
                }
                Some(_) => shared.hear_waiting(),
                None => return Ok(()),
            },
            () = to_tell => {
                not_before = Instant::now() + PACE;
                say(&mut listener, "SELECT pg_notify('ordergraph_waiting', '')").await?;
            }
            () = sleep(SILENCE) => say(&mut listener, "SELECT 1").await?,
        }
    }
}

async fn say(listener: &mut PgListener, statement: &'static str) -> Result<(), Error> {
    match timeout(PATIENCE, listener.execute(statement)).await {
        Ok(outcome) => outcome.map(|_| ()),
        Err(_) => Err(Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}
