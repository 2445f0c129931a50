//! Programs packed by the real UPX, its loader taken out: whole, cut and damaged.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;

const PACKED: [&str; 6] =
    ["upx-3.96-lzma", "upx-3.96-nrv2e", "upx-4.2.2-nrv2b", "upx-4.2.2-nrv2d", "upx-4.2.2-nrv2e", "upx-4.2.2-lzma-pie"];

fn case(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/executable").join(name)).unwrap()
}

fn unpacked(file: &[u8]) -> Result<Vec<u8>, UpxError> {
    let mut out = Vec::new();
    unpack(file, &mut { 1 << 30 }, |bytes| out.extend_from_slice(bytes))?;
    Ok(out)
}

#[test]
fn the_program_as_it_was_but_for_code() {
    let plain = case("plain");
    let header = Header::parse(&plain).unwrap();
    let code = header.segments(&plain).find(|segment| segment.executable).unwrap();
    let mut expected = plain.clone();
    expected[code.start as usize..code.end as usize].fill(0);
    for name in PACKED {
        let file = case(name);
        assert!(is_packed(&Header::parse(&file).unwrap(), &file), "{name}");
        let found = unpacked(&file).unwrap();
        if name.ends_with("pie") {
            assert_eq!(found.len(), 26_792);
        } else {
            assert!(found == expected, "{name}");
        }
    }
    assert!(!is_packed(&header, &plain));
}

#[test]
fn a_cut_file_is_damaged_or_lacks_its_end() {
    for name in PACKED {
        let file = case(name);
        let whole = unpacked(&file).unwrap();
        // Each cut in the headers and between the blocks at the end, some in the data.
        let ends = (0..file.len()).filter(|end| *end < 0x140 || file.len() - end < 0x140 || end % 101 == 0);
        for end in ends {
            if let Ok(found) = unpacked(&file[..end]) {
                assert!(whole.starts_with(&found), "{name} {end}");
            }
        }
    }
}

#[test]
fn budgets_hold() {
    let file = case("upx-4.2.2-nrv2b");
    let mut left = 1 << 20;
    assert_eq!(unpack(&file, &mut left, |_| {}), Ok(()));
    assert!(left < (1 << 20) - 24_336);
    for budget in [0, 70_000, 200_000] {
        assert_eq!(unpack(&file, &mut { budget }, |_| {}), Err(UpxError::TooLarge), "{budget}");
    }
    let mut large = file.clone();
    // The size of the program.
    large[0xb0 + 16..0xb0 + 20].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(unpacked(&large), Err(UpxError::TooLarge));
    let mut unknown = file;
    // The method of the first block.
    unknown[0xb0 + 24 + 8] = 15;
    assert_eq!(unpacked(&unknown), Err(UpxError::Method));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn damage_never_panics(
        name in 0..PACKED.len(),
        damage in proptest::collection::vec((0usize..15_000, any::<u8>()), 1..6),
    ) {
        let mut file = case(PACKED[name]);
        let size = file.len();
        for (at, byte) in damage {
            file[at % size] = byte;
        }
        let _ = unpacked(&file);
    }

    #[test]
    fn noise_never_panics(data in proptest::collection::vec(any::<u8>(), 0..3000), size in 0usize..100_000) {
        for group in [1, 2, 4] {
            for kind in [nrv::Kind::B, nrv::Kind::D, nrv::Kind::E] {
                prop_assert!(nrv::unpacked(kind, group, &data, size).is_none_or(|out| out.len() <= size));
            }
        }
        let data = [&[26, 3, 0], &data[..]].concat();
        prop_assert!(lzma::unpacked(&data, size).is_none_or(|out| out.len() <= size));
    }
}
