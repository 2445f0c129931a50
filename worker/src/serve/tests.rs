//! Tasks performed with doors that write down what happens, and fail as told.

mod fakes;
mod order;
mod service;
mod stage;
mod store_away;
mod trouble;
