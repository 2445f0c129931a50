//! The same loops, compiled for processors with vectors of 32 bytes.

use super::Prefilter;

/// Scans as [`Prefilter::scan`] says; false without these instructions.
pub(super) fn scan(prefilter: &Prefilter, text: &[u8], found: &mut impl FnMut(u32, usize)) -> bool {
    let present = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1");
    if present {
        // SAFETY: the processor has the two features that the function asks for, which is all that it asks for.
        #[allow(unsafe_code)]
        unsafe {
            wide(prefilter, text, found);
        }
    }
    present
}

#[target_feature(enable = "avx2,bmi1")]
fn wide(prefilter: &Prefilter, text: &[u8], found: &mut impl FnMut(u32, usize)) {
    prefilter.loops(text, found);
}
