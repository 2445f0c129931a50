//! Composer records: golden cases, odd forms, hostile ones.

use lazaret::path::LayerPath;

use super::*;
use crate::extract::golden;

#[test]
fn golden_cases() {
    golden::check(&PHP_COMPOSER);
}

#[test]
fn claims_the_record_under_any_vendor_directory() {
    for path in [
        "vendor/composer/installed.json",
        "var/www/html/vendor/composer/installed.json",
        "var/www/nextcloud/3rdparty/composer/installed.json",
        "composer/installed.json",
    ] {
        assert!((PHP_COMPOSER.claims)(path.as_bytes()), "{path}");
    }
    for path in [
        "",
        "installed.json",
        "vendor/installed.json",
        "vendor/xcomposer/installed.json",
        "vendor/composer/installed.json.bak",
        "vendor/composer/uninstalled.json",
        "vendor/composer/x/installed.json",
        "composer.json",
    ] {
        assert!(!(PHP_COMPOSER.claims)(path.as_bytes()), "{path}");
    }
}

fn read(content: &[u8]) -> Facts {
    let path = LayerPath::from("vendor/composer/installed.json");
    extract(&ClaimedFile { path: &path, content, companions: &[] })
}

#[test]
fn every_truncation_is_a_gap() {
    for whole in [
        r#"[{"name":"a/b","version":"1.0","license":["MIT"]},{"name":"a/c","version":"2.0"}]"#,
        r#"{"packages":[{"name":"a/b","version":"1.0"},{"name":"a/c","version":"2.0"}],"dev":true}"#,
    ] {
        for end in 0..whole.len() {
            let facts = read(&whole.as_bytes()[..end]);
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{end}");
        }
        assert_eq!(read(whole.as_bytes()).packages.len(), 2);
    }
}

#[test]
fn hostile_depth_and_width_are_borne() {
    for open in ["[", "{\"packages\":", "[{\"license\":", "[{\"dist\":", "[{\"x\":"] {
        assert_eq!(read(open.repeat(1 << 20).as_bytes()).gaps.len(), 1, "{open}");
    }
    let nested = format!(r#"[{{"name":"a/b","version":"1","x":{}{}}}]"#, "[".repeat(1 << 16), "]".repeat(1 << 16));
    assert_eq!(read(nested.as_bytes()).packages.len(), 1);
    let wide = format!(r#"[{{"name":"a/b","version":"1","license":[{}"a"]}}]"#, r#""b","#.repeat(1 << 16));
    assert!(read(wide.as_bytes()).packages[0].licence.as_ref().is_some_and(|licence| licence.len() <= 256));
    let facts = read(format!("[{}{{}}]", r#"{"name":"a/b","version":"1"},{},"#.repeat(1 << 14)).as_bytes());
    assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 1));
}
