//! Commands: progress.
