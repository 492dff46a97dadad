//! A node on threads of its own, so that what it uses can be told from what everybody else does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ordergraph::http::auth::DemoKey;
use tokio::runtime::Runtime;

use super::node::{Making, Node};

/// A node and its threads. [`Measured::end`] ends both.
pub struct Measured {
    pub node: Node,
    threads: Threads,
    name: String,
}

struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        // Not by itself: that waits, which nobody may do here.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// What the threads have done since they began.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    pub processor: Duration,
    /// Calls that wrote something.
    pub writes: u64,
}

impl Measured {
    pub async fn start(making: Making, key: &DemoKey) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // The kernel keeps fifteen characters of a thread's name.
        let name = format!("measured-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(&name)
            .enable_all()
            .build()
            .expect("a runtime");
        let key = key.clone();
        let node = runtime.spawn(async move { Node::start(making, &key).await }).await.expect("a node");
        Self { node, threads: Threads(Some(runtime)), name }
    }

    pub fn used(&self) -> Used {
        let mut used = Used { processor: Duration::ZERO, writes: 0 };
        for thread in std::fs::read_dir("/proc/self/task").expect("threads") {
            let folder = thread.expect("a thread").path();
            let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            if read("comm").trim() != self.name {
                continue;
            }
            let nanoseconds = read("schedstat").split(' ').next().and_then(|text| text.parse().ok());
            used.processor += Duration::from_nanos(nanoseconds.expect("the kernel counts processor time"));
            let writes = read("io").lines().find_map(|line| line.strip_prefix("syscw: ")?.parse::<u64>().ok());
            used.writes += writes.expect("the kernel counts writes");
        }
        used
    }

    pub async fn end(self) {
        let Self { node, threads, .. } = self;
        let runtime = threads.0.as_ref().expect("until it is dropped");
        runtime.spawn(node.end()).await.expect("it ends");
    }
}
