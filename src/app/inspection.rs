//! Commands: inspection.
