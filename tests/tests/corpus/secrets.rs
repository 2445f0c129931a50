//! The planted secrets: each that must be found is, where it is and with what became of it; and nothing is found that must not.

use lazaret::exposure::Exposure;
use lazaret_coordinator::compose::Fate;

use super::*;

/// Of these kinds the truth's value is a file, of which the exposure has the inside.
const KEYS: [&str; 2] = ["private-key", "gcp-service-account"];

/// What the exposure shows of such a value; nothing where a file is the value.
fn masked(secret: &Value) -> Option<String> {
    let value = secret["value"].as_str().unwrap();
    // The key of a connection string, the end of a webhook's address, and the base64 in Docker's configuration are what is secret.
    if KEYS.contains(&secret["kind"].as_str().unwrap())
        || ["azure", "hook", "dockercfg"].contains(&secret["id"].as_str().unwrap())
    {
        return None;
    }
    Some(if value.len() < 12 { "****".into() } else { format!("{}****{}", &value[..2], &value[value.len() - 2..]) })
}

/// Whether the truth's path is that of an exposure: of documents the truth has the field only, of some files a note too.
fn is_at(secret: &Value, exposure: &Exposure) -> bool {
    let path = secret["path"].as_str().unwrap();
    let shown = exposure.path.to_string();
    let document = secret["layer"].is_null() && shown.starts_with(path);
    shown == path || document
}

#[test]
fn planted_secrets_are_found_and_nothing_else() {
    let Some(corpus) = corpus() else { return };
    for tag in ["secrets-multilayer", "config-findings"] {
        let truth = fs::read(corpus.join(format!("truth/{tag}.json"))).unwrap();
        let truth: Value = serde_json::from_slice(&truth).unwrap();
        let (_, inventoried) = inventory(&corpus, tag);
        let exposures: Vec<_> = inventoried.inventory.contents.exposures.iter().collect();
        let mut used = BTreeSet::new();
        let (mut missing, mut optional) = (Vec::new(), 0);
        let planted = truth["secrets"].as_array().map_or(&[][..], Vec::as_slice);
        for secret in planted {
            let layer = secret["layer"].as_u64();
            let found = exposures.iter().enumerate().find(|(at, found)| {
                !used.contains(at)
                    && found.exposure.dismissed.is_none()
                    && (layer.is_none() || found.layer.map(u64::from) == layer)
                    && is_at(secret, &found.exposure)
                    && masked(secret).is_none_or(|masked| masked == found.exposure.masked)
            });
            let id = secret["id"].as_str().unwrap();
            match found {
                Some((at, found)) => {
                    used.insert(at);
                    let visible = secret["visible_in_final_image"].as_bool().unwrap_or(true);
                    assert_eq!(found.state == Fate::Present, visible, "{tag}: {id}: {:?}", found.state);
                    let expected = match secret["note"].as_str().unwrap_or_default() {
                        note if note.starts_with("overwritten") => Some(Fate::Overwritten(3)),
                        note if note.contains("whiteout in layer 3") || note.contains("hidden by") => {
                            Some(Fate::Deleted(3))
                        }
                        _ => None,
                    };
                    assert!(expected.is_none_or(|state| state == found.state), "{tag}: {id}: {:?}", found.state);
                }
                None if secret["expect"] == "must" => missing.push(id),
                None => optional += 1,
            }
        }
        let _ = writeln!(
            io::stderr(),
            "{tag}: {} of {} planted secrets found, {optional} optional ones not",
            used.len(),
            planted.len()
        );
        assert!(missing.is_empty(), "{tag}: missing {missing:?}");
        for wrong in truth["must_not_find"].as_array().map_or(&[][..], Vec::as_slice) {
            let told = exposures.iter().find(|found| {
                found.exposure.path.to_string() == wrong.as_str().unwrap() && found.exposure.dismissed.is_none()
            });
            assert!(told.is_none(), "{tag}: {wrong}: {told:?}");
        }
    }
}

/// Of real distributions' images nothing is secret.
#[test]
fn clean_images_have_no_secrets() {
    let Some(corpus) = corpus() else { return };
    for tag in ["alpine-3.20", "debian-bookworm", "debian-distroless", "almalinux-9-rpm-layers", "mariner-2-rpmdb"] {
        let (_, inventoried) = inventory(&corpus, tag);
        let exposures = &inventoried.inventory.contents.exposures;
        let told: Vec<_> = exposures.iter().filter(|found| found.exposure.dismissed.is_none()).collect();
        assert!(told.is_empty(), "{tag}: {told:?}");
    }
}
