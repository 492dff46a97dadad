//! A backend whose subscriptions yield what the test hands them.

use std::sync::Mutex;

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use serde_json::Value as Json;

use super::*;

/// Every subscription, in the order they were opened.
#[derive(Clone, Default)]
pub(super) struct Puppet {
    opened: Arc<Mutex<Vec<UnboundedSender<Message>>>>,
    cursor: Arc<Mutex<Option<String>>>,
    late: Arc<Mutex<Vec<(usize, Json)>>>,
    taken: Arc<AtomicUsize>,
}

impl Backend for Puppet {
    async fn execute(&self, _: Request) -> Response {
        Response::new(Value::from_json(serde_json::json!({"hello": "world"})).unwrap())
    }

    fn subscribe(&self, _: Request) -> BoxStream<'static, Message> {
        let (sender, receiver): (_, UnboundedReceiver<Message>) = unbounded();
        self.opened.lock().unwrap().push(sender);
        let taken = Arc::clone(&self.taken);
        receiver
            .inspect(move |_| {
                taken.fetch_add(1, Ordering::SeqCst);
            })
            .boxed()
    }

    fn newest_cursor(&self, _: &Caller) -> Option<String> {
        for (index, result) in self.late.lock().unwrap().drain(..) {
            self.next(index, result);
        }
        self.cursor.lock().unwrap().clone()
    }
}

impl Puppet {
    pub(super) async fn serve(change: impl FnOnce(&mut EdgeSettings)) -> (Self, Running) {
        let puppet = Self::default();
        let server = Running::serving(puppet.clone(), "", change).await;
        (puppet, server)
    }

    /// Lets a subscription yield a result.
    pub(super) fn next(&self, index: usize, result: Json) {
        let body = serde_json::json!({"data": result}).to_string().into();
        self.send(index, Message::Next { body, cursor: None });
    }

    /// Lets a subscription yield something; a subscription that is over takes nothing.
    pub(super) fn send(&self, index: usize, message: Message) {
        let _ = self.opened.lock().unwrap()[index].unbounded_send(message);
    }

    pub(super) fn is_open(&self, index: usize) -> bool {
        !self.opened.lock().unwrap()[index].is_closed()
    }

    pub(super) fn set_cursor(&self, cursor: &str) {
        *self.cursor.lock().unwrap() = Some(cursor.to_owned());
    }

    /// Lets a subscription yield a result at the moment in which the newest cursor is asked for.
    pub(super) fn next_before_cursor(&self, index: usize, result: Json) {
        self.late.lock().unwrap().push((index, result));
    }

    /// Messages the edge has taken from all subscriptions.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// Waits until so many subscriptions were opened.
    pub(super) async fn until_opened(&self, count: usize) {
        while self.opened.lock().unwrap().len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
