//! `/metrics`: what runs here, in the OpenMetrics text format. No label ever names an order, a person
//! or a document.

use std::fmt::Error;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::app::App;
use crate::graphql::live::Hub;
use crate::http::{Counters, Transport};

/// Serves `/metrics`.
pub fn routes(app: Arc<App>, hub: Hub, counters: Arc<Counters>) -> Router {
    let mut registry = Registry::with_prefix("ordergraph");
    registry.register_collector(Box::new(Metrics { app, hub, counters }));
    let registry = Arc::new(registry);
    Router::new().route("/metrics", get(move || std::future::ready(answer(&registry))))
}

fn answer(registry: &Registry) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Reads what others count when it is asked for.
struct Metrics {
    app: Arc<App>,
    hub: Hub,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Metrics")
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let (feed, stats) = (self.app.feed(), self.hub.stats());
        let mut gauge = |name: &str, help: &str, value: i64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("feed_position", "Newest position of the log that this node has told of", feed.tip())?;
        gauge("feed_lag_milliseconds", "Age of the newest event when this node told of it", feed.lag_milliseconds())?;
        gauge("feed_is_relay", "Whether this node gives positions", i64::from(feed.bus().leads()))?;
        let open = stats.subscriptions.load(Ordering::Relaxed);
        gauge("feed_subscriptions", "Subscriptions that are open", open)?;
        gauge("feed_groups", "Groups of subscriptions that share executions", stats.groups.load(Ordering::Relaxed))?;

        let reconnects = feed.bus().reconnects();
        let counts = [
            ("feed_bus_reconnects", "Times the connection to the other nodes was made again", reconnects),
            ("feed_matches", "Events that concerned a group, per group", stats.matches.load(Ordering::Relaxed)),
            ("feed_executions", "Updates that were executed", stats.executions.load(Ordering::Relaxed)),
            ("feed_deliveries", "Results handed to subscribers", stats.deliveries.load(Ordering::Relaxed)),
            ("feed_catch_ups", "Times a subscriber read the log", stats.catch_ups.load(Ordering::Relaxed)),
        ];
        for (name, help, value) in counts {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }

        let ended = [
            ("slow_consumer", stats.slow_consumers.load(Ordering::Relaxed)),
            ("access_changed", stats.revocations.load(Ordering::Relaxed)),
            ("resync", stats.resyncs.load(Ordering::Relaxed)),
        ];
        let kind = ConstCounter::new(0_u64).metric_type();
        let mut family = encoder.encode_descriptor("feed_ended", "Subscriptions ended by the server", None, kind)?;
        for (reason, value) in ended {
            ConstCounter::new(value).encode(family.encode_family(&[("reason", reason)])?)?;
        }

        let kind = ConstGauge::new(0_i64).metric_type();
        let mut family = encoder.encode_descriptor("edge_open", "Sockets and streams that are open", None, kind)?;
        for transport in Transport::ALL {
            let open = i64::try_from(self.counters.open(transport)).unwrap_or(i64::MAX);
            ConstGauge::new(open).encode(family.encode_family(&[("transport", transport.name())])?)?;
        }
        let kind = ConstCounter::new(0_u64).metric_type();
        let mut family = encoder.encode_descriptor("edge_messages", "Results handed to connections", None, kind)?;
        for transport in Transport::ALL {
            let sent = ConstCounter::new(self.counters.messages(transport));
            sent.encode(family.encode_family(&[("transport", transport.name())])?)?;
        }
        let mut family =
            encoder.encode_descriptor("edge_sockets_closed", "Sockets that ended, by close code", None, kind)?;
        for (code, count) in self.counters.sockets_closed() {
            let code = code.to_string();
            ConstCounter::new(count).encode(family.encode_family(&[("code", code.as_str())])?)?;
        }
        Ok(())
    }
}
