//! The same bytes every time, whatever the number of threads; no colour and no progress where no terminal is.

use std::fs;

use super::image;
use super::place::Place;

#[test]
fn json_is_the_same_bytes_every_time() {
    let place = Place::new();
    let image = image::sample(&place, "image");
    image::levels(&place);
    place.run(&["advisories", "import", place.path("records").to_str().unwrap()]).expect(0);
    // With what was kept, and without.
    let arguments = ["scan", &image, "--offline", "--format", "json"];
    let first = place.run(&arguments).expect(0).stdout;
    for more in [&[][..], &["--threads", "1"], &["--threads", "2"]] {
        for store in [&[][..], &["--store", "memory:"]] {
            assert_eq!(place.run(&[&arguments, more, store].concat()).expect(0).stdout, first, "{more:?} {store:?}");
        }
    }
    assert_eq!(place.run(&["scan", "--format", "json"]).stdout, place.run(&["scan", "--format", "json"]).stdout);
    // Only the words about where it comes from tell another place.
    let elsewhere = Place::new();
    let table = |place: &Place| place.run(&["scan", "--threads", "2"]).expect(0).stdout;
    assert_eq!(table(&place), table(&elsewhere));
}

#[test]
fn no_color_and_no_terminal_are_both_heard() {
    let place = Place::new();
    // That no escape reaches a pipe is checked on every run; a variable that asks for none changes nothing then.
    let plain = place.run(&["scan"]).expect(0).stdout;
    for (name, value) in [("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1"), ("FORCE_COLOR", "1"), ("TERM", "xterm-256color")]
    {
        let output = place.lazaret(&["scan"]).env(name, value).output().unwrap();
        assert_eq!(place.end(output).stdout, plain, "{name}");
    }
    // util-linux's `script` has a terminal to give.
    let Some(coloured) = on_terminal(&place, &[]) else { return };
    assert!(coloured.contains("\u{1b}["), "{coloured:?}");
    let without = on_terminal(&place, &[("NO_COLOR", "1")]).unwrap();
    assert!(!without.contains("\u{1b}[") && without.contains("CVE-2019-14234"), "{without:?}");
}

fn on_terminal(place: &Place, variables: &[(&str, &str)]) -> Option<String> {
    let log = place.path("terminal.log");
    let command = format!("{} scan", super::place::LAZARET);
    let mut script = place.program("script");
    script.args(["-qec", &command]).arg(&log).envs(variables.iter().copied()).env("TERM", "xterm");
    let output = script.output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Some(fs::read_to_string(log).unwrap())
}
