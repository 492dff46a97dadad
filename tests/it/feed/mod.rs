//! The feed loses nothing, doubles nothing and keeps its order, whatever happens to nodes, the
//! database, the network and the clients.
//!
//! Every check is a function that says what it found. It runs against the server, where it must find
//! nothing, and against a server with one deliberate fault, where it must find that: a check that
//! cannot fail proves nothing.

mod bus;
mod closes;
mod cost;
mod cursors;
mod drain;
mod expiry;
mod failover;
mod fair;
mod gap;
mod handoff;
mod hints;
mod leak;
mod limits;
mod memory;
mod restart;
mod rollback;
mod sharing;
mod slow;
mod transports;

use ordergraph::feed::Conduct;

/// What a check found.
type Verdict = Result<(), String>;

/// A check that finds the fault that it is there for.
fn is_caught(fault: &str, verdict: Verdict) {
    match verdict {
        Ok(()) => panic!("a server with the fault `{fault}` passes"),
        Err(found) => println!("{fault} is caught: {found}"),
    }
}

/// Declares a check's tests: on databases, and with faults on the first of them.
macro_rules! proven {
    (
        $(#[doc = $doc:literal])*
        $name:ident: $check:ident, on $first:ident $($other:ident)*, fails with $($fault:ident)+
    ) => {
        $(#[doc = $doc])*
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $first() {
                let verdict = super::$check($crate::feed::kind(stringify!($first)), Default::default()).await;
                verdict.unwrap_or_else(|found| panic!("{found}"));
            }

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $other() {
                let verdict = super::$check($crate::feed::kind(stringify!($other)), Default::default()).await;
                verdict.unwrap_or_else(|found| panic!("{found}"));
            })*

            mod fails_with {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $fault() {
                    let conduct = ordergraph::feed::Conduct { $fault: true, ..Default::default() };
                    let verdict = super::super::$check($crate::feed::kind(stringify!($first)), conduct).await;
                    $crate::feed::is_caught(stringify!($fault), verdict);
                })+
            }
        }
    };
}
use proven;

use crate::support::Kind;

fn kind(name: &str) -> Kind {
    match name {
        "sqlite" => Kind::Sqlite,
        "postgres" => Kind::Postgres,
        other => panic!("{other} is no database"),
    }
}

/// How long what must come may take: generous without a fault, since machines can be slow; short with
/// one, since it never comes.
fn patience(conduct: Conduct) -> std::time::Duration {
    std::time::Duration::from_secs(if conduct == Conduct::default() { 20 } else { 3 })
}
