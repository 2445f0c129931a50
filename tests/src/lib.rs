//! Real and hostile servers and layer stacks for the tests of this package.

pub mod stack;
pub mod support;
