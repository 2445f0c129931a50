//! What inventories depend on in this build: extractors, limits and wire form.

use std::sync::OnceLock;

use lazaret::exposure::IdentityKey;
use lazaret::fingerprint::Fingerprint;
use lazaret::wire::Kind;

use crate::extract::EXTRACTORS;
use crate::limits::Limits;
use crate::{analyze, executable, malware, secrets, signature};

/// The fingerprint of what analysis yields with these settings.
pub fn inventories(rules: Option<&str>, key: Option<&IdentityKey>) -> Fingerprint {
    static BUILT_IN: OnceLock<String> = OnceLock::new();
    let built_in = BUILT_IN.get_or_init(|| built_in().to_string());
    let key = key.map(IdentityKey::id).unwrap_or_default();
    Fingerprint::of([("built in", built_in.as_str()), ("rules", rules.unwrap_or_default()), ("key", &key)])
}

/// The fingerprint of this build.
fn built_in() -> Fingerprint {
    let versions: Vec<_> = EXTRACTORS.iter().map(|extractor| (extractor.name, extractor.version.to_string())).collect();
    let executables = executable::VERSION.to_string();
    let signatures = signature::fingerprint();
    let secrets = secrets::fingerprint();
    let malware = malware::fingerprint();
    let wire = Kind::LayerRecord.version().to_string();
    let limits = Limits::default().describe();
    let fixed = [
        ("wire", wire.as_str()),
        ("walk", analyze::VERSION),
        ("limits", limits.as_str()),
        (executable::NAME, executables.as_str()),
        (signature::NAME, signatures.as_str()),
        ("secrets", secrets.as_str()),
        ("malware", malware.as_str()),
    ];
    Fingerprint::of(fixed.into_iter().chain(versions.iter().map(|(name, version)| (*name, version.as_str()))))
}
