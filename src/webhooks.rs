//! Between the edge and the channels: what a platform delivers is kept, acknowledged, and then processed.

use std::sync::Arc;

use axum::Router;

use crate::app::channel::{self, Parcel, Receipt};
use crate::app::{App, Failure};
use crate::http::EdgeSettings;
use crate::http::intake::{self, Acknowledgement, Intake, Webhook};

/// The route of webhooks of an application.
pub fn routes(app: Arc<App>, settings: &EdgeSettings) -> Router {
    intake::routes(Doorway(app), settings)
}

/// Where deliveries come in.
#[derive(Clone)]
struct Doorway(Arc<App>);

impl Intake for Doorway {
    async fn keep(&self, webhook: Webhook) -> Acknowledgement {
        let Webhook { channel: code, headers, body, request_id } = webhook;
        let parcel = Parcel { channel: code.clone(), headers, body: body.into() };
        match channel::receive(&self.0, parcel).await {
            Ok(Receipt::Kept(id)) => {
                let app = self.0.clone();
                // Whatever does not come to its end here, the clock finds.
                tokio::spawn(async move { channel::process(&app, id, &code, &request_id).await });
                Acknowledgement::Kept
            }
            Ok(Receipt::Known | Receipt::Ping) => Acknowledgement::Kept,
            Ok(Receipt::NoChannel) => Acknowledgement::NoChannel,
            Ok(Receipt::NotSigned) => Acknowledgement::NotSigned,
            Err(failure) => {
                let inside = matches!(failure, Failure::Internal(_));
                if inside {
                    tracing::error!(request_id, cause = ?failure, "a webhook could not be kept");
                } else {
                    tracing::warn!(request_id, cause = ?failure, "a webhook could not be kept");
                }
                Acknowledgement::Again
            }
        }
    }
}
