//! Random lives that can be lived again.

use std::future::Future;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tokio::runtime::Handle;

/// Lives so many lives, each after what the strategy makes up. A failure is made simpler with at most so many more, and
/// says how to see the same again.
pub fn live<S: Strategy, F: Future<Output = ()>>(
    (cases, simpler): (u32, u32),
    strategy: &S,
    life: impl Fn(S::Value) -> F,
) {
    let seed = match std::env::var("ORDERGRAPH_TEST_SEED") {
        Ok(given) => given.parse().expect("ORDERGRAPH_TEST_SEED is a number"),
        Err(_) => u64::from(std::process::id()) ^ chrono::Utc::now().timestamp().unsigned_abs(),
    };
    println!("to see the same again: ORDERGRAPH_TEST_SEED={seed}");
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: simpler,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    let handle = Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(strategy, |made_up| {
            handle.block_on(life(made_up));
            Ok(())
        })
    });
    if let Err(failure) = outcome {
        panic!("with ORDERGRAPH_TEST_SEED={seed}: {failure}");
    }
}
