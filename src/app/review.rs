//! Commands: review.
