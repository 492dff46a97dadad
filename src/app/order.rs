//! Commands: order.
