//! Tickets: one for each wish that is published, the class of its queue first.

use std::hash::{BuildHasher, Hasher, RandomState};

use lazaret::task::Class;

/// A ticket that nobody else has: 64 random bits.
pub(super) fn new(class: Class) -> String {
    let random = RandomState::new().build_hasher().finish();
    match class {
        Class::Interactive => format!("i{random:016x}"),
        Class::Bulk => format!("b{random:016x}"),
    }
}

/// Whether whoever holds a claim by this ticket waits in the bulk queue.
pub(super) fn is_bulk(ticket: &str) -> bool {
    ticket.starts_with('b')
}
