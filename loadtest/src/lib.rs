//! Synthetic images: made from code alone, the same bytes every time, for demonstrations and for load.

pub mod fleet;
pub mod layout;
pub mod registry;
pub mod sample;
pub mod tar;
