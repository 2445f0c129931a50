//! C and C++ packages of Conan: what its caches hold.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;

use super::plain::{last_components, malformed, one, word};
use super::{ClaimedFile, Content, Extractor};

/// Conan 1: `data/NAME/VERSION/USER/CHANNEL/package/ID/conaninfo.txt` (Conan 1 documentation, "Package folder"). The path says
/// it all; `_` stands for no user and no channel.
pub(super) static CONAN: Extractor = Extractor {
    name: "conan",
    version: 1,
    claims: |path| path.ends_with(b"/conaninfo.txt") && place(path).is_some(),
    content: Content::NameOnly,
    companions: &[],
    yields: &[Ecosystem::Conan],
    form: "Conan 1's cache",
    extract,
};

/// Conan 2: `.conan2/p/cache.sqlite3`, which alone knows what the directories beside it hold; they are named by a hash.
pub(super) static CONAN_CACHE: Extractor = Extractor {
    name: "conan-cache",
    version: 1,
    claims: |path| path.ends_with(b"/p/cache.sqlite3"),
    content: Content::NameOnly,
    companions: &[],
    yields: &[],
    form: "",
    extract: |file| {
        let reason = "the packages in a cache of Conan 2, which is not read yet";
        Facts { gaps: vec![file.gap(GapKind::Unread, reason)], ..Facts::default() }
    },
};

struct Place<'a> {
    name: &'a [u8],
    version: &'a [u8],
    user: &'a [u8],
    channel: &'a [u8],
}

fn place(path: &[u8]) -> Option<Place<'_>> {
    let [_, id, package, channel, user, version, name, data] = last_components(path)?;
    let is_id = id.len() == 40 && id.iter().all(u8::is_ascii_hexdigit);
    (data == b"data" && package == b"package" && is_id).then_some(Place { name, version, user, channel })
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let Some(place) = place(file.path.as_bytes()) else { return Facts::default() };
    let words = (word(place.name), word(place.version), word(place.user), word(place.channel));
    let (Some(name), Some(version), Some(user), Some(channel)) = words else {
        return malformed(file, "a Conan package without a valid name and version");
    };
    let mut package = Package::new(Ecosystem::Conan, name, version);
    let given = [("channel", channel), ("user", user)].into_iter().filter(|(_, value)| *value != "_");
    package.qualifiers = given.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    one(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&CONAN);
        golden::check(&CONAN_CACHE);
    }

    #[test]
    fn claims_packages_and_not_recipes() {
        let id = "5ab84d6acfe1f23c4fae0ab88f26e3a396351ac9";
        assert!((CONAN.claims)(format!("root/.conan/data/zlib/1.2.13/_/_/package/{id}/conaninfo.txt").as_bytes()));
        for path in [
            format!("data/zlib/1.2.13/_/_/build/{id}/conaninfo.txt"),
            format!("store/zlib/1.2.13/_/_/package/{id}/conaninfo.txt"),
            "data/zlib/1.2.13/_/_/package/short/conaninfo.txt".to_owned(),
            "app/build/conaninfo.txt".to_owned(),
        ] {
            assert!(!(CONAN.claims)(path.as_bytes()), "{path}");
        }
        assert!((CONAN_CACHE.claims)(b"root/.conan2/p/cache.sqlite3"));
        assert!(!(CONAN_CACHE.claims)(b"root/.cache/cache.sqlite3"));
    }

    #[test]
    fn user_and_channel_are_qualifiers() {
        let id = "5ab84d6acfe1f23c4fae0ab88f26e3a396351ac9";
        let path = lazaret::path::LayerPath::from(format!("data/a/1.0/me/stable/package/{id}/conaninfo.txt").as_str());
        let facts = extract(&ClaimedFile { path: &path, content: b"", companions: &[] });
        let expected = [("channel".to_owned(), "stable".to_owned()), ("user".to_owned(), "me".to_owned())];
        assert_eq!(facts.packages[0].qualifiers, expected);
    }
}
