//! Layer bytes to layer inventory: inflate, verify, walk the tar once, extract. Knows no image and no advisory.

pub mod executable;
pub mod extract;
