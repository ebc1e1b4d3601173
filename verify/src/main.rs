//! starform-verify.
fn main() {}
