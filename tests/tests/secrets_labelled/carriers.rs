//! The texts that secrets are in: files of settings, programs, build files, logs, in several encodings.

/// A file with one secret.
pub struct Carried {
    pub path: &'static str,
    pub bytes: Vec<u8>,
    /// The first and the last line that the secret may begin in.
    pub lines: (u64, u64),
}

/// A name and a value as some kind of file has them; the lines before are its own.
pub type Carry = fn(&str, &str) -> (&'static str, String, String);

/// What is called by a name: kind of file, and how a name and a value are written there.
pub const SETTINGS: [(&str, Carry); 18] = [
    (".env", |name, value| ("srv/app/.env", "PORT=8080\n# set by the pipeline\n".into(), format!("{name}={value}"))),
    ("shell", |name, value| ("srv/run.sh", "#!/bin/sh\nset -eu\n\n".into(), format!("export {name}='{value}'"))),
    ("Dockerfile", |name, value| ("srv/Dockerfile", "FROM debian:12\n".into(), format!("ENV {name}={value}"))),
    ("compose", |name, value| {
        ("srv/compose.yml", "services:\n  app:\n    environment:\n".into(), format!("      - {name}={value}"))
    }),
    ("systemd", |name, value| {
        ("etc/systemd/system/app.service", "[Service]\nUser=app\n".into(), format!("Environment=\"{name}={value}\""))
    }),
    ("YAML", |name, value| ("srv/values.yaml", "app:\n  port: 8080\n".into(), format!("  {}: {value}", snake(name)))),
    ("YAML, quoted", |name, value| {
        ("srv/values.yaml", "app:\n  port: 8080\n".into(), format!("  {}: \"{value}\"", snake(name)))
    }),
    ("Kubernetes", |name, value| {
        (
            "srv/deploy.yaml",
            "spec:\n  containers:\n  - env:\n".into(),
            format!("    - name: {name}\n      value: \"{value}\""),
        )
    }),
    ("JSON", |name, value| {
        ("srv/config.json", "{\n  \"port\": 8080,\n".into(), format!("  \"{}\": \"{value}\",", camel(name)))
    }),
    ("JSON, environment", |name, value| {
        ("srv/task.json", "{\n  \"environment\": {\n".into(), format!("    \"{name}\": \"{value}\""))
    }),
    ("INI", |name, value| ("etc/app.ini", "[app]\nport = 8080\n".into(), format!("{} = {value}", snake(name)))),
    ("properties", |name, value| {
        ("srv/app.properties", "server.port=8080\n".into(), format!("{}={value}", snake(name).replace('_', ".")))
    }),
    ("Terraform", |name, value| {
        ("srv/terraform.tfvars", "region = \"eu\"\n".into(), format!("{} = \"{value}\"", snake(name)))
    }),
    ("Python", |name, value| {
        ("srv/settings.py", "import os\n\nDEBUG = False\n".into(), format!("{name} = \"{value}\""))
    }),
    ("JavaScript", |name, value| {
        ("srv/config.js", "module.exports = {\n  port: 8080,\n".into(), format!("  {}: '{value}',", camel(name)))
    }),
    ("minified", |name, value| {
        (
            "srv/main.min.js",
            String::new(),
            format!(
                "{}{}:\"{value}\"{}",
                "!function(e){var t={a:1},".repeat(900),
                camel(name),
                ",b:2}}(window);".repeat(900)
            ),
        )
    }),
    ("log", |name, value| {
        (
            "var/log/app.log",
            "2024-05-01T10:00:00Z INFO start\n".into(),
            format!("2024-05-01T10:00:01Z DEBUG env {name}={value} pid=7"),
        )
    }),
    ("Go", |name, value| {
        ("srv/main.go", "package main\n\nconst (\n".into(), format!("\t{} = \"{value}\"", camel(name)))
    }),
];

/// What is told by itself: kind of file, and how a value is written there without a name that would tell.
pub const VALUES: [(&str, Carry); 6] = [
    ("argument", |_, value| {
        (
            "srv/client.ts",
            "import { Client } from \"./client\";\n".into(),
            format!("const client = new Client(\"{value}\");"),
        )
    }),
    ("list", |_, value| ("srv/list.json", "[\n  1,\n".into(), format!("  \"{value}\","))),
    ("header", |_, value| ("srv/request.http", "GET /v1/me HTTP/1.1\n".into(), format!("X-Api-Key: {value}"))),
    ("command", |_, value| ("srv/login.sh", "#!/bin/sh\n".into(), format!("tool login --with {value} --quiet"))),
    ("markup", |_, value| ("srv/settings.xml", "<settings>\n".into(), format!("  <value>{value}</value>"))),
    ("SQL", |_, value| ("srv/dump.sql", "BEGIN;\n".into(), format!("INSERT INTO keys VALUES (7, '{value}');"))),
];

/// What stands as it is documented, in files of several kinds.
pub const TEXTS: [(&str, Carry); 3] = [
    ("a file of its own", |_, text| ("srv/file.conf", String::new(), text.into())),
    ("among other lines", |_, text| ("srv/notes.txt", "Some notes.\n\nAs it was set up:\n".into(), text.into())),
    ("behind half a megabyte", |_, text| {
        ("srv/long.txt", "A line like any other, again and again.\n".repeat(14_000), text.into())
    }),
];

/// The bytes of a text.
type Encode = fn(&str) -> Vec<u8>;

/// How a file is written.
pub const ENCODINGS: [(&str, Encode); 3] = [
    ("UTF-8", |text| text.into()),
    ("CRLF", |text| text.replace('\n', "\r\n").into()),
    ("UTF-16", |text| [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()),
];

/// The file that `carry` makes of a name and a value, encoded.
pub fn carried(carry: Carry, encode: Encode, name: &str, value: &str) -> Carried {
    let (path, before, line) = carry(name, value);
    let first = 1 + before.matches('\n').count() as u64;
    let last = first + line.matches('\n').count() as u64;
    Carried { path, bytes: encode(&format!("{before}{line}\n")), lines: (first, last) }
}

/// Name and value of a text that is nothing else.
pub fn setting(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end_matches(['\n', ',']).trim_start_matches("export ");
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let start = text.trim_start_matches('"');
    let (name, rest) = start.split_at(start.find(|c| !is_name(c))?);
    let rest = rest.trim_start_matches('"').trim_start();
    let value = rest.strip_prefix(['=', ':'])?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let value = match quote {
        Some(quote) => value.strip_prefix(quote)?.strip_suffix(quote)?,
        None => value,
    };
    let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | '`');
    (!name.is_empty() && value.len() >= 8 && value.chars().all(is_plain)).then_some((name, value))
}

/// `API_KEY` and `apiKey` as `api_key`.
fn snake(name: &str) -> String {
    let is_lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && snake.ends_with(is_lower) && name.contains(|c: char| c.is_ascii_lowercase()) {
            snake.push('_');
        }
        snake.push(if matches!(c, '-' | '.') { '_' } else { c.to_ascii_lowercase() });
    }
    snake
}

/// `API_KEY` and `api-key` as `apiKey`.
fn camel(name: &str) -> String {
    let mut parts = snake(name).split('_').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    for part in parts.iter_mut().skip(1) {
        part[..1].make_ascii_uppercase();
    }
    parts.concat()
}
