//! Text from an image that would move the cursor, or deceive a reader: it is written as what it is.

use lazaret_loadtest::layout::{self, Step};
use lazaret_loadtest::tar::Tar;
use serde_json::{Value, json};

use super::image::node;
use super::place::{Place, Ran};

/// Clears the screen, sets the title, rings, goes back; C1 controls, an override of direction, a line separator.
const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\u{8}\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200b}\u{2028}";

fn image(place: &Place) -> String {
    let os_release = format!("ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian {EVIL}\"\n");
    let status = format!(
        "Package: evil\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1{EVIL}\n\n\
         Package: na{EVIL}me\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\nSource: so{EVIL}\n\n\
         Package: good\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\n"
    );
    let apk = format!("P:ap{EVIL}k\nV:1.0{EVIL}\nA:x86_64\nL:{EVIL}\no:{EVIL}\n\n");
    let metadata = format!("Metadata-Version: 2.1\nName: py{EVIL}\nVersion: 1{EVIL}\n\n");
    let tar = Tar::default()
        .directory("etc")
        .file("etc/os-release", &os_release)
        .directory("var/lib/dpkg")
        .file("var/lib/dpkg/status", &status)
        .directory("lib/apk/db")
        .file("lib/apk/db/installed", &apk)
        .directory("a/site-packages/py-1.dist-info")
        .file("a/site-packages/py-1.dist-info/METADATA", &metadata);
    let tar = node(tar, "lodash", "lodash", "4.17.4");
    let tar = node(tar, "plain", &format!("n{EVIL}"), "1.0.0");
    let tar = node(tar, "version", "version", &format!("1.0.0{EVIL}"));
    let tar = node(tar, &format!("d{EVIL}"), "deep", "1.0.0");
    let broken = format!("app/node_modules/b{EVIL}");
    let tar = tar.directory(&broken).file(&format!("{broken}/package.json"), &format!("{{{EVIL}"));
    let step = Step { created_by: "RUN \u{1b}[2Jevil\r\u{202e} # buildkit", tar };
    let labels = json!({ EVIL: EVIL });
    layout::write(&place.path("evil"), "test", &labels, vec![step]).unwrap();
    format!("oci:{}:test", place.path("evil").display())
}

/// The run itself has been checked for C0 controls; these are the others.
fn assert_harmless(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let deceptive = |c: &char| c.is_control() && *c != '\n' || EVIL.contains(*c) && !c.is_ascii();
        assert_eq!(text.chars().find(deceptive), None, "{text:?}");
    }
}

#[test]
fn nothing_of_it_reaches_a_terminal() {
    let place = Place::new();
    let image = image(&place);
    for scanners in ["packages", "vuln"] {
        let ran = place.run(&["scan", &image, "--offline", "--scanners", scanners]).expect(0);
        assert_harmless(&ran);
        assert!(ran.stdout.contains("Debian \\x1b[2J"), "{}", ran.stdout);
        let ran = place.run(&["scan", &image, "--offline", "--scanners", scanners, "--format", "json"]).expect(0);
        assert_harmless(&ran);
        let report = ran.json();
        assert_eq!(report["image"]["labels"][EVIL], EVIL);
        assert_eq!(report["distro"]["name"].as_str().unwrap().trim(), format!("Debian {EVIL}").trim());
        assert!(report["packages"].as_array().unwrap().iter().any(|row| row["name"] == "good"));
        assert_ne!(report["gaps"], Value::Array(Vec::new()));
    }
}

/// Advisories are somebody else's text too, and so are the words of an ignore file.
#[test]
fn nor_do_advisories_or_reasons() {
    let place = Place::new();
    let record = json!({
        "id": format!("GHSA-{EVIL}"), "modified": "2024-09-15T00:00:00Z", "summary": EVIL, "aliases": [format!("CVE-{EVIL}")],
        "affected": [{
            "package": { "ecosystem": "npm", "name": "lodash" },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": format!("9.0.0{EVIL}") }] }],
            "versions": ["4.17.4"],
        }],
    });
    std::fs::create_dir(place.path("records")).unwrap();
    place.write("records/a.json", &record.to_string());
    place.write("records/b.json", &format!("{{ \"id\": \"{EVIL}\""));
    let image = image(&place);
    assert_harmless(&place.run(&["advisories", "import", "records"]).expect(0));
    assert_harmless(&place.run(&["advisories", "info"]).expect(0));
    let ran = place.run(&["scan", &image, "--offline"]).expect(0);
    assert_harmless(&ran);
    for shown in ["CVE-\\x1b[2J", "layer 0: 1 findings: RUN \\x1b[2Jevil"] {
        assert!(ran.stdout.contains(shown), "{shown}: {}", ran.stdout);
    }
    let escaped: String = EVIL.chars().map(|c| format!("\\u{:04x}", c as u32)).collect();
    let file = place.write("ignores.toml", &format!("[[ignore]]\nid = \"CVE-2018-16487\"\nreason = \"r{escaped}\"\n"));
    let ran = place.run(&["scan", "--ignore-file", &file]).expect(0);
    assert!(ran.stdout.contains("r\\x1b[2J"), "{}", ran.stdout);
    assert_harmless(&ran);
    let list = place.write("list", &format!("oci:/x{}\n", EVIL.replace('\r', "")));
    assert_harmless(&place.run(&["scan", "--file", &list]).expect(2));
}
