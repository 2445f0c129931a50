//! Fifty secrets planted in one image wherever an image can have them, and what of them must not be seen anywhere: neither the
//! values, in whatever writing, nor their hashes, with which whoever has a guess could try it.

use super::oci_fixture::OciFixture;
use super::template::Made;

mod archive;
mod image;
mod needles;
mod table;

pub use needles::Needles;

/// A secret that is planted.
#[derive(Clone, Debug)]
pub struct Canary {
    /// The rule that finds it, and no other canary.
    pub rule: &'static str,
    /// Where it is.
    pub place: Place,
    /// Its value, which must not be seen.
    pub value: String,
    /// The text that it is in.
    pub text: String,
}

/// A place in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file: the layer, its name, and what it is made of the text.
    File(usize, &'static str, Form),
    /// A file that some extractor claims and does not understand, whose complaint must not quote it.
    Malformed(&'static str),
    /// An environment variable of the configuration.
    Env,
    /// A word of the command.
    Cmd,
    /// A word of the entrypoint.
    Entrypoint,
    /// A label.
    Label,
    /// A step of the history.
    History,
    /// An annotation of the manifest.
    Annotation,
}

impl Place {
    /// How the path of its exposure begins.
    pub fn path(self) -> &'static str {
        match self {
            Self::File(_, path, _) | Self::Malformed(path) => path,
            Self::Env => "config.Env[",
            Self::Cmd => "config.Cmd[",
            Self::Entrypoint => "config.Entrypoint[",
            Self::Label => "config.Labels.",
            Self::History => "history[",
            Self::Annotation => "manifest.annotations.",
        }
    }
}

/// What a file is made of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The text as it is.
    Plain,
    /// With the ends of lines of Windows.
    Crlf,
    /// UTF-16 with a mark.
    Wide,
    /// In the middle of one line of a megabyte.
    LongLine,
    /// Among bytes that are no text.
    Binary,
    /// Gzipped.
    Gzip,
    /// In a gzip in a tar in a zip.
    Nested,
    /// A loose object of git.
    GitObject,
}

/// All of them; the values are those of the seed.
pub fn all(seed: &str) -> Vec<Canary> {
    let canaries = table::TABLE.iter().map(|(rule, before, value, after, place)| {
        let value = Made::of(&format!("canary {seed} {rule}")).text(value);
        Canary { rule, place: *place, text: [before, value.as_str(), after].concat(), value }
    });
    canaries.collect()
}

/// An image with `canaries` for `architecture`, as a layout with the tag `1`.
pub fn image(canaries: &[Canary], architecture: &str) -> OciFixture {
    image::layout(canaries, architecture)
}
