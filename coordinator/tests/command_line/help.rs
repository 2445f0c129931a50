//! The help of every command is a committed file; `LAZARET_BLESS=1` writes the files anew.

use std::fs;
use std::path::Path;

use super::place::{Place, files};

fn snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/help").join(name);
    // Where clap ends a line with blanks, an editor would remove them.
    let text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    if std::env::var_os("LAZARET_BLESS").is_some() {
        fs::write(path, text).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name} differs; LAZARET_BLESS=1 writes it anew");
}

fn file_name(command: &[&str]) -> String {
    format!("{}.txt", [&["lazaret"], command].concat().join("-"))
}

/// The commands are those that help lists, so that none is forgotten; a file without a command is one too many.
#[test]
fn help_is_what_was_committed() {
    let place = Place::new();
    snapshot("lazaret-scan-short.txt", &place.run(&["scan", "-h"]).expect(0).stdout);
    let mut names = vec!["lazaret-scan-short.txt".to_owned()];
    let mut todo: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(command) = todo.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let ran = place.run(&[&words[..], &["--help"]].concat()).expect(0);
        assert_eq!(ran.stderr, "");
        snapshot(&file_name(&words), &ran.stdout);
        names.push(file_name(&words));
        let listed = ran.stdout.lines().skip_while(|line| *line != "Commands:").skip(1);
        let listed = listed.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("    "));
        let below = listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        todo.extend(below.map(|name| [&command[..], &[name.to_owned()]].concat()));
    }
    names.sort();
    assert!(names.len() > 11, "{names:?}");
    assert_eq!(files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/help")), names);
}

#[test]
fn without_a_command_help_is_an_error() {
    let ran = Place::new().run(&[]).expect(2);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("Usage: lazaret <COMMAND>"), "{}", ran.stderr);
}
