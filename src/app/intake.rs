//! Commands: intake.
