//! Hints by core NATS: at most once is enough, since the log is the truth.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subscriber};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{BusError, PACE, Shared, pause};

/// A server that does not answer for twice this long counts as gone.
const PING: Duration = Duration::from_secs(10);

/// A client that connects in the background and for ever.
pub(super) async fn connect(shared: &Arc<Shared>, url: &str) -> Result<Client, BusError> {
    // More than one is compiled in, and rustls does not choose. Somebody chose before: theirs is used.
    let _ = async_nats::rustls::crypto::aws_lc_rs::default_provider().install_default();
    let address = ServerAddr::from_str(url).map_err(|error| BusError(error.to_string()))?;
    // The client outlives the bus by a little; it must not keep the bus alive.
    let shared: Weak<Shared> = Arc::downgrade(shared);
    let is_known_to_be_away = Arc::new(AtomicBool::new(false));
    authenticated(&address)
        .name("ordergraph")
        .retry_on_initial_connect()
        .max_reconnects(None)
        .ping_interval(PING)
        .connection_timeout(Duration::from_secs(5))
        .reconnect_delay_callback(|attempts| pause(u32::try_from(attempts).unwrap_or(u32::MAX).saturating_sub(1)))
        .event_callback(move |event| {
            happened(&event, shared.upgrade().as_deref(), &is_known_to_be_away);
            std::future::ready(())
        })
        .connect(address)
        .await
        .map_err(|error| BusError(error.to_string()))
}

/// The client itself takes no credentials from an address.
fn authenticated(address: &ServerAddr) -> ConnectOptions {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    match (address.username(), address.password()) {
        (Some(user), Some(password)) => ConnectOptions::with_user_and_password(decoded(user), decoded(password)),
        (Some(token), None) => ConnectOptions::with_token(decoded(token)),
        (None, _) => ConnectOptions::new(),
    }
}

/// A server that is away is reported once, however often it is tried.
fn happened(event: &Event, shared: Option<&Shared>, is_known_to_be_away: &AtomicBool) {
    match event {
        Event::Connected => {
            is_known_to_be_away.store(false, Ordering::Relaxed);
            tracing::info!("connected to NATS");
            if let Some(shared) = shared {
                connected(shared);
            }
        }
        event => {
            if matches!(event, Event::Disconnected)
                && let Some(shared) = shared
            {
                shared.disconnected();
            }
            let away = matches!(event, Event::Disconnected | Event::ClientError(_) | Event::Closed);
            if away && !is_known_to_be_away.swap(true, Ordering::Relaxed) {
                tracing::warn!(%event, "NATS is away; new events take up to a poll longer until it is back");
            } else {
                tracing::debug!(%event, "NATS");
            }
        }
    }
}

fn connected(shared: &Shared) {
    shared.connected();
    // The client subscribes again just after this, and the server handles what it is told in order:
    // when these come back, so does everything later. They also repeat what was said into the void.
    shared.untold_log.send_modify(|_| ());
    shared.untold_waiting.send_replace(());
}

/// Hears and tells until told to stop.
pub(super) async fn run(shared: Arc<Shared>, client: Client, epoch: String, stop: CancellationToken) {
    let (log, waiting) = (format!("ordergraph.{epoch}.log"), format!("ordergraph.{epoch}.waiting"));
    let tell_log = async {
        let mut untold = shared.untold_log.subscribe();
        while untold.changed().await.is_ok() {
            let position = *untold.borrow_and_update();
            tell(&client, &log, position.to_string()).await;
        }
    };
    let tell_waiting = async {
        let mut untold = shared.untold_waiting.subscribe();
        while untold.changed().await.is_ok() {
            tell(&client, &waiting, String::new()).await;
            tokio::time::sleep(PACE).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = tell_log => {}
        () = tell_waiting => {}
        () = hear(&client, &log, |payload| shared.hear_position(&String::from_utf8_lossy(payload))) => {}
        () = hear(&client, &waiting, |_| shared.hear_waiting()) => {}
    }
}

/// Nothing is kept for a server that is away: it would be old when it is back.
async fn tell(client: &Client, subject: &str, payload: String) {
    if client.connection_state() == State::Connected
        && let Err(error) = client.publish(subject.to_owned(), payload.into()).await
    {
        tracing::debug!(%error, "a hint was not sent");
    }
}

/// Calls for every message of a subject; ends with the client only.
async fn hear(client: &Client, subject: &str, mut each: impl FnMut(&[u8])) {
    let mut messages: Subscriber = match client.subscribe(subject.to_owned()).await {
        Ok(messages) => messages,
        Err(error) => {
            tracing::error!(%error, subject, "hints cannot be heard; the log is polled");
            return std::future::pending().await;
        }
    };
    while let Some(message) = messages.next().await {
        each(&message.payload);
    }
}
