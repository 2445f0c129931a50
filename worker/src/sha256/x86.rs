//! The compression function of SHA-256 for two streams in one loop, with the SHA instructions of x86-64.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x, _mm_sha256msg1_epu32,
    _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
};

use super::BLOCK;

/// FIPS 180-4, §4.2.2, four rounds to a row.
#[rustfmt::skip]
const ROUND_CONSTANTS: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5], [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3], [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc], [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7], [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13], [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3], [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5], [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208], [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];

/// Compresses as many blocks of each stream as both have and says how many; none without the instructions.
pub fn compress_both(
    one: &mut [u32; 8],
    one_blocks: &[[u8; BLOCK]],
    other: &mut [u32; 8],
    other_blocks: &[[u8; BLOCK]],
) -> usize {
    let count = one_blocks.len().min(other_blocks.len());
    let present =
        is_x86_feature_detected!("sha") && is_x86_feature_detected!("ssse3") && is_x86_feature_detected!("sse4.1");
    if !present || count == 0 {
        return 0;
    }
    // SAFETY: the processor has the three features that the function asks for, which is all that it asks for.
    #[allow(unsafe_code)]
    unsafe {
        compress(one, &one_blocks[..count], other, &other_blocks[..count]);
    }
    count
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn compress(one: &mut [u32; 8], one_blocks: &[[u8; BLOCK]], other: &mut [u32; 8], other_blocks: &[[u8; BLOCK]]) {
    let (mut left, mut right) = (Lane::load(one), Lane::load(other));
    for (one_block, other_block) in one_blocks.iter().zip(other_blocks) {
        let (left_before, right_before) = (left, right);
        let (mut left_words, mut right_words) = (words(one_block), words(other_block));
        for (sixteen, constants) in ROUND_CONSTANTS.as_chunks::<4>().0.iter().enumerate() {
            for i in 0..4 {
                if sixteen > 0 {
                    schedule(&mut left_words, i);
                    schedule(&mut right_words, i);
                }
                // Each of these takes its time and waits for nothing of the other: here the two streams overlap.
                left.rounds(left_words[i], &constants[i]);
                right.rounds(right_words[i], &constants[i]);
            }
        }
        left.add(left_before);
        right.add(right_before);
    }
    (*one, *other) = (left.store(), right.store());
}

/// The eight working variables of a stream, as the instructions want them.
#[derive(Clone, Copy)]
struct Lane {
    abef: __m128i,
    cdgh: __m128i,
}

impl Lane {
    #[inline]
    #[target_feature(enable = "sse4.1")]
    fn load(state: &[u32; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
        Self { abef: _mm_set_epi32(a, b, e, f), cdgh: _mm_set_epi32(c, d, g, h) }
    }

    #[inline]
    #[target_feature(enable = "sse4.1")]
    fn store(self) -> [u32; 8] {
        let Self { abef, cdgh } = self;
        let (a, b) = (_mm_extract_epi32::<3>(abef), _mm_extract_epi32::<2>(abef));
        let (e, f) = (_mm_extract_epi32::<1>(abef), _mm_extract_epi32::<0>(abef));
        let (c, d) = (_mm_extract_epi32::<3>(cdgh), _mm_extract_epi32::<2>(cdgh));
        let (g, h) = (_mm_extract_epi32::<1>(cdgh), _mm_extract_epi32::<0>(cdgh));
        [a, b, c, d, e, f, g, h].map(i32::cast_unsigned)
    }

    /// Four rounds (FIPS 180-4, §6.2.2, step 3) with four words of the message schedule.
    #[inline]
    #[target_feature(enable = "sha")]
    fn rounds(&mut self, words: __m128i, constants: &[u32; 4]) {
        let [k0, k1, k2, k3] = constants.map(u32::cast_signed);
        let sum = _mm_add_epi32(words, _mm_set_epi32(k3, k2, k1, k0));
        self.cdgh = _mm_sha256rnds2_epu32(self.cdgh, self.abef, sum);
        self.abef = _mm_sha256rnds2_epu32(self.abef, self.cdgh, _mm_shuffle_epi32::<0x0e>(sum));
    }

    #[inline]
    #[target_feature(enable = "sha")]
    fn add(&mut self, before: Self) {
        self.abef = _mm_add_epi32(self.abef, before.abef);
        self.cdgh = _mm_add_epi32(self.cdgh, before.cdgh);
    }
}

/// The sixteen words of a block, which are stored big-endian.
#[inline]
#[target_feature(enable = "ssse3")]
fn words(block: &[u8; BLOCK]) -> [__m128i; 4] {
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let (halves, _) = block.as_chunks::<8>();
    std::array::from_fn(|i| {
        // One load of sixteen bytes, once compiled.
        let [low, high] = [halves[2 * i], halves[2 * i + 1]].map(i64::from_le_bytes);
        _mm_shuffle_epi8(_mm_set_epi64x(high, low), swap)
    })
}

/// Replaces the oldest four words of the message schedule, those at `oldest`, by the next four (§6.2.2, step 1).
#[inline]
#[target_feature(enable = "sha,ssse3")]
fn schedule(words: &mut [__m128i; 4], oldest: usize) {
    let [w0, w1, w2, w3] = std::array::from_fn(|i| words[(oldest + i) % 4]);
    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
    words[oldest] = _mm_sha256msg2_epu32(sum, w3);
}
