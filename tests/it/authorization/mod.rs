//! Who may do what, and what exists for whom: asked of the running server.

mod access;
mod keys;
mod nodes;
mod roles;
mod scope;
