//! Short words for the content of files: what a package database or a manifest needs, in one line of a test.

/// The bytes that `content` stands for. `apk`, `deb`, `npm`, `python` and `os`, followed by `name=version` words, make a file
/// of that form; a word `@path` after an apk package is a file that it owns. `owns` makes a list of paths as dpkg writes
/// it, `sums` one with checksums. Anything else stands for itself.
pub fn bytes(content: &str) -> Vec<u8> {
    let (form, rest) = content.split_once(' ').unwrap_or((content, ""));
    let mut out = String::new();
    for word in rest.split(' ').filter(|word| !word.is_empty()) {
        let (name, version) = word.split_once('=').unwrap_or((word, "1"));
        match (form, word.strip_prefix('@').and_then(|path| path.rsplit_once('/'))) {
            ("apk", Some((directory, file))) => out += &format!("F:{directory}\nR:{file}\n"),
            ("apk", None) => out += &format!("\nP:{name}\nV:{version}\nA:x86_64\n"),
            ("deb", _) => out += &format!("Package: {name}\nArchitecture: amd64\nVersion: {version}\n\n"),
            ("npm", _) => out += &format!(r#"{{"name":"{name}","version":"{version}"}}"#),
            ("python", _) => out += &format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"),
            ("os", _) => out += &format!("ID={name}\nVERSION_ID={version}\n"),
            ("owns", _) => out += &format!("/{word}\n"),
            ("sums", _) => out += &format!("d41d8cd98f00b204e9800998ecf8427e  {word}\n"),
            _ => return content.as_bytes().to_vec(),
        }
    }
    out.into_bytes()
}
