//! The laws: composing the inventories of layers equals reading the flattened image, and nothing else decides what is in them.

#![allow(clippy::print_stdout)]

mod laws {
    pub mod judge;
    mod random_stacks;
    mod remembering;
    mod same_bytes;
    mod textual;
}
