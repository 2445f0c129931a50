//! Man pages, completions and the schema: made from the same description as the command line itself.

use std::fs;

use super::place::{Place, files};

#[test]
fn every_command_has_a_man_page() {
    let place = Place::new();
    place.run(&["man", "pages/man1"]).expect(0);
    let pages = files(&place.path("pages/man1"));
    for name in [
        "lazaret",
        "lazaret-scan",
        "lazaret-demo",
        "lazaret-submit",
        "lazaret-jobs",
        "lazaret-jobs-show",
        "lazaret-jobs-follow",
        "lazaret-jobs-results",
        "lazaret-jobs-cancel",
        "lazaret-report",
        "lazaret-token",
        "lazaret-token-new",
        "lazaret-advisories",
        "lazaret-advisories-update",
        "lazaret-advisories-import",
        "lazaret-advisories-info",
        "lazaret-version",
        "lazaret-version-compare",
        "lazaret-schema",
        "lazaret-completions",
        "lazaret-man",
    ] {
        assert!(pages.contains(&format!("{name}.1")), "{name}: {pages:?}");
        let page = fs::read_to_string(place.path("pages/man1").join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains(".SH SYNOPSIS"), "{page}");
    }
    let scan = fs::read_to_string(place.path("pages/man1/lazaret-scan.1")).unwrap();
    assert!(scan.contains("fail\\-on\\-incomplete") && scan.contains("Exit status"), "{scan}");
    place.write("file", "");
    let ran = place.run(&["man", "file"]).expect(2);
    assert!(ran.stderr.contains("cannot write to file"), "{}", ran.stderr);
}

#[test]
fn every_shell_has_completions() {
    let place = Place::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = place.run(&["completions", shell]).expect(0).stdout;
        assert!(script.contains("lazaret") && script.contains("fail-on-incomplete"), "{shell}");
        let file = place.write(shell, &script);
        // Those that are installed say whether it is a script of theirs.
        if let Ok(output) = place.program(shell).args(["-n", &file]).output()
            && ["bash", "fish", "zsh"].contains(&shell)
        {
            assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    place.run(&["completions", "cmd"]).expect(2);
}

#[test]
fn the_schema_is_printed_as_it_is() {
    let ran = Place::new().run(&["schema"]).expect(0);
    assert_eq!(ran.stdout, lazaret_coordinator::report::JSON_SCHEMA);
    assert_eq!(ran.json()["$id"], "lazaret-report/1");
}
