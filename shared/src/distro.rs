//! The distribution an image was made from, as its os-release file states it.

use bincode::{Decode, Encode};

/// The fields of os-release(5) that decide which advisories apply; an absent field is the empty string.
///
/// Source: <https://www.freedesktop.org/software/systemd/man/latest/os-release.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct OsRelease {
    /// `ID`, lower case: `debian`, `alpine`, `rhel`, …
    pub id: String,
    /// `ID_LIKE`, space separated.
    pub id_like: String,
    /// `VERSION_ID`, as written.
    pub version_id: String,
    /// `VERSION_CODENAME`, the release's name.
    pub version_codename: String,
    /// `PRETTY_NAME`, for people.
    pub pretty_name: String,
    /// `CPE_NAME`, as the vendor gives it.
    pub cpe_name: String,
    /// `SUPPORT_END`, a date `YYYY-MM-DD`.
    pub support_end: String,
}
