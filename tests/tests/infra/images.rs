//! The Containerfile follows the advice that we give.

use super::text;

#[test]
fn images_are_small_pinned_and_without_root_or_secrets() {
    let file = text("images/Containerfile");
    let joined = file.replace("\\\n", " ");
    let lines: Vec<&str> =
        joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let mut stages: Vec<Vec<&str>> = Vec::new();
    for line in lines {
        match line.starts_with("FROM ") {
            true => stages.push(vec![line]),
            false => stages.last_mut().expect("FROM comes first").push(line),
        }
    }
    let mut targets = Vec::new();
    for stage in &stages {
        let words: Vec<&str> = stage[0].split_whitespace().collect();
        let (image, name) = (words[1], words[3]);
        let tag = image.rsplit_once('/').expect("a registry is named").1.split_once(':').expect("a tag").1;
        assert!(!tag.is_empty() && tag != "latest", "{image}");
        for line in stage {
            let word = line.split(' ').next().unwrap_or_default();
            assert!(!matches!(word, "ADD" | "ENV" | "ARG" | "VOLUME" | "HEALTHCHECK"), "{line}");
            assert!(!line.contains("apt-get") && !line.contains("curl") && !line.contains("apk "), "{line}");
        }
        if name == "builder" {
            assert!(stage.iter().any(|line| line.contains("cargo build --locked")));
            continue;
        }
        targets.push(name);
        assert!(image.starts_with("gcr.io/distroless/") && image.ends_with(":nonroot"), "{image}");
        assert!(!stage.iter().any(|line| line.starts_with("RUN ")), "there is no shell in {name}");
        let copies: Vec<_> = stage.iter().filter(|line| line.starts_with("COPY ")).collect();
        assert!(
            copies.len() == 1 && copies[0].contains("--from=builder") && copies[0].contains("--chown=0:0"),
            "{copies:?}"
        );
        let users: Vec<_> = stage.iter().filter_map(|line| line.strip_prefix("USER ")).collect();
        assert_eq!(users, ["65532:65532"], "{name}");
        assert!(stage.iter().any(|line| line.starts_with("ENTRYPOINT [\"/usr/bin/lazaret")), "{name}");
        for label in ["title", "description", "licenses"] {
            assert!(
                stage.iter().any(|line| line.contains(&format!("org.opencontainers.image.{label}"))),
                "{name}: {label}"
            );
        }
    }
    assert_eq!(targets, ["coordinator", "worker"]);
}
