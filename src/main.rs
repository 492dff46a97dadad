//! The `ordergraph` program.

use std::hint::black_box;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// Results for subscribers are made of many small pieces: the system's allocator took a fifth of the
/// time of an event, and kept what thousands needed to connect when they were gone.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often the allocator gives back to the system what nobody needs any more.
const BREATH: Duration = Duration::from_secs(1);
/// A piece of memory that the allocator has a page of its own for.
const PIECE: usize = 1 << 20;

fn main() -> ExitCode {
    // It gives back only when it has to do with whole pages. A server whose thousands of clients wait,
    // or have left, would keep what it took to connect them.
    let breathe = || {
        loop {
            thread::sleep(BREATH);
            drop(black_box(Vec::<u8>::with_capacity(PIECE)));
        }
    };
    // Without the thread it works all the same, with more memory.
    let _detached = thread::Builder::new().name("allocator".to_owned()).spawn(breathe);
    ordergraph::cli::run()
}
