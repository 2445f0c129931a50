//! An image's own documents, its configuration and its manifest's annotations: searched for secrets, which do not go on from here.

use std::collections::BTreeMap;

use lazaret::image::{Image, ImageConfig};
use lazaret::inventory::{Gap, GapKind};
use lazaret::path::LayerPath;

use crate::compose::{Fate, LayerExposure, LayerGap};
use crate::local;

/// The documents of an image with the secrets in them masked, and what was found.
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
pub fn documents(image: &Image) -> Documents {
    let (mut config, mut annotations) = (image.config.clone(), image.annotations.clone());
    let (mut exposures, mut gaps) = (Vec::new(), Vec::new());
    let mut search = |path: String, layer: Option<u32>, text: &mut String| {
        let path = LayerPath::from(path.as_str());
        let Some(found) = local::document(&path, text) else { return };
        *text = found.text;
        let exposed = found.exposures.into_iter();
        exposures.extend(exposed.map(|exposure| LayerExposure { layer, state: Fate::Present, exposure }));
        if found.is_cut {
            let reason = "more in it looks like secrets than is searched; it is not shown".into();
            gaps.push(LayerGap { layer, gap: Gap { kind: GapKind::Limit, path, reason } });
        }
    };
    let run = &mut config.config;
    for (name, values) in [("Env", &mut run.env), ("Entrypoint", &mut run.entrypoint), ("Cmd", &mut run.cmd)] {
        for (index, value) in values.iter_mut().enumerate() {
            search(format!("config.{name}[{index}]"), None, value);
        }
    }
    for (name, value) in &mut run.labels {
        search(format!("config.Labels.{name}"), None, value);
    }
    for (name, value) in &mut annotations {
        search(format!("manifest.annotations.{name}"), None, value);
    }
    let makes_layers = config.history.iter().filter(|step| !step.empty_layer).count() == config.rootfs.diff_ids.len();
    let mut layer = 0;
    for (index, step) in config.history.iter_mut().enumerate() {
        let made = (makes_layers && !step.empty_layer).then_some(layer);
        layer += u32::from(!step.empty_layer);
        search(format!("history[{index}].created_by"), made, &mut step.created_by);
    }
    exposures.sort_unstable();
    Documents { config, annotations, exposures, gaps }
}
