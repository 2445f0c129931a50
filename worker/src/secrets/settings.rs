//! Which files hold settings, in which a name alone may tell that its value is a secret.

/// Whether a file of this name holds settings of a program, and no program or prose.
pub(super) fn is_settings(path: &[u8]) -> bool {
    let (_, name) = lazaret::path::split(path);
    let name = name.to_ascii_lowercase();
    let ending = name.iter().rposition(|&b| b == b'.').and_then(|at| name.get(at + 1..));
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
        || name.starts_with(b".env")
        || name.starts_with(b"dockerfile")
}

const ENDINGS: [&[u8]; 13] = [
    b"env",
    b"yml",
    b"yaml",
    b"properties",
    b"ini",
    b"conf",
    b"cfg",
    b"cnf",
    b"config",
    b"toml",
    b"tfvars",
    b"tfstate",
    b"hcl",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_told_by_their_names() {
        for path in ["app/.env", "app/.env.production", "a/Config.YML", "etc/x.conf", "Dockerfile.dev"] {
            assert!(is_settings(path.as_bytes()), "{path}");
        }
        for path in ["app/main.py", "README.md", "bin/env", "a.yml/b", ""] {
            assert!(!is_settings(path.as_bytes()), "{path}");
        }
    }
}
