//! Boots the real server on a free port and speaks to it as clients do.

mod client;
mod clock;
mod delivery;
mod drain;
mod events;
mod http;
mod lifecycle;
mod limits;
mod memory;
mod operations;
mod parts;
mod puppet;
mod socket;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{
    Context, Error, ErrorExtensions, Executor, Object, Request, Response, Result, Schema, Subscription, Value,
};
use futures::stream::{BoxStream, Stream, StreamExt};
use tokio_util::sync::CancellationToken;

use super::Counters;
use super::auth::{Authenticator, DemoKey, DemoToken};
use super::backend::messages;
use super::server::Door;
use super::{Backend, Caller, Edge, EdgeSettings, Language, LastEventId, Message, Transport};

/// What the toy's operations leave behind.
#[derive(Default)]
struct Traces {
    touched: AtomicUsize,
    streams: AtomicUsize,
}

struct Query;
struct Mutation;
struct Feed;

#[Object(name = "Query")]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn who(&self, context: &Context<'_>) -> String {
        let caller = context.data_unchecked::<Caller>();
        let subject = caller.identity.as_ref().map_or("nobody", |identity| &identity.subject);
        let language = match caller.language {
            Language::En => "en",
            Language::Zh => "zh",
        };
        format!("{subject} {language} {}", caller.request_id)
    }

    async fn fail(&self) -> Result<Option<i32>> {
        Err(Error::new("password=hunter2"))
    }

    async fn missing(&self) -> Result<Option<i32>> {
        Err(Error::new("No such order.").extend_with(|_, entries| entries.set("code", "NOT_FOUND")))
    }

    async fn fails(&self, count: i32) -> Vec<Failing> {
        (0..count).map(|_| Failing).collect()
    }

    async fn boom(&self) -> Option<i32> {
        assert!(std::hint::black_box(false), "boom");
        None
    }

    async fn nap(&self, milliseconds: u64) -> i32 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        1
    }

    async fn echo(&self, text: String, #[graphql(validator(maximum = 10))] number: Option<i32>) -> String {
        format!("{text}{}", number.unwrap_or_default())
    }

    async fn big(&self, bytes: usize) -> String {
        "x".repeat(bytes)
    }
}

struct Failing;

#[Object]
impl Failing {
    async fn it(&self) -> Result<Option<i32>> {
        Err(Error::new("no"))
    }
}

#[Object(name = "Mutation")]
impl Mutation {
    async fn touch(&self, context: &Context<'_>) -> usize {
        tokio::time::sleep(Duration::from_millis(200)).await;
        context.data_unchecked::<Arc<Traces>>().touched.fetch_add(1, Ordering::SeqCst)
    }
}

/// Counts itself as long as it lives.
struct Counted(Arc<Traces>);

impl Counted {
    fn new(context: &Context<'_>) -> Self {
        let traces = Arc::clone(context.data_unchecked::<Arc<Traces>>());
        traces.streams.fetch_add(1, Ordering::SeqCst);
        Self(traces)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::SeqCst);
    }
}

#[Subscription(name = "Subscription")]
impl Feed {
    async fn count(
        &self,
        context: &Context<'_>,
        to: i32,
        #[graphql(default = 0)] milliseconds: u64,
    ) -> impl Stream<Item = i32> {
        let counted = Counted::new(context);
        let after = context.data::<LastEventId>().map_or(0, |id| id.0.parse().unwrap_or(0));
        async_stream::stream! {
            let _counted = counted;
            for number in after + 1..=to {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                yield number;
            }
        }
    }

    async fn text(&self, bytes: usize) -> impl Stream<Item = String> {
        async_stream::stream! { loop { yield "x".repeat(bytes); } }
    }

    async fn closed(&self) -> Result<futures::stream::Empty<i32>> {
        Err(Error::new("secret reason"))
    }

    async fn broken(&self) -> impl Stream<Item = Result<i32>> {
        async_stream::stream! {
            yield Ok(1);
            yield Err(Error::new("secret reason"));
            yield Ok(3);
        }
    }

    async fn boom(&self) -> impl Stream<Item = i32> {
        async_stream::stream! {
            yield 1;
            panic!("boom");
        }
    }
}

/// The backend of the tests: the schema, and a cursor beside every number that `count` yields.
#[derive(Clone)]
struct Toy(Schema<Query, Mutation, Feed>);

impl Backend for Toy {
    async fn execute(&self, request: Request) -> Response {
        self.0.execute(request).await
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Message> {
        let caller = request.data.get(&std::any::TypeId::of::<Caller>());
        let request_id = caller.and_then(|caller| caller.downcast_ref::<Caller>()).unwrap().request_id.clone();
        let responses = Executor::execute_stream(&self.0, request, None).map(|mut response| {
            if let Value::Object(fields) = &response.data
                && let Some(number) = fields.get("count")
            {
                response.extensions.insert("cursor".to_owned(), number.to_string().into());
            }
            response
        });
        messages(responses, request_id)
    }

    fn newest_cursor(&self, _: &Caller) -> Option<String> {
        None
    }
}

async fn broken() -> &'static str {
    assert!(std::hint::black_box(false), "a handler of others");
    "fine"
}

/// A running server that stops when the test ends.
struct Running {
    address: std::net::SocketAddr,
    door: Door,
    counters: Arc<Counters>,
    traces: Arc<Traces>,
    key: DemoKey,
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<bool>,
    _folder: tempfile::TempDir,
}

impl Running {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut EdgeSettings)) -> Self {
        let traces = Arc::new(Traces::default());
        let schema = Schema::build(Query, Mutation, Feed).data(Arc::clone(&traces)).finish();
        Self { traces, ..Self::serving(Toy(schema.clone()), &schema.sdl(), change).await }
    }

    async fn serving(backend: impl Backend, schema_text: &str, change: impl FnOnce(&mut EdgeSettings)) -> Self {
        let mut settings = EdgeSettings { drain_spread_milliseconds: 0, drain_seconds: 5, ..EdgeSettings::default() };
        change(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        let key = DemoKey::load_or_create(folder.path()).unwrap();
        let edge = Edge::new(backend, Authenticator::from_demo_key(&key).unwrap())
            .settings(settings)
            .schema_text(schema_text)
            .routes(
                axum::Router::new()
                    .route("/other", axum::routing::get(|| async { "other" }))
                    .route("/broken", axum::routing::get(broken)),
            );
        let counters = edge.counters();
        let server = edge.bind("127.0.0.1:0").await.unwrap();
        let (address, door) = (server.local_addr().unwrap(), server.door());
        let stop = CancellationToken::new();
        let ended = tokio::spawn(server.run(stop.clone()));
        Self { address, door, traces: Arc::default(), counters, key, stop, ended, _folder: folder }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn token(&self, seconds: u64) -> String {
        self.token_of("ada", seconds)
    }

    fn token_of(&self, subject: &str, seconds: u64) -> String {
        let token = DemoToken {
            subject: subject.to_owned(),
            roles: Vec::new(),
            unit: None,
            customer: None,
            channel: None,
            lifetime: Duration::from_secs(seconds),
        };
        self.key.issue(&token).unwrap()
    }

    /// Posts JSON as an `application/json` client.
    async fn post(&self, body: serde_json::Value) -> reqwest::Response {
        reqwest::Client::new().post(self.url("/graphql")).json(&body).send().await.unwrap()
    }

    async fn stop(self) -> bool {
        self.stop.cancel();
        self.ended.await.unwrap()
    }

    /// Waits until no subscription of the toy is alive.
    async fn until_no_streams(&self) {
        for _ in 0..200 {
            if self.traces.streams.load(Ordering::SeqCst) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("a stream outlived its client");
    }
}
