//! The feed loses nothing, doubles nothing and keeps its order, whatever happens to nodes, the
//! database, the network and the clients.

mod bus;
