//! `verify`: reads a live database and says which row breaks which invariant.
