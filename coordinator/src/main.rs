//! The command `lazaret`.
fn main() {}
