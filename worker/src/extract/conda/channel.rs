//! Where a conda package came from, as its channel: by name where conda has one for it, else by its address.

/// A channel.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Channel {
    /// `conda-forge`, `pkgs/main`, or the address.
    pub(super) name: String,
    /// What it is if it is no public channel.
    pub(super) registry: Option<&'static str>,
}

/// Servers of public channels: what follows is the channel's name.
const PUBLIC: [&str; 3] = ["conda.anaconda.org", "repo.anaconda.com", "repo.continuum.io"];

/// Reads what a record says: a name, or an address that ends in the `subdir` or does not. Tokens and passwords in it are
/// dropped: nothing may show them.
pub(super) fn read(channel: &str, subdir: Option<&str>) -> Option<Channel> {
    let channel = channel.trim_end_matches('/');
    if channel.is_empty() || channel.starts_with('<') {
        return None;
    }
    let without_subdir = subdir.and_then(|subdir| channel.strip_suffix(subdir)?.strip_suffix('/'));
    let channel = without_subdir.unwrap_or(channel);
    let Some((scheme, rest)) = channel.split_once("://") else {
        return Some(Channel { name: channel.to_owned(), registry: None });
    };
    if scheme == "file" {
        return Some(Channel { name: channel.to_owned(), registry: Some("local") });
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_token = path.strip_prefix("t/");
    let path = is_token.map_or(path, |rest| rest.split_once('/').map_or("", |(_token, path)| path));
    if PUBLIC.contains(&host) && !path.is_empty() {
        return Some(Channel { name: path.to_owned(), registry: None });
    }
    let name = format!("{scheme}://{host}/{path}");
    Some(Channel { name: name.trim_end_matches('/').to_owned(), registry: Some("registry") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_channels_have_names_and_others_addresses_without_secrets() {
        for (channel, name, registry) in [
            ("https://conda.anaconda.org/conda-forge/linux-64", "conda-forge", None),
            ("https://conda.anaconda.org/conda-forge", "conda-forge", None),
            ("https://repo.anaconda.com/pkgs/main/linux-64/", "pkgs/main", None),
            ("pkgs/main", "pkgs/main", None),
            ("conda-forge/linux-64", "conda-forge", None),
            ("https://conda.anaconda.org/t/se-cret/mine/linux-64", "mine", None),
            ("https://u:p@conda.example/get/mine/linux-64", "https://conda.example/get/mine", Some("registry")),
            ("https://conda.example/t/se-cret/mine?x=y", "https://conda.example/mine", Some("registry")),
            ("file:///home/a/channel", "file:///home/a/channel", Some("local")),
        ] {
            let found = read(channel, Some("linux-64"));
            assert_eq!(found, Some(Channel { name: name.to_owned(), registry }), "{channel}");
        }
        assert_eq!(read("<unknown>", None), None);
        assert_eq!(read("", None), None);
    }
}
