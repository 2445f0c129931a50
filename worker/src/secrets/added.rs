//! Rules of secrets that a user adds: files in the form of the built-in ones, checked as those are when they are read.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use lazaret::exposure::Severity;
use lazaret::rules::RuleSource;

use super::file::{self, RuleFile, RuleText};
use super::glance::Glance;
use super::rule::{Rule, Rules, compile, titled};
use super::search::Search;

/// The most rules that are added.
const MAX_RULES: usize = 10_000;

impl Rules {
    /// The built-in rules and those of `files`.
    ///
    /// # Errors
    /// Which rule of which file is wrong, and why.
    pub(crate) fn with(files: &[RuleSource]) -> Result<Self, String> {
        let mut all: Vec<(Rule, Vec<String>)> = Self::fixed().collect();
        let mut ids: BTreeSet<String> = all.iter().map(|(rule, _)| rule.id.to_string()).collect();
        let most = all.len() + MAX_RULES;
        let mut tests = Vec::new();
        for source in files {
            let read: RuleFile = toml::from_str(&source.text)
                .map_err(|error| format!("{}: {}", source.name, error.to_string().trim_end()))?;
            for mut text in read.rules {
                let name = format!("{}: the rule `{}`", source.name, text.id);
                if !ids.insert(text.id.clone()) {
                    return Err(format!("{name}: there is one of this id already; choose another"));
                }
                if all.len() == most {
                    return Err(format!("{name}: more than {MAX_RULES} rules are added"));
                }
                let keywords = std::mem::take(&mut text.keywords);
                tests.push(Tests {
                    id: text.id.clone(),
                    examples: std::mem::take(&mut text.examples),
                    counter_examples: std::mem::take(&mut text.counter_examples),
                    name: name.clone(),
                });
                let rule = rule(&read.vendor, read.generic, text, &keywords);
                all.push((rule.map_err(|error| format!("{name}: {error}"))?, keywords));
            }
        }
        let rules = Self::of(all.into_iter());
        tests.iter().try_for_each(|tests| tests.hold(&rules))?;
        Ok(rules)
    }
}

/// A rule as it is searched with, or what is wrong with it.
fn rule(vendor: &str, generic: bool, text: RuleText, keywords: &[String]) -> Result<Rule, String> {
    let hir = file::check(&text, keywords)?;
    compile(&text.pattern).map_err(|error| error.to_string())?;
    Ok(Rule {
        title: titled(vendor, &text.title),
        severity: severity(text.severity),
        rotate: text.rotate.into(),
        check: text.check,
        entropy: text.entropy.unwrap_or_default(),
        loose: text.loose,
        generic,
        reach: hir.properties().maximum_len().unwrap_or(usize::MAX),
        leads: file::leads(&hir, keywords),
        glance: Glance::default(),
        pattern: text.pattern.into(),
        compiled: OnceLock::new(),
        id: text.id.into(),
    })
}

fn severity(severity: file::Severity) -> Severity {
    match severity {
        file::Severity::Low => Severity::Low,
        file::Severity::Medium => Severity::Medium,
        file::Severity::High => Severity::High,
        file::Severity::Critical => Severity::Critical,
    }
}

/// What a rule says that it finds and does not find.
struct Tests {
    /// Of file and rule.
    name: String,
    id: String,
    examples: Vec<String>,
    counter_examples: Vec<String>,
}

impl Tests {
    fn hold(&self, rules: &Rules) -> Result<(), String> {
        let Self { name, id, examples, counter_examples } = self;
        let mut search = Search::default();
        let mut finds = |text: &String| {
            let (found, _) = search.run(rules, text.as_bytes(), true);
            found.iter().any(|found| found.rule.id == *id)
        };
        if let Some(missed) = examples.iter().position(|text| !finds(text)) {
            return Err(format!("{name} does not find its example {}", missed + 1));
        }
        match counter_examples.iter().position(finds) {
            Some(hit) => Err(format!("{name} finds its counter-example {}", hit + 1)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        vendor = "Example"
        [[rules]]
        id = "example-token"
        title = "token"
        severity = "high"
        keywords = ["exmpl_"]
        pattern = '\bexmpl_[0-9a-f]{16}\b'
        rotate = "the console"
        examples = ["key=exmpl_0123456789abcdef"]
        counter_examples = ["exmpl_0123"]
    "#;

    fn with(text: &str) -> Result<Rules, String> {
        Rules::with(&[RuleSource { name: "mine.toml".into(), text: text.into() }])
    }

    #[test]
    fn an_added_rule_finds_what_it_says() {
        let rules = with(GOOD).unwrap();
        let (found, _) = Search::default().run(&rules, b"x = exmpl_00ff00ff00ff00ff;", false);
        let [found] = &found[..] else { panic!("{}", found.len()) };
        assert_eq!((found.rule.id.as_ref(), found.rule.title.as_ref()), ("example-token", "Example: token"));
        assert_eq!(found.value, 4..26);
        assert_eq!(rules.rules.len(), Rules::built_in().rules.len() + 1, "the built-in ones stay");
    }

    #[test]
    fn a_wrong_rule_is_told_with_its_file() {
        for (from, to, said) in [
            ("title = \"token\"", "titel = 1", "mine.toml: "),
            ("example-token", "Example Token", "lower-case"),
            ("[\"exmpl_\"]", "[\"ex\"]", "each of 4 to 64 bytes"),
            ("{16}\\b", "+", "write `{1,200}`"),
            ("[0-9a-f]", "[0-9", "does not compile"),
            ("key=exmpl_", "key=exmpl-", "does not find its example 1"),
            ("\"exmpl_0123\"", "\"exmpl_0123456789abcdef\"", "finds its counter-example 1"),
            ("example-token", "github-app-installation-token", "already"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let error = with(&GOOD.replace(from, to)).err().unwrap_or_else(|| panic!("{to}"));
            assert!(error.contains("mine.toml") && error.contains(said), "{error}");
        }
        let twice = [GOOD, GOOD].map(|text| RuleSource { name: "mine.toml".into(), text: text.into() });
        assert!(Rules::with(&twice).is_err());
    }
}
