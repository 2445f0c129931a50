//! A list of images: those of the command line, then those of a file, each once.

use std::collections::HashSet;
use std::path::Path;

use super::Failure;

const MAX_LIST: u64 = 64 << 20;

/// The images, in the order in which they were given.
pub(super) fn read(given: &[String], file: Option<&Path>) -> Result<Vec<String>, Failure> {
    let mut images = given.to_vec();
    if let Some(path) = file {
        let failed = |error| Failure::new(format_args!("cannot read {}: {error}", path.display()));
        if std::fs::metadata(path).map_err(failed)?.len() > MAX_LIST {
            return Err(Failure::new(format_args!("{} is too large for a list of images", path.display())));
        }
        let list = std::fs::read_to_string(path).map_err(failed)?;
        let lines = list.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
        images.extend(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned));
    }
    let mut seen = HashSet::new();
    images.retain(|image| seen.insert(image.clone()));
    if images.is_empty() { Err(Failure::new("the list names no image")) } else { Ok(images) }
}
