//! The `ordergraph` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ordergraph::cli::run()
}
