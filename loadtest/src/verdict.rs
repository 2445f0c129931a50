//! What a scenario measured, held against what was promised.

use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// What was promised; empty for a figure that nothing was promised about.
    pub target: String,
    /// What came out.
    pub measured: String,
    /// Whether the promise was kept.
    pub holds: bool,
}

/// The outcome of a scenario.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Everything that was looked at, in order.
    pub checks: Vec<Check>,
}

impl Verdict {
    /// Whether every promise was kept. A scenario that looked at nothing kept none.
    pub fn holds(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.holds)
    }

    /// Says what was measured, and whether it is what was promised.
    pub fn check(&mut self, name: &str, target: impl Display, measured: impl Display, holds: bool) {
        let (target, measured) = (target.to_string(), measured.to_string());
        self.checks.push(Check { name: name.to_owned(), target, measured, holds });
    }

    /// A figure that has to be exactly this.
    pub fn equal<T: Display + PartialEq>(&mut self, name: &str, target: T, measured: T) {
        let holds = target == measured;
        self.check(name, target, measured, holds);
    }

    /// A figure that may not be larger than this.
    pub fn at_most(&mut self, name: &str, target: f64, measured: f64, unit: &str) {
        let holds = measured <= target;
        self.check(name, format!("≤ {}", figure(target, unit)), figure(measured, unit), holds);
    }

    /// A figure that may not be smaller than this.
    pub fn at_least(&mut self, name: &str, target: f64, measured: f64, unit: &str) {
        let holds = measured >= target;
        self.check(name, format!("≥ {}", figure(target, unit)), figure(measured, unit), holds);
    }

    /// A time that may not be longer than this.
    pub fn within(&mut self, name: &str, target: Duration, measured: Duration) {
        self.at_most(name, target.as_secs_f64(), measured.as_secs_f64(), "s");
    }

    /// Takes over what another verdict holds.
    pub fn extend(&mut self, other: Self) {
        self.checks.extend(other.checks);
    }

    /// Something worth knowing that nothing was promised about.
    pub fn note(&mut self, name: &str, measured: impl Display) {
        self.check(name, "", measured, true);
    }
}

/// A number as people read it, with its unit.
pub fn figure(number: f64, unit: &str) -> String {
    let digits = if number.abs() >= 100.0 || number.fract() == 0.0 { 0 } else { 2 };
    format!("{number:.digits$} {unit}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_holds_when_each_check_does() {
        let mut verdict = Verdict::default();
        assert!(!verdict.holds(), "nothing was looked at");
        verdict.note("a figure", 3);
        verdict.equal("lost", 0, 0);
        verdict.at_least("rate", 500.0, 500.0, "tasks/s");
        verdict.within("time", Duration::from_secs(2), Duration::from_millis(1500));
        assert!(verdict.holds());
        verdict.at_most("ratio", 2.5, 2.51, "");
        assert!(!verdict.holds());
        let shown: Vec<_> = verdict.checks.iter().map(|check| check.measured.as_str()).collect();
        assert_eq!(shown, ["3", "0", "500 tasks/s", "1.50 s", "2.51"]);
    }
}
