//! The promises of this crate, seen from outside: readers on odd and on real documents, the client and the sign-in over
//! real HTTP against a stand-in on loopback.

mod analyses;
mod client;
mod real_data;
mod rows;
mod sign_in;
mod stand_in;
