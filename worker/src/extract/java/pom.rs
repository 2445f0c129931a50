//! `pom.xml`: what `pom.properties` leaves out, or all of it where there is none.

use lazaret::text::from_bytes;

use super::properties::{Stated, filled_in};

/// What a project says of itself. Group and version are the parent's where it has none of its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) stated: Stated,
    /// The names of its licences.
    pub(super) licences: Vec<String>,
}

/// Licences that are kept of one project.
const MAX_LICENCES: usize = 8;
/// The depth to which element names are told apart: `project/licenses/license/name`.
const MAX_DEPTH: usize = 4;

/// Reads the elements that count (Maven's model, maven-4.0.0.xsd) without understanding the rest: no entity but the five of
/// XML itself, no document type, no namespace prefix.
pub(super) fn read(content: &[u8]) -> Project {
    let mut project = Project::default();
    let mut parent = Stated::default();
    // Names of the open elements; deeper ones are only counted.
    let mut path: Vec<&[u8]> = Vec::with_capacity(MAX_DEPTH);
    let mut depth = 0usize;
    let mut rest = content;
    while let Some(open) = memchr::memchr(b'<', rest) {
        let text = &rest[..open];
        let Some((tag, after)) = tag(&rest[open..]) else { break };
        rest = after;
        match tag {
            Tag::Open(name) => {
                depth += 1;
                if depth <= MAX_DEPTH {
                    path.push(name);
                }
            }
            Tag::Close => {
                if depth == path.len() {
                    keep(&path, text, &mut project, &mut parent);
                    path.pop();
                }
                depth = depth.saturating_sub(1);
            }
            Tag::Other => {}
        }
    }
    project.stated.group = project.stated.group.or(parent.group);
    project.stated.version = project.stated.version.or(parent.version);
    project
}

fn keep(path: &[&[u8]], text: &[u8], project: &mut Project, parent: &mut Stated) {
    let field = match path {
        [b"project", b"groupId"] => &mut project.stated.group,
        [b"project", b"artifactId"] => &mut project.stated.artifact,
        [b"project", b"version"] => &mut project.stated.version,
        [b"project", b"parent", b"groupId"] => &mut parent.group,
        [b"project", b"parent", b"version"] => &mut parent.version,
        [b"project", b"licenses", b"license", b"name"] => {
            if project.licences.len() < MAX_LICENCES {
                project.licences.extend(filled_in(&plain(text)));
            }
            return;
        }
        _ => return,
    };
    *field = filled_in(&plain(text));
}

enum Tag<'a> {
    Open(&'a [u8]),
    Close,
    /// A comment, an instruction, an element without content.
    Other,
}

/// The tag that `text` begins with, and what follows it.
fn tag(text: &[u8]) -> Option<(Tag<'_>, &[u8])> {
    let until = |end: &[u8]| memchr::memmem::find(text, end).map(|at| &text[at + end.len()..]);
    if text.starts_with(b"<!--") {
        return Some((Tag::Other, until(b"-->")?));
    }
    if text.starts_with(b"<![CDATA[") {
        return Some((Tag::Other, until(b"]]>")?));
    }
    let close = memchr::memchr(b'>', text)?;
    let (inner, after) = (&text[1..close], &text[close + 1..]);
    let tag = match (inner.first(), inner.last()) {
        (Some(b'/'), _) => Tag::Close,
        (Some(b'?' | b'!'), _) | (_, Some(b'/')) | (None, _) => Tag::Other,
        _ => Tag::Open(inner.split(u8::is_ascii_whitespace).next().unwrap_or_default()),
    };
    Some((tag, after))
}

/// Character data as text.
fn plain(text: &[u8]) -> String {
    let text = from_bytes(text.trim_ascii());
    if !text.contains('&') {
        return text.into_owned();
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inherits_group_and_version() {
        let project = read(
            br#"<?xml version="1.0"?><!-- <project> > --><project xmlns="x">
              <parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version></parent>
              <artifactId> a </artifactId>
              <licenses><license><name>Apache &amp; so on</name></license><license><name>MIT</name><url>u</url></license></licenses>
              <dependencies><dependency><groupId>d</groupId><version>9</version></dependency></dependencies>
              <build/></project>"#,
        );
        let stated = Stated { group: Some("g".into()), artifact: Some("a".into()), version: Some("1".into()) };
        assert_eq!(project, Project { stated, licences: vec!["Apache & so on".into(), "MIT".into()] });
        assert_eq!(read(b"<project><version>${revision}</version></project>"), Project::default());
    }

    #[test]
    fn hostile_depth_and_length_are_linear() {
        for unit in ["<a>", "</a>", "<", "<!--", "<![CDATA[", "<a", "<license><name>x</name></license>"] {
            read(unit.repeat(1 << 18).as_bytes());
            read(format!("<project><licenses>{}", unit.repeat(1 << 18)).as_bytes());
        }
    }
}
