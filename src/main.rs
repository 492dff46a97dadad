//! The `ordergraph` program.

use std::process::ExitCode;

/// Results for subscribers are made of many small pieces: the system's allocator took a fifth of the
/// time of an event, and kept what thousands needed to connect when they were gone.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ordergraph::cli::run()
}
