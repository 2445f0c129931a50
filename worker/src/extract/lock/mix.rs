//! Elixir: `mix.lock` (<https://hexdocs.pm/mix/Mix.Tasks.Deps.html>), a map of tuples.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::{Found, read};
use super::place::is_named;
use super::term::{Token, tokens};
use super::{ClaimedFile, Extractor, WHOLE};

/// The packages of Hex: `"key": {:hex, :name, "version", "hash", [managers], [dependencies], "repository", "hash"}`. Those
/// of git are locked by a commit and have no version there.
pub(crate) static MIX: Extractor = Extractor {
    name: "lock-mix",
    version: 1,
    claims: |path| is_named(path, &["mix.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Hex],
    form: "`mix.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut fields = Fields::default();
        for token in tokens(text) {
            let (depth, token) = token?;
            match (depth, token) {
                // One of the map's tuples closes.
                (1, Token::Close) => std::mem::take(&mut fields).take(found),
                (2, Token::Text(field) | Token::Word(field)) => fields.push(field),
                _ => {}
            }
        }
        Ok(())
    })
}

/// The first fields of a tuple that are no lists.
#[derive(Default)]
struct Fields<'a> {
    first: [&'a str; 5],
    count: usize,
}

impl<'a> Fields<'a> {
    fn push(&mut self, field: &'a str) {
        if let Some(place) = self.first.get_mut(self.count) {
            *place = field;
        }
        self.count += 1;
    }

    fn take(self, found: &mut Found) {
        let [kind, name, version, _, repository] = self.first;
        if kind == "hex" {
            // Old locks do not name the repository.
            let registry = if matches!(repository, "hexpm" | "") { None } else { Some("registry") };
            found.add(Ecosystem::Hex, name, version, registry);
        } else if !matches!(kind, "git" | "path") {
            found.invalid();
        }
    }
}
