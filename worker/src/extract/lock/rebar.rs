//! Erlang: `rebar.lock` (<https://rebar3.org/docs/configuration/dependencies/#lock-files>), a list of tuples.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::read;
use super::place::is_named;
use super::term::{Token, tokens};
use super::{ClaimedFile, Extractor, WHOLE};

/// The packages of Hex: `{<<"key">>,{pkg,<<"name">>,<<"version">>},level}`. Those of git have no version there.
pub(crate) static REBAR: Extractor = Extractor {
    name: "lock-rebar",
    version: 1,
    claims: |path| is_named(path, &["rebar.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Hex],
    form: "`rebar.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        // What the innermost open tuple of a package has so far: nothing, or `pkg`, its name and its version.
        let (mut is_package, mut name, mut is_taken) = (false, None, false);
        for token in tokens(text) {
            match token?.1 {
                Token::Open | Token::Close => {
                    if is_package && !is_taken {
                        found.invalid();
                    }
                    (is_package, name, is_taken) = (false, None, false);
                }
                Token::Word("pkg") => is_package = true,
                Token::Text(text) if is_package && !is_taken => match name {
                    None => name = Some(text),
                    Some(name) => {
                        found.add(Ecosystem::Hex, name, text, None);
                        is_taken = true;
                    }
                },
                Token::Text(_) | Token::Word(_) => {}
            }
        }
        Ok(())
    })
}
