//! The edge that the library brings along, with a schema of its own: what ours is measured against.

use std::net::SocketAddr;
use std::time::Duration;

use async_graphql::{EmptyMutation, Object, Schema, SimpleObject, Subscription};
use async_graphql_axum::{GraphQL, GraphQLProtocol, GraphQLWebSocket};
use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::response::IntoResponse;
use axum::routing::{get, post_service};
use futures::Stream;
use futures::stream::StreamExt;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use super::node::{Node, Site};

/// A server that a check of the edge is run against.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    /// A token that counts.
    pub token: String,
    /// A subscription to which nothing happens.
    pub silence: String,
}

impl Target {
    /// Ours.
    pub fn of(site: &Site, node: &Node) -> Self {
        let silence = "subscription { orderEvents { cursor event { id } } }".to_owned();
        Self { address: node.address, token: site.token(ordergraph::domain::actor::Role::Supervisor), silence }
    }
}

struct Query;

#[Object]
impl Query {
    async fn ok(&self) -> bool {
        true
    }
}

/// What is told.
#[derive(Clone, SimpleObject)]
pub struct Told {
    number: u64,
}

struct Feed {
    told: broadcast::Sender<u64>,
}

#[Subscription]
impl Feed {
    /// Nothing, for ever.
    async fn silence(&self) -> impl Stream<Item = Told> {
        futures::stream::pending()
    }

    /// Whatever is told.
    async fn told(&self) -> impl Stream<Item = Told> {
        let told = self.told.subscribe();
        futures::stream::unfold(told, |mut told| async move {
            let number = told.recv().await.ok()?;
            Some((Told { number }, told))
        })
    }

    /// As much as goes.
    async fn chatter(&self) -> impl Stream<Item = Told> {
        futures::stream::iter(0..).map(|number| Told { number })
    }

    /// A number now and then.
    async fn clock(&self) -> impl Stream<Item = Told> {
        futures::stream::unfold(0, |number| async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Told { number }, number + 1))
        })
    }
}

/// Stops with its value.
pub struct Stock {
    pub target: Target,
    told: broadcast::Sender<u64>,
    task: JoinHandle<()>,
}

impl Stock {
    /// With the limit the library has on a client's silence, or without.
    pub async fn start(keep_alive: Option<Duration>) -> Self {
        let (told, _) = broadcast::channel(64);
        let schema = Schema::build(Query, EmptyMutation, Feed { told: told.clone() }).finish();
        let executor = schema.clone();
        let socket = get(move |protocol: GraphQLProtocol, upgrade: WebSocketUpgrade| {
            let executor = executor.clone();
            async move {
                let upgrade = upgrade.protocols(async_graphql::http::ALL_WEBSOCKET_PROTOCOLS);
                upgrade
                    .on_upgrade(move |stream| {
                        GraphQLWebSocket::new(stream, executor, protocol)
                            .keepalive_timeout(keep_alive)
                            .on_connection_init(judge)
                            .serve()
                    })
                    .into_response()
            }
        });
        let routes = Router::new()
            .route("/graphql", socket.merge(post_service(GraphQL::new(schema.clone()))))
            .route_service("/graphql/stream", post_service(GraphQL::new(schema)));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
        let silence = "subscription { silence { number } }".to_owned();
        Self { target: Target { address, token: "good".to_owned(), silence }, told, task }
    }

    /// Tells everybody who listens.
    pub fn tell(&self, number: u64) {
        let _ = self.told.send(number);
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn judge(payload: serde_json::Value) -> async_graphql::Result<async_graphql::Data> {
    if payload["authorization"] == "Bearer good" {
        return Ok(async_graphql::Data::default());
    }
    Err(format!("这个令牌无效：{}", "原因很长".repeat(30)).into())
}
