//! Real and hostile servers for the tests of this package.

pub mod support;
