//! Synthetic images: made from code alone, the same bytes every time, for demonstrations and for load.

pub mod layout;
pub mod sample;
pub mod tar;
