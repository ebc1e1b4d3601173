//! Shuttle, from outside: what it says of itself, and what it is made of.

pub(super) mod status;
