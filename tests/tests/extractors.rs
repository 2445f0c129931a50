//! The extractors, all of them together: what they yield, what an image is without one, and what the README says of them.

mod extractors {
    mod lock;
    mod matrix;
    mod removal;
}
