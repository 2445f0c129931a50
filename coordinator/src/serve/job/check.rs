//! Which jobs are taken: everything in one comes from whoever has a token.

use std::collections::HashSet;

use lazaret::image::Platform;
use lazaret::reference::Reference;
use lazaret::text::visible;

use super::{ALL_PLATFORMS, NewJob};
use crate::policy;

/// The most images of one job.
pub const MAX_IMAGES: usize = 100_000;
/// The most bytes of one image reference.
pub const MAX_REFERENCE: usize = 1 << 10;
/// The most bytes of an ignore file.
pub const MAX_IGNORE_FILE: usize = 1 << 20;

/// Why a job is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJob {
    /// No images, or too many.
    #[error("a job has 1 to {MAX_IMAGES} images, not {0}; submit a longer list in parts")]
    Count(usize),
    /// No reference of a registry's image.
    #[error("image {index}, `{shown}`: {reason}")]
    Image {
        /// Which of the list, from 1.
        index: usize,
        /// Its beginning.
        shown: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No platform.
    #[error("{0}; or write `{ALL_PLATFORMS}`")]
    Platform(String),
    /// Not an ignore file, or one that has expired.
    #[error("the ignore file: {0}")]
    IgnoreFile(String),
}

impl NewJob {
    /// The job without repeated images, if all of it can be worked on. `today` (`YYYY-MM-DD`) tells whether what it ignores
    /// has expired.
    ///
    /// # Errors
    /// [`InvalidJob`]; its text is fit for a terminal.
    pub fn checked(mut self, today: &str) -> Result<Self, InvalidJob> {
        if !(1..=MAX_IMAGES).contains(&self.images.len()) {
            return Err(InvalidJob::Count(self.images.len()));
        }
        for (index, image) in self.images.iter().enumerate() {
            check_reference(image).map_err(|reason| {
                let beginning: String = image.chars().take(100).collect();
                InvalidJob::Image { index: index + 1, shown: visible(&beginning).into_owned(), reason }
            })?;
        }
        if let Some(platform) = self.platform.as_deref().filter(|platform| *platform != ALL_PLATFORMS) {
            let parsed = platform.parse::<Platform>();
            parsed.map_err(|error| InvalidJob::Platform(visible(&error.to_string()).into_owned()))?;
        }
        if let Some(text) = &self.ignore_file {
            if text.len() > MAX_IGNORE_FILE {
                return Err(InvalidJob::IgnoreFile(format!("longer than {MAX_IGNORE_FILE} bytes")));
            }
            let read = policy::read_ignores(text, today);
            read.map_err(|error| InvalidJob::IgnoreFile(lines_visible(&error.to_string())))?;
        }
        self.severity.sort_unstable();
        self.severity.dedup();
        let mut seen = HashSet::with_capacity(self.images.len());
        let images = std::mem::take(&mut self.images);
        self.images = images.into_iter().filter(|image| seen.insert(image.clone())).collect();
        Ok(self)
    }
}

fn check_reference(image: &str) -> Result<(), String> {
    if image.len() > MAX_REFERENCE {
        return Err(format!("longer than {MAX_REFERENCE} bytes"));
    }
    match image.parse() {
        Ok(Reference::Registry(_) | Reference::Name(_)) => Ok(()),
        Ok(_) => Err("the farm scans images of registries only; scan files with `lazaret scan`".into()),
        Err(error) => Err(visible(&error.to_string()).into_owned()),
    }
}

fn lines_visible(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(images: &[&str]) -> NewJob {
        NewJob { images: images.iter().map(|&image| image.to_owned()).collect(), ..NewJob::default() }
    }

    fn refusal(job: NewJob) -> String {
        job.checked("2026-01-01").unwrap_err().to_string()
    }

    #[test]
    fn images_of_registries_are_taken_once_each() {
        let given = job(&["alpine", "docker://r.example:5000/a/b@sha256:", "alpine"]);
        assert!(refusal(given).contains("image 2"));
        let taken = job(&["alpine", "docker://r.example:5000/a/b:1", "alpine"]).checked("2026-01-01").unwrap();
        assert_eq!(taken.images, ["alpine", "docker://r.example:5000/a/b:1"]);
    }

    #[test]
    fn what_is_no_registrys_image_is_refused() {
        for image in ["", "-", "/etc/passwd", "./x", "oci:layout", "docker-archive:x.tar", "docker-daemon:alpine"] {
            refusal(job(&[image]));
        }
        let deceptive = refusal(job(&["a\u{1b}[2J\u{202e}"]));
        assert_eq!(visible(&deceptive), deceptive);
    }

    #[test]
    fn sizes_are_bounded() {
        assert!(refusal(job(&[])).contains("not 0"));
        let many = NewJob { images: vec!["a".into(); MAX_IMAGES + 1], ..NewJob::default() };
        assert!(refusal(many).contains("not 100001"));
        let most = NewJob { images: vec!["a".into(); MAX_IMAGES], ..NewJob::default() };
        assert_eq!(most.checked("2026-01-01").unwrap().images, ["a"]);
        assert!(refusal(job(&["a".repeat(MAX_REFERENCE + 1).as_str()])).contains("longer"));
        let ignores = NewJob { ignore_file: Some("#".repeat(MAX_IGNORE_FILE + 1)), ..job(&["a"]) };
        assert!(refusal(ignores).contains("longer"));
    }

    #[test]
    fn platform_and_ignores_must_mean_something() {
        let with = |platform: &str| NewJob { platform: Some(platform.into()), ..job(&["a"]) };
        with("all").checked("2026-01-01").unwrap();
        with("linux/arm64").checked("2026-01-01").unwrap();
        assert!(refusal(with("arm")).contains("linux/arm64"));
        let ignore = |expires: &str| NewJob {
            ignore_file: Some(format!("[[ignore]]\nid = \"CVE-1\"\nreason = \"r\"\nexpires = \"{expires}\"\n")),
            ..job(&["a"])
        };
        ignore("2026-01-01").checked("2026-01-01").unwrap();
        assert!(refusal(ignore("2025-12-31")).contains("expired"));
    }
}
