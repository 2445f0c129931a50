//! The files of an rpm package that other extractors would claim.

use std::borrow::Cow;

use lazaret::path::LayerPath;

use super::flaw::Flaw;
use super::header::{Header, Numbers, Tag};

/// Linux allows no longer path.
const MAX_PATH: usize = 4096;
/// `RPMFILE_GHOST`: the package knows the file but does not bring it; so rpm lists its own database.
const GHOST: u32 = 1 << 6;

/// Those paths of the package that `claims` names. `budget` counts down the bytes of all paths looked at, since a few
/// bytes of index can name a long directory many times.
pub(super) fn claimed_files(
    header: &Header<'_, '_>,
    claims: &dyn Fn(&[u8]) -> bool,
    budget: &mut u64,
) -> Result<Vec<LayerPath>, Flaw> {
    let flags = header.numbers(Tag::FileFlags)?;
    let mut claimed = Vec::new();
    let mut look = |index: usize, path: &[u8]| {
        *budget = budget.checked_sub(path.len() as u64).ok_or(Flaw::FileLists)?;
        if claims(path) && !is_ghost(flags.as_ref(), index) {
            claimed.push(LayerPath::from_entry(path));
        }
        Ok(())
    };
    if let (Some(names), Some(directory_of)) = (header.texts(Tag::BaseNames)?, header.numbers(Tag::DirIndexes)?) {
        let directories = Directories::of(header, directory_of.len())?;
        let mut path = Vec::new();
        let mut current = None;
        let mut directory_len = 0;
        for (index, name) in names.enumerate() {
            let (_, name) = name?;
            let directory = directory_of.get(index).ok_or_else(malformed)?;
            if current != Some(directory) {
                path.clear();
                path.extend_from_slice(relative(&directories.get(header, directory)?));
                (current, directory_len) = (Some(directory), path.len());
            }
            path.truncate(directory_len);
            path.extend_from_slice(&name);
            if path.len() <= MAX_PATH {
                look(index, &path)?;
            }
        }
    } else if let Some(paths) = header.texts(Tag::OldFileNames)? {
        for (index, path) in paths.enumerate() {
            look(index, relative(&path?.1))?;
        }
    }
    Ok(claimed)
}

fn malformed() -> Flaw {
    Flaw::Tag("file list")
}

fn is_ghost(flags: Option<&Numbers<'_>>, index: usize) -> bool {
    flags.and_then(|flags| flags.get(index)).is_some_and(|flags| flags & GHOST != 0)
}

fn relative(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"/").unwrap_or(path)
}

/// Where the name of each directory starts.
struct Directories(Vec<usize>);

impl Directories {
    /// At most `files` of them: no package has more directories than files in them.
    fn of(header: &Header<'_, '_>, files: usize) -> Result<Self, Flaw> {
        let names = header.texts(Tag::DirNames)?.ok_or_else(malformed)?;
        names.take(files).map(|name| Ok(name?.0)).collect::<Result<_, Flaw>>().map(Self)
    }

    fn get<'a>(&self, header: &Header<'a, '_>, index: u32) -> Result<Cow<'a, [u8]>, Flaw> {
        let name = self.0.get(index as usize).and_then(|&at| header.string_at(at)).ok_or_else(malformed)?;
        if name.len() > MAX_PATH { Err(malformed()) } else { Ok(name) }
    }
}
