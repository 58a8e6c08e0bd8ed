//! What one process of a team does to the others, on a real broker and a real store.

#[path = "../common/mod.rs"]
mod common;
mod envelopes;
mod foreground;
mod kernels;
mod local_faults;
mod out_of_reach;
mod own_broker;
mod team;
