//! Servers on threads of their own, so that what they use can be told from what everybody else does.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;

/// Threads that run what is given to them, and nothing else. They end with the value.
pub struct Threads {
    runtime: Option<Runtime>,
    name: String,
}

impl Threads {
    pub fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // The kernel keeps fifteen characters of a thread's name.
        let name = format!("measured-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(&name)
            .enable_all()
            .build()
            .expect("a runtime");
        Self { runtime: Some(runtime), name }
    }

    /// Runs something there, and whatever it starts.
    pub async fn run<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> T {
        self.runtime.as_ref().expect("until it is dropped").spawn(task).await.expect("it ends well")
    }

    /// Processor time used so far.
    pub fn used(&self) -> Duration {
        let mut used = Duration::ZERO;
        for thread in std::fs::read_dir("/proc/self/task").expect("threads") {
            let folder = thread.expect("a thread").path();
            let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            if read("comm").trim() == self.name {
                let nanoseconds = read("schedstat").split(' ').next().and_then(|text| text.parse().ok());
                used += Duration::from_nanos(nanoseconds.expect("the kernel counts processor time"));
            }
        }
        used
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Not by itself: that waits, which nobody may do here.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
