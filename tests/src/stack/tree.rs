//! A file system in memory, onto which layers are applied one by one as containerd does it: the judge of the laws.
//!
//! containerd, `pkg/archive/tar.go` (`applyNaive`): names are cleaned first, parents are resolved through symbolic links
//! inside the root and made where they are missing, and whatever stands at the name is removed unless both are directories.
//! Whiteouts follow the OCI image specification (layer.md, "Whiteouts"): they hide what lower layers have, and nothing of
//! their own layer.

use std::collections::BTreeMap;

use super::{Entry, Kind};

/// As many symbolic links as Linux follows in one look-up.
const MAX_LINKS: usize = 40;
/// Plain files deeper than this may replace a directory unseen, see [`Tree::blind_spots`].
const SEEN_FILES: usize = 3;
/// Directories deeper than this may replace a symbolic link unseen.
const SEEN_DIRECTORIES: usize = 2;

/// The image as far as it is unpacked.
#[derive(Clone, Debug)]
pub struct Tree {
    inodes: Vec<Inode>,
    layer: usize,
    blind_spots: usize,
}

#[derive(Clone, Debug)]
enum Inode {
    Directory(BTreeMap<String, Name>),
    File { content: String, executable: bool },
    Symlink(String),
}

/// A name in a directory; two names of one inode are hard links.
#[derive(Clone, Copy, Debug)]
struct Name {
    inode: usize,
    /// The layer that wrote it last.
    layer: usize,
}

/// Why a runtime would refuse the layer.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A parent is no directory.
    NotADirectory,
    /// A hard link to nothing, to a directory or to itself.
    Link,
    /// Symbolic links lead in a circle.
    Loop,
}

impl Default for Tree {
    fn default() -> Self {
        Self { inodes: vec![Inode::Directory(BTreeMap::new())], layer: 0, blind_spots: 0 }
    }
}

impl Tree {
    /// Ends a layer: what comes now may hide what is there.
    pub fn next_layer(&mut self) {
        self.layer += 1;
    }

    /// How often a plain file at a path of more than three names replaced a directory, or a directory at one of more than
    /// two names a symbolic link, without a whiteout: no layer inventory remembers every such file and directory, so what
    /// was there before may be taken to be there still.
    pub fn blind_spots(&self) -> usize {
        self.blind_spots
    }

    /// Applies one entry.
    ///
    /// # Errors
    /// A runtime would refuse the layer; nothing has changed.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let path = clean(&entry.name);
        let Some((last, parent)) = path.split_last() else { return Ok(()) };
        let parent = self.resolve(parent)?;
        self.check_parents(&parent)?;
        if let Some(hidden) = last.strip_prefix(".wh.") {
            let directory = self.make(&parent);
            match hidden {
                ".wh..opq" => self.hide_below(directory),
                _ => self.hide(directory, hidden),
            }
            return Ok(());
        }
        let inode = match &entry.kind {
            Kind::Directory => None,
            Kind::File { content, executable } => {
                Some(Inode::File { content: content.clone(), executable: *executable })
            }
            Kind::Symlink(target) => Some(Inode::Symlink(target.clone())),
            Kind::HardLink(target) => {
                let mut own = parent.clone();
                own.push(last.clone());
                let inode = self.linked(target, &own)?;
                let directory = self.make(&parent);
                self.put(directory, last, inode);
                return Ok(());
            }
        };
        let directory = self.make(&parent);
        let there = self.names(directory).get(last).map(|name| name.inode);
        let hides_directory =
            matches!(&inode, Some(Inode::File { executable: false, .. })) && parent.len() >= SEEN_FILES;
        let hides_link = inode.is_none() && parent.len() >= SEEN_DIRECTORIES;
        let inode = match (inode, there) {
            (None, Some(there)) if matches!(self.inodes[there], Inode::Directory(_)) => there,
            (inode, there) => {
                self.blind_spots += usize::from(match there.map(|there| &self.inodes[there]) {
                    Some(Inode::Directory(_)) => hides_directory,
                    Some(Inode::Symlink(_)) => hides_link,
                    _ => false,
                });
                self.add(inode.unwrap_or_else(|| Inode::Directory(BTreeMap::new())))
            }
        };
        self.put(directory, last, inode);
        Ok(())
    }

    /// Everything there is as the entries of one layer, parents first, hard links as files of their own.
    pub fn flattened(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.list(0, "", &mut entries);
        entries
    }

    /// The paths that have an entry, directories without a slash.
    pub fn paths(&self) -> Vec<String> {
        self.flattened().into_iter().map(|entry| entry.name).collect()
    }

    fn list(&self, directory: usize, prefix: &str, entries: &mut Vec<Entry>) {
        for (name, found) in self.names(directory) {
            let path = format!("{prefix}{name}");
            let kind = match &self.inodes[found.inode] {
                Inode::Directory(_) => Kind::Directory,
                Inode::File { content, executable } => Kind::File { content: content.clone(), executable: *executable },
                Inode::Symlink(target) => Kind::Symlink(target.clone()),
            };
            let below = format!("{path}/");
            entries.push(Entry { name: path, kind });
            if matches!(self.inodes[found.inode], Inode::Directory(_)) {
                self.list(found.inode, &below, entries);
            }
        }
    }

    fn names(&self, directory: usize) -> &BTreeMap<String, Name> {
        match &self.inodes[directory] {
            Inode::Directory(names) => names,
            _ => unreachable!("only directories are asked for names"),
        }
    }

    fn names_mut(&mut self, directory: usize) -> &mut BTreeMap<String, Name> {
        match &mut self.inodes[directory] {
            Inode::Directory(names) => names,
            _ => unreachable!("only directories are asked for names"),
        }
    }

    fn add(&mut self, inode: Inode) -> usize {
        self.inodes.push(inode);
        self.inodes.len() - 1
    }

    fn put(&mut self, directory: usize, name: &str, inode: usize) {
        let layer = self.layer;
        self.names_mut(directory).insert(name.to_owned(), Name { inode, layer });
    }

    /// What stands at a resolved path.
    fn find(&self, path: &[String]) -> Option<usize> {
        path.iter().try_fold(0, |directory, name| match &self.inodes[directory] {
            Inode::Directory(names) => names.get(name).map(|found| found.inode),
            _ => None,
        })
    }

    /// Follows every component inside the root; what is missing is taken as it is written.
    fn resolve(&self, path: &[String]) -> Result<Vec<String>, Refusal> {
        let mut todo: Vec<String> = path.iter().rev().cloned().collect();
        let mut resolved = Vec::new();
        let mut followed = 0;
        while let Some(component) = todo.pop() {
            match component.as_str() {
                "" | "." => {}
                ".." => drop(resolved.pop()),
                _ => {
                    resolved.push(component);
                    if let Some(Inode::Symlink(target)) = self.find(&resolved).map(|inode| &self.inodes[inode]) {
                        followed += 1;
                        if followed > MAX_LINKS {
                            return Err(Refusal::Loop);
                        }
                        resolved.pop();
                        if target.starts_with('/') {
                            resolved.clear();
                        }
                        todo.extend(target.rsplit('/').map(str::to_owned));
                    }
                }
            }
        }
        Ok(resolved)
    }

    fn check_parents(&self, path: &[String]) -> Result<(), Refusal> {
        for length in 1..=path.len() {
            match self.find(&path[..length]).map(|inode| &self.inodes[inode]) {
                None | Some(Inode::Directory(_)) => {}
                Some(_) => return Err(Refusal::NotADirectory),
            }
        }
        Ok(())
    }

    /// The directory at a resolved and checked path, made with its parents where it is missing.
    fn make(&mut self, path: &[String]) -> usize {
        let mut directory = 0;
        for name in path {
            directory = match self.names(directory).get(name) {
                Some(found) => found.inode,
                None => {
                    let made = self.add(Inode::Directory(BTreeMap::new()));
                    self.put(directory, name, made);
                    made
                }
            };
        }
        directory
    }

    fn linked(&self, target: &str, own: &[String]) -> Result<usize, Refusal> {
        let target = clean(target);
        let (last, parent) = target.split_last().ok_or(Refusal::Link)?;
        let mut target = self.resolve(parent)?;
        target.push(last.clone());
        // What stands at the link's own name is removed before the link is made.
        if target.starts_with(own) {
            return Err(Refusal::Link);
        }
        let inode = self.find(&target).ok_or(Refusal::Link)?;
        match self.inodes[inode] {
            Inode::Directory(_) => Err(Refusal::Link),
            _ => Ok(inode),
        }
    }

    /// Removes what lower layers have at `name`; what this layer wrote stays, with the directories above it.
    fn hide(&mut self, directory: usize, name: &str) {
        let Some(found) = self.names(directory).get(name).copied() else { return };
        let is_directory = matches!(self.inodes[found.inode], Inode::Directory(_));
        if is_directory {
            self.hide_below(found.inode);
        }
        let still_used = is_directory && !self.names(found.inode).is_empty();
        if found.layer < self.layer && !still_used {
            self.names_mut(directory).remove(name);
        }
    }

    fn hide_below(&mut self, directory: usize) {
        let names: Vec<String> = self.names(directory).keys().cloned().collect();
        for name in names {
            self.hide(directory, &name);
        }
    }
}

/// A name as `filepath.Clean` makes it, below the root.
fn clean(name: &str) -> Vec<String> {
    let mut path = Vec::new();
    for component in name.split('/') {
        match component {
            "" | "." => {}
            ".." => drop(path.pop()),
            _ => path.push(component.to_owned()),
        }
    }
    path
}
