//! Commands: inventory.
