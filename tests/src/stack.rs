//! A stack of layers as text and as tar, for the laws: made by hand or from a seed, and flattened by an independent model.
//!
//! ```text
//! layer 0  etc/
//! layer 0  lib/apk/db/installed: apk busybox=1.36
//! layer 1  etc/os-release -> ../usr/lib/os-release
//! layer 1  opt/copy => lib/apk/db/installed
//! layer 2  bin/.wh.sh:
//! ```
//! `/` at the end makes a directory, `->` a symbolic link, `=>` a hard link, `!:` an executable file. Whiteouts have their
//! real names. What the words of a content stand for is told at [`bytes`].

use std::fmt;

mod content;
pub mod generate;
pub mod shrink;
pub mod tar;
pub mod tree;

pub use content::bytes;

/// Layers from the bottom up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// The layers, each its entries in the order of its tar.
    pub layers: Vec<Vec<Entry>>,
}

/// One entry of a layer's tar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name as the tar has it.
    pub name: String,
    /// What it makes.
    pub kind: Kind,
}

/// What an entry makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file with the content that [`bytes`] gives.
    File {
        /// The content in short.
        content: String,
        /// Whether it may be run.
        executable: bool,
    },
    /// A symbolic link to this target.
    Symlink(String),
    /// A hard link to the entry of this name.
    HardLink(String),
}

impl Entry {
    /// A regular file that nobody may run.
    pub fn file(name: impl Into<String>, content: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::File { content: content.into(), executable: false } }
    }
}

impl Stack {
    /// Reads the textual form; empty lines are skipped.
    ///
    /// # Panics
    /// On a line of another form: the text is part of a test.
    pub fn parse(text: &str) -> Self {
        let mut stack = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let rest = line.strip_prefix("layer ").unwrap_or_else(|| panic!("no layer: {line}"));
            let (index, entry) = rest.split_once(' ').unwrap_or((rest, ""));
            let index: usize = index.parse().unwrap_or_else(|_| panic!("no index: {line}"));
            if stack.layers.len() <= index {
                stack.layers.resize(index + 1, Vec::new());
            }
            if !entry.trim().is_empty() {
                stack.layers[index].push(Entry::parse(entry.trim()));
            }
        }
        stack
    }

    /// How many entries all layers have.
    pub fn entries(&self) -> usize {
        self.layers.iter().map(Vec::len).sum()
    }
}

impl Entry {
    fn parse(text: &str) -> Self {
        if let Some((name, target)) = text.split_once(" -> ") {
            return Self { name: name.into(), kind: Kind::Symlink(target.into()) };
        }
        if let Some((name, target)) = text.split_once(" => ") {
            return Self { name: name.into(), kind: Kind::HardLink(target.into()) };
        }
        if let Some((name, content)) = text.split_once(':') {
            let (name, executable) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
            return Self { name: name.into(), kind: Kind::File { content: content.trim().into(), executable } };
        }
        assert!(text.ends_with('/'), "neither file, link nor directory: {text}");
        Self { name: text.into(), kind: Kind::Directory }
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, layer) in self.layers.iter().enumerate() {
            if layer.is_empty() {
                writeln!(f, "layer {index}")?;
            }
            for entry in layer {
                writeln!(f, "layer {index}  {entry}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.kind {
            Kind::Directory => write!(f, "{}/", name.trim_end_matches('/')),
            Kind::File { content, executable: false } => write!(f, "{name}: {content}"),
            Kind::File { content, executable: true } => write!(f, "{name}!: {content}"),
            Kind::Symlink(target) => write!(f, "{name} -> {target}"),
            Kind::HardLink(target) => write!(f, "{name} => {target}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for seed in 0..200 {
            let stack = generate::stack(seed);
            assert_eq!(Stack::parse(&stack.to_string()), stack, "{stack}");
        }
    }
}
