//! The command line: one binary, one word for each thing an operator does.

mod call;
mod export;
mod import;
mod serve;
mod simulate;
mod token;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Overrides};
use crate::store::Store;
use crate::telemetry;

/// Runs a corporate group's orders: a GraphQL API with live subscriptions. Without a command,
/// serves the demo group on the loopback interface.
#[derive(Debug, Parser)]
#[command(name = "ordergraph", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API
    Serve(serve::Serve),
    /// Print a token signed with the data folder's demo key, and nothing else
    Token(token::Token),
    /// Bring the database's schema up to date
    Migrate,
    /// Seed the demo group into an empty database
    Seed,
    /// Take a catalogue, and orders from a file; a bad line does not stop the others
    Import(import::Import),
    /// Write the event log for process-mining tools: OCEL 2.0 or XES
    Export(export::Export),
    /// Drive a folder of real orders through the API, from submission to confirmation
    Simulate(simulate::Simulate),
    /// Check every invariant on any database; exits with 1 when one is broken
    Verify(verify::Verify),
    /// Print the GraphQL schema
    Schema,
    /// Print the settings that can be made, with their defaults
    Config,
}

/// Runs the command line; the exit code is 0 when all is well, 1 when something is wrong with the
/// data, 2 when the command could not be carried out.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // Deeply nested documents are refused before they are parsed; the stack is the second net.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(8 << 20).build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(error.into()),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("ordergraph: {error:#}");
        ExitCode::from(2)
    })
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Some(Command::Schema) => {
            print!("{}", crate::graphql::sdl());
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Config) => {
            print!("{}", crate::config::DEFAULTS);
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let config = Config::load(&cli.overrides)?;
    if let Some(Command::Token(token)) = &cli.command {
        return token.run(&config);
    }
    telemetry::start(&config)?;
    match cli.command {
        None => serve::Serve::default().run(config).await,
        Some(Command::Serve(serve)) => serve.run(config).await,
        Some(Command::Migrate) => {
            open(&config, true).await?.close().await?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Seed) => {
            let store = open(&config, true).await?;
            let seeded = crate::seed::demo(&store, chrono::Utc::now()).await?;
            println!(
                "{}",
                if seeded { "The demo group is seeded." } else { "The database is not empty; nothing was seeded." }
            );
            store.close().await?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Import(import)) => import.run(&config).await,
        Some(Command::Export(export)) => export.run(&config).await,
        Some(Command::Simulate(simulate)) => simulate.run(config).await,
        Some(Command::Verify(verify)) => verify.run(&config).await,
        Some(Command::Token(_) | Command::Schema | Command::Config) => Ok(ExitCode::SUCCESS),
    }
}

/// Opens the database; with its schema brought up to date if asked to, or if it is the embedded one.
async fn open(config: &Config, migrate: bool) -> anyhow::Result<Store> {
    let store = Store::connect(&config.store()?).await?;
    if migrate || config.is_embedded() {
        store.migrate().await?;
    }
    Ok(store)
}
