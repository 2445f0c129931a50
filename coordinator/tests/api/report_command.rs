//! `lazaret report`: what a farm made is shown as a scan on this machine shows it.

use super::fake::REPORT;
use super::place::{Place, Ran};
use super::server::Server;
use lazaret_coordinator::serve::job::ImageStatus;

fn run(server: &Server, place: &Place, arguments: &[&str]) -> Ran {
    let mut command = place.lazaret(&[&["report"], arguments].concat());
    command.env("LAZARET_FARM", format!("http://{}", server.address)).env("LAZARET_TOKEN", &server.tokens["read"]);
    place.end(command.output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_farms_report_looks_like_a_scans() {
    let server = Server::start().await;
    let place = Place::new();
    let scanned = place.run(&["scan", "--format", "json"]).expect(0).stdout;
    let table = place.run(&["scan"]).expect(0).stdout;
    assert!(table.contains("findings"), "{table}");
    *server.fake.report.lock().unwrap() = scanned.clone().into_bytes();
    assert_eq!(run(&server, &place, &[REPORT, "--format", "json"]).expect(0).stdout, scanned);
    assert_eq!(run(&server, &place, &[REPORT]).expect(0).stdout, table);
    run(&server, &place, &[REPORT, "--format", "json", "-o", "kept"]).expect(0);
    assert_eq!(std::fs::read_to_string(place.path("kept")).unwrap(), scanned);
    // By its job and image; one that failed says why.
    let job = server.job("both", 2).await;
    server.fake.end_image(&job, ImageStatus::Complete, &[]);
    server.fake.end_image(&job, ImageStatus::Failed, &[]);
    assert_eq!(run(&server, &place, &["image0", "--job", &job]).expect(0).stdout, table);
    assert!(run(&server, &place, &["image1", "--job", &job]).expect(2).stderr.contains("no such image\\x1b[2J"));
    assert!(run(&server, &place, &["image2", "--job", &job]).expect(2).stderr.contains("has not ended yet"));
    assert!(run(&server, &place, &["image0"]).expect(2).stderr.contains("write --job ID too"));
    assert!(run(&server, &place, &[&"0".repeat(64)]).expect(2).stderr.contains("does not know it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_farm_moves_no_cursor() {
    let server = Server::start().await;
    let place = Place::new();
    let scanned = place.run(&["scan", "--format", "json"]).expect(0).json();
    let mut hostile = scanned.clone();
    hostile["image"]["reference"] = "\u{9b}31m\u{202e}".into();
    hostile["image"]["source"] = "\u{1b}[2J".into();
    *server.fake.report.lock().unwrap() = hostile.to_string().into_bytes();
    // The place itself looks for control characters.
    let shown = run(&server, &place, &[REPORT]).expect(0).stdout;
    assert!(shown.contains("\\x9b31m\\u{202e} (\\x1b[2J,"), "{shown}");
    let ran = run(&server, &place, &[REPORT, "--format", "json"]).expect(0);
    assert!(!ran.stdout.contains(['\u{9b}', '\u{202e}']) && ran.json() == hostile);
    for (broken, says) in [("", "none that this build reads"), ("{\"schema\":\"lazaret-report/9\"}", "none that")] {
        *server.fake.report.lock().unwrap() = broken.into();
        let ran = run(&server, &place, &[REPORT]).expect(2);
        assert!(ran.stderr.contains(says) && ran.stdout.is_empty(), "{}", ran.stderr);
    }
    let mut later = scanned;
    later["schema"] = "lazaret-report/9".into();
    *server.fake.report.lock().unwrap() = later.to_string().into_bytes();
    assert!(run(&server, &place, &[REPORT]).expect(2).stderr.contains("lazaret-report/9"));
}
