//! The names of repositories and tags.

use super::seed::Chance;

const TEAMS: [&str; 25] = [
    "payments",
    "checkout",
    "search",
    "catalogue",
    "identity",
    "billing",
    "shipping",
    "fraud",
    "ledger",
    "mobile",
    "web",
    "data",
    "ml",
    "platform",
    "observability",
    "security",
    "support",
    "marketing",
    "partners",
    "inventory",
    "pricing",
    "messaging",
    "media",
    "maps",
    "internal",
];
const SERVICES: [&str; 40] = [
    "api",
    "worker",
    "gateway",
    "frontend",
    "backend",
    "scheduler",
    "importer",
    "exporter",
    "indexer",
    "migrations",
    "cron",
    "proxy",
    "auth",
    "sessions",
    "notifier",
    "mailer",
    "reports",
    "dashboard",
    "admin",
    "webhooks",
    "consumer",
    "producer",
    "cache-warmer",
    "resizer",
    "recommender",
    "trainer",
    "features",
    "events",
    "audit",
    "backup",
    "sync",
    "bridge",
    "router",
    "limiter",
    "crawler",
    "renderer",
    "uploader",
    "console",
    "agent",
    "operator",
];

/// The name of the repository with this number.
pub(super) fn repository(seed: u64, number: u32) -> String {
    let all = (TEAMS.len() * SERVICES.len()) as u32;
    let round = number / all;
    // 617 has no divisor in common with their number, so that each is met once in a round.
    let place = (u64::from(number % all) * 617 + seed % u64::from(all)) as usize % all as usize;
    let (team, service) = (TEAMS[place / SERVICES.len()], SERVICES[place % SERVICES.len()]);
    if round == 0 { format!("{team}/{service}") } else { format!("{team}/{service}-{}", round + 1) }
}

/// The tag with this number in a repository: versions that rise.
pub(super) fn tag(seed: u64, repository: u32, number: u32) -> String {
    let major = Chance::of(seed, &[u64::from(repository), 0x7461_6773]).below(5) + 1;
    format!("{major}.{}.{}", number / 4, number % 4)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn no_two_repositories_have_one_name() {
        let names: HashSet<String> = (0..2500).map(|number| super::repository(7, number)).collect();
        assert_eq!(names.len(), 2500);
    }
}
