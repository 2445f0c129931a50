//! `WWW-Authenticate`: what a registry asks for before it answers. RFC 9110, section 11.6.1; distribution token
//! specification, "Requesting a Token".

use reqwest::header::HeaderMap;

/// One way in that we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password.
    Basic,
    /// A token, to be fetched at `realm`.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// The challenges of an answer, in its order; unknown schemes and malformed ones are left out. At most 8 headers of at
/// most 4 KiB are looked at.
pub(super) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    headers
        .get_all("www-authenticate")
        .iter()
        .take(8)
        .filter(|value| value.len() <= 4096)
        .filter_map(|value| value.to_str().ok())
        .flat_map(parse)
        .collect()
}

/// Reads a list of challenges. A word that is followed by no `=` opens one; what follows are its parameters.
fn parse(mut rest: &str) -> Vec<Challenge> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            break;
        }
        let spaceless = after.trim_start_matches([' ', '\t']);
        match spaceless.strip_prefix('=') {
            Some(value) => {
                let (value, after) = parameter(value.trim_start_matches([' ', '\t']));
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((word.to_ascii_lowercase(), value));
                }
                rest = after;
            }
            None => {
                found.push((word.to_ascii_lowercase(), Vec::new()));
                rest = after;
            }
        }
    }
    found.into_iter().filter_map(|(scheme, parameters)| known(&scheme, &parameters)).collect()
}

fn known(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let value = |key: &str| parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => {
            Some(Challenge::Bearer { realm: value("realm")?, service: value("service"), scope: value("scope") })
        }
        _ => None,
    }
}

/// A value, quoted or bare, and what comes after it.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// RFC 9110, section 5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.into(), service: service.map(Into::into), scope: scope.map(Into::into) }
    }

    #[test]
    fn reads_what_registries_send() {
        assert_eq!(
            parse(
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull""#
            ),
            [bearer("https://auth.docker.io/token", Some("registry.docker.io"), Some("repository:a/b:pull"))]
        );
        assert_eq!(parse(r#"Basic realm="Registry Realm""#), [Challenge::Basic]);
        assert_eq!(parse("basic"), [Challenge::Basic]);
        assert_eq!(
            parse(r#"BEARER realm = "https://x/t" , error="invalid_token""#),
            [bearer("https://x/t", None, None)]
        );
        assert_eq!(parse("Bearer realm=https://x/t,service=s"), [bearer("https://x/t", Some("s"), None)]);
        assert_eq!(
            parse(r#"Negotiate, Digest realm="a", Basic realm="b, c", Bearer realm="https://\"x\"/""#),
            [Challenge::Basic, bearer("https://\"x\"/", None, None)]
        );
    }

    #[test]
    fn nonsense_is_no_challenge() {
        for text in
            ["", ",,,", "=", "\"", "Bearer", "Bearer service=\"x\"", "Bearer realm", "realm=\"x\"", "Bearer \"a"]
        {
            assert_eq!(parse(text), [], "{text}");
        }
    }
}
