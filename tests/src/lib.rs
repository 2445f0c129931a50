//! Real and hostile servers, layer stacks and the source tree, for the tests of this package.

pub mod source_tree;
pub mod stack;
pub mod support;
