//! Synthetic images: made from code alone, the same bytes every time, for demonstrations and for load; and the scenarios
//! that load a farm with them.

#[cfg(feature = "scenarios")]
pub mod farm;
pub mod fleet;
pub mod layout;
pub mod registry;
pub mod sample;
#[cfg(feature = "scenarios")]
pub mod scenario;
pub mod tar;
#[cfg(feature = "scenarios")]
pub mod verdict;
