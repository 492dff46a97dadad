//! Commands: delivery.
