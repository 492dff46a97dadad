//! Order: positions are given after the commit, so nothing comes before what it follows and nothing
//! is passed over.
