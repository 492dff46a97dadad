//! Commands: allocation.
