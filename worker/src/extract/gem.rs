//! Ruby gems: the specifications that RubyGems and Bundler write where they install one.

mod literal;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, Gap, GapKind};
use lazaret::package::Package;
use lazaret::path::split;

use self::literal::{list, string};
use super::{ClaimedFile, Content, Extractor, control, licence};

/// Gems that `gem list` shows: `specifications/NAME-VERSION[-PLATFORM].gemspec` of a gem home, those that came with Ruby
/// in `specifications/default`, and what Bundler took from a repository, `bundler/gems/NAME-REVISION`.
///
/// A specification is a Ruby program, which is never run. What is read is the form that RubyGems writes
/// (<https://github.com/ruby/rubygems/blob/master/lib/rubygems/specification.rb>, `to_ruby`): a `# stub:` line, which is all
/// that RubyGems itself looks at for a list, and plain assignments, one a line. Anything else is a gap.
pub(crate) static RUBY_GEM: Extractor = Extractor {
    name: "ruby-gem",
    version: 2,
    claims,
    // It lists the gem's files where the gem came with Ruby; nothing in earnest comes near this.
    content: Content::Whole(4 << 20),
    companions: &[],
    yields: &[Ecosystem::Gem],
    form: "specifications in gem homes, default gems, Bundler's checkouts",
    extract,
};

fn claims(path: &[u8]) -> bool {
    path.ends_with(b".gemspec") && (is_in_home(path) || is_in_checkout(path))
}

fn is_in_home(path: &[u8]) -> bool {
    let (directory, file) = split(path);
    let home = directory.strip_suffix(b"/default").unwrap_or(directory);
    file != b".gemspec" && split(home).1 == b"specifications"
}

/// Where Bundler rewrites the specifications of a repository: in it, and one directory below.
fn is_in_checkout(path: &[u8]) -> bool {
    let is_checkouts =
        |path: &[u8]| path.strip_suffix(b"bundler/gems").is_some_and(|r| r.is_empty() || r.ends_with(b"/"));
    let above = split(split(path).0).0;
    is_checkouts(above) || is_checkouts(split(above).0)
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let specification = Specification::read(file.content);
    let gap = |reason: &str| file.gap(GapKind::Malformed, reason);
    let unreadable = |gap: Gap| Facts { gaps: vec![gap], ..Facts::default() };
    let (Some(name), Some(version)) = (&specification.name, &specification.version) else {
        let reason = "gem specification that does not plainly say its name and version";
        return unreadable(file.gap(GapKind::Unsupported, reason));
    };
    if !is_name(name) || !is_version(version) || !specification.platform.as_deref().is_none_or(is_name) {
        return unreadable(gap("gem specification with an invalid name, version or platform"));
    }
    let mut package = Package::new(Ecosystem::Gem, name, version);
    package.licence = licence::declared(&specification.licences.join(", "));
    package.registry = (!is_in_home(file.path.as_bytes())).then(|| "git".to_owned());
    let platform = specification.platform.filter(|platform| platform != "ruby");
    package.qualifiers.extend(platform.map(|platform| ("platform".to_owned(), platform)));
    let gaps = if specification.is_whole { Vec::new() } else { vec![gap("gem specification that is cut off")] };
    Facts { packages: vec![package], gaps, ..Facts::default() }
}

/// What a specification says, as far as it says it plainly.
#[derive(Default)]
struct Specification {
    name: Option<String>,
    version: Option<String>,
    platform: Option<String>,
    licences: Vec<String>,
    /// Its last line is the `end` of its block.
    is_whole: bool,
}

/// Licences of a gem that are kept.
const MAX_LICENCES: usize = 16;

impl Specification {
    fn read(content: &[u8]) -> Self {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let mut specification = Self::default();
        let stub = control::lines(content).take(2).find_map(|line| line.strip_prefix(b"# stub: "));
        // Of the last line it is not known whether it is whole.
        let stub = stub.filter(|stub| !content.ends_with(stub)).and_then(stub_of);
        for line in control::lines(content) {
            if !line.is_empty() {
                specification.is_whole = line == b"end";
            }
            if let Some((attribute, value)) = assignment(line) {
                specification.keep(attribute, value);
            }
        }
        if let Some([name, version, platform]) = stub {
            specification.name = Some(name);
            specification.version = Some(version);
            specification.platform = Some(platform);
        } else if !specification.is_whole {
            // A later assignment may have been cut off.
            (specification.name, specification.version) = (None, None);
        }
        specification
    }

    /// Takes a value that is a literal; one that would have to be computed leaves nothing, as Ruby would overwrite too.
    fn keep(&mut self, attribute: &[u8], value: &[u8]) {
        let slot = match attribute {
            b"name" => &mut self.name,
            b"version" => &mut self.version,
            b"platform" => &mut self.platform,
            b"licenses" => {
                self.licences = list(value, MAX_LICENCES).unwrap_or_default();
                return;
            }
            b"license" => {
                self.licences = string(value).into_iter().collect();
                return;
            }
            _ => return,
        };
        *slot = string(value);
    }
}

/// `NAME VERSION PLATFORM PATHS` of a stub line. One without a version is no list entry for RubyGems either.
fn stub_of(line: &[u8]) -> Option<[String; 3]> {
    let mut words = line.split(|&b| b == b' ').filter(|word| !word.is_empty());
    let mut word = || words.next().and_then(control::value);
    let stub = [word()?, word()?, word()?];
    words.next().map(|_| stub)
}

/// `  s.attribute = value`, of any variable.
fn assignment(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii();
    let dot = line.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'))?;
    let rest = line.get(dot..)?.strip_prefix(b".")?;
    let end = rest.iter().position(|b| !(b.is_ascii_lowercase() || *b == b'_'))?;
    let (attribute, rest) = rest.split_at(end);
    let value = rest.trim_ascii_start().strip_prefix(b"=")?;
    (dot > 0).then_some((attribute, value.trim_ascii_start()))
}

/// RubyGems lets a name have letters, digits, `.`, `-` and `_`.
fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    !name.is_empty() && name.len() <= 256 && name.bytes().all(allowed)
}

fn is_version(version: &str) -> bool {
    version.starts_with(|c: char| c.is_ascii_digit()) && is_name(version)
}

#[cfg(test)]
mod tests;
