//! What analysis finds in each layer of a synthetic fleet is what the fleet says is in it.

use lazaret::ecosystem::Ecosystem;
use lazaret::image::Descriptor;
use lazaret_loadtest::fleet::{Fleet, FleetOptions};
use lazaret_worker::analyze::analyze;
use lazaret_worker::limits::Limits;
use lazaret_worker::ruleset::Ruleset;

type Row = (Ecosystem, String, String, String);

#[test]
fn every_layer_holds_what_the_oracle_says() {
    let fleet = Fleet::new(FleetOptions { seed: 11, scale: 0.000_01, ..FleetOptions::of(40) });
    let mut layers = 0;
    for image in 0..fleet.len() {
        for (index, layer) in fleet.layers(image).into_iter().enumerate() {
            let (facts, blob) = (fleet.facts(layer), fleet.blob(layer));
            let media_type = "application/vnd.oci.image.layer.v1.tar+gzip".to_owned();
            let named = Descriptor { media_type, digest: facts.digest, size: facts.size };
            let inventory = analyze(&blob[..], &named, &Limits::default(), Ruleset::built_in()).unwrap();
            assert_eq!(inventory.diff_id, Some(facts.diff_id));
            assert_eq!(inventory.uncompressed_bytes, facts.uncompressed);
            assert!(inventory.gaps.is_empty(), "{layer:?}: {:?}", inventory.gaps);
            let found = inventory.evidence.iter().flat_map(|evidence| {
                assert!(evidence.facts.gaps.is_empty() && evidence.facts.recognised.is_none(), "{evidence:?}");
                &evidence.facts.packages
            });
            let mut found: Vec<Row> = found
                .map(|p| {
                    let source = p.source.as_ref().map_or(&p.name, |source| &source.name);
                    (p.ecosystem, p.name.clone(), p.version.clone(), source.clone())
                })
                .collect();
            found.sort_unstable();
            let expected: Vec<Row> = fleet
                .expected_layer(image, index)
                .into_iter()
                .map(|p| (p.ecosystem, p.name.into(), p.version.into(), p.source.into()))
                .collect();
            assert_eq!(found, expected, "{layer:?}");
            layers += 1;
        }
    }
    assert!(layers > 200, "only {layers} layers");
}
