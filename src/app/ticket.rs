//! Commands: ticket.
