//! `META-INF/MANIFEST.MF`: the main attributes that may tell what an archive is.

use lazaret::text::from_bytes;

/// The main attributes (JAR File Specification, "JAR Manifest"; OSGi Core, "Bundle Manifest Headers") that are read,
/// each as it is last written, as `java.util.jar.Attributes` keeps it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    values: [Option<String>; NAMES.len()],
}

/// The attributes that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    ImplementationTitle,
    ImplementationVersion,
    ImplementationVendorId,
    SpecificationTitle,
    SpecificationVersion,
    BundleSymbolicName,
    BundleVersion,
    BundleLicense,
    /// Spring Boot's applications.
    StartClass,
    /// Jenkins' plug-ins.
    GroupId,
    ArtifactId,
    ShortName,
    PluginVersion,
    /// NiFi's archives.
    NarGroup,
    NarId,
    NarVersion,
}

const NAMES: [(&str, Attribute); 16] = [
    ("Implementation-Title", Attribute::ImplementationTitle),
    ("Implementation-Version", Attribute::ImplementationVersion),
    ("Implementation-Vendor-Id", Attribute::ImplementationVendorId),
    ("Specification-Title", Attribute::SpecificationTitle),
    ("Specification-Version", Attribute::SpecificationVersion),
    ("Bundle-SymbolicName", Attribute::BundleSymbolicName),
    ("Bundle-Version", Attribute::BundleVersion),
    ("Bundle-License", Attribute::BundleLicense),
    ("Start-Class", Attribute::StartClass),
    ("Group-Id", Attribute::GroupId),
    ("Artifact-Id", Attribute::ArtifactId),
    ("Short-Name", Attribute::ShortName),
    ("Plugin-Version", Attribute::PluginVersion),
    ("Nar-Group", Attribute::NarGroup),
    ("Nar-Id", Attribute::NarId),
    ("Nar-Version", Attribute::NarVersion),
];

/// The longest value that is kept; a list of licences is longer than any other that is read.
const MAX_VALUE: usize = 4096;

impl Manifest {
    /// Reads the main section; the sections of single files, which a signature writes by the thousand, are passed over.
    pub(super) fn read(content: &[u8]) -> Self {
        let mut manifest = Self::default();
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let mut field: Option<(usize, Vec<u8>)> = None;
        for line in Lines(content) {
            if let Some(folded) = line.strip_prefix(b" ") {
                if let Some((_, value)) = field.as_mut().filter(|(_, value)| value.len() <= MAX_VALUE) {
                    value.extend_from_slice(folded);
                }
                continue;
            }
            manifest.keep(field.take());
            if line.is_empty() {
                return manifest;
            }
            field = memchr::memchr(b':', line).and_then(|colon| {
                let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii_start());
                let index = NAMES.iter().position(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))?;
                Some((index, value.to_vec()))
            });
        }
        manifest.keep(field);
        manifest
    }

    fn keep(&mut self, field: Option<(usize, Vec<u8>)>) {
        if let Some((index, value)) = field
            && value.len() <= MAX_VALUE
        {
            let value = from_bytes(value.trim_ascii()).into_owned();
            self.values[index] = Some(value).filter(|value| !value.is_empty());
        }
    }

    /// An attribute; none where it is missing, empty, or a placeholder that no build filled in.
    pub(super) fn get(&self, attribute: Attribute) -> Option<&str> {
        let index = NAMES.iter().position(|(_, known)| *known == attribute)?;
        self.values[index].as_deref().filter(|value| !value.contains("${") && !value.starts_with('@'))
    }

    /// An attribute without the directives that OSGi writes behind a semicolon.
    pub(super) fn bare(&self, attribute: Attribute) -> Option<&str> {
        self.get(attribute).and_then(|value| value.split(';').next()).map(str::trim).filter(|value| !value.is_empty())
    }
}

/// Lines without their ends, which may be CR LF, LF or CR.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\r', b'\n', self.0).unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_main_section_only() {
        let manifest = Manifest::read(
            b"Manifest-Version: 1.0\r\nimplementation-title: a long\r\n  title\r\nBundle-SymbolicName: org.x;singlet\r\n \
              on:=true\r\nImplementation-Version: ${v}\r\n\r\nName: a\r\nSpecification-Title: of a file\r\n",
        );
        assert_eq!(manifest.get(Attribute::ImplementationTitle), Some("a long title"));
        assert_eq!(manifest.bare(Attribute::BundleSymbolicName), Some("org.x"));
        assert_eq!(manifest.get(Attribute::ImplementationVersion), None);
        assert_eq!(manifest.get(Attribute::SpecificationTitle), None);
    }

    #[test]
    fn any_line_end_and_the_last_value() {
        for end in ["\n", "\r", "\r\n"] {
            let text = ["Bundle-Version: 1", "Bundle-Version: 2", "Nar-Id:", " x"].join(end);
            let manifest = Manifest::read(text.as_bytes());
            assert_eq!(manifest.get(Attribute::BundleVersion), Some("2"), "{end:?}");
            assert_eq!(manifest.get(Attribute::NarId), Some("x"), "{end:?}");
        }
    }

    #[test]
    fn hostile_bytes_cost_their_own_size() {
        let folded = [b"Bundle-License: ".to_vec(), b"\n x".repeat(1 << 20)].concat();
        assert_eq!(Manifest::read(&folded).get(Attribute::BundleLicense), None);
        assert_eq!(Manifest::read(&b": \n".repeat(1 << 20)), Manifest::default());
        assert_eq!(Manifest::read(&b"Nar-Id: \xff\n"[..]).get(Attribute::NarId), Some("\\xff"));
    }
}
