//! Names of files and targets of links, in which a token may stand as well as in any text.

use lazaret::exposure::Exposure;
use lazaret::path::LayerPath;

use super::rule::Rules;
use super::search::Search;
use super::stream::exposure;

/// The search through one name after the other.
#[derive(Default)]
pub(crate) struct Labels {
    search: Search,
}

impl Labels {
    /// What the name of the file at `path` exposes, and what the target does if it is a link. The path that is told is without
    /// the values in it.
    pub(crate) fn of(&mut self, rules: &Rules, path: &LayerPath, target: &[u8]) -> Vec<Exposure> {
        let mut exposures = Vec::new();
        let name = path.as_bytes();
        let (found, _) = self.search.run(rules, name, false);
        let (mut told, mut at) = (Vec::new(), 0);
        for found in &found {
            let exposure = exposure(path, found, found.bytes(name), 0, found.value.start as u64);
            told.extend_from_slice(name.get(at..found.value.start).unwrap_or_default());
            told.extend_from_slice(exposure.masked.as_bytes());
            at = found.value.end;
            exposures.push(exposure);
        }
        told.extend_from_slice(name.get(at..).unwrap_or_default());
        let told = if found.is_empty() { path.clone() } else { LayerPath::from_entry(&told) };
        let (found, _) = self.search.run(rules, target, false);
        exposures
            .extend(found.iter().map(|found| exposure(path, found, found.bytes(target), 0, found.value.start as u64)));
        exposures.iter_mut().for_each(|exposure| exposure.path.clone_from(&told));
        exposures
    }
}

#[cfg(test)]
mod tests {
    use super::super::template::Made;
    use super::*;

    #[test]
    fn tokens_in_names_and_targets_are_told_and_not_shown() {
        let [name, target] = ["name", "target"].map(|seed| Made::of(seed).text("ghp_{alnum:30}{crc}"));
        let path = LayerPath::from(format!("cache/{name}/x").as_str());
        let found = Labels::default().of(Rules::built_in(), &path, format!("../{target}").as_bytes());
        let masked = format!("cache/gh****{}/x", &name[38..]);
        let told: Vec<_> = found.iter().map(|found| (found.path.to_string(), found.column)).collect();
        assert_eq!(told, [(masked.clone(), 7), (masked, 4)]);
        assert!(Labels::default().of(Rules::built_in(), &"usr/bin/env".into(), b"../bin/busybox").is_empty());
    }
}
