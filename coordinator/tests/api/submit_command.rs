//! `lazaret submit` and `lazaret jobs`, as a script runs them: through pipes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lazaret_coordinator::serve::job::{ImageStatus, JobStatus};

use super::place::{Place, Ran};
use super::server::Server;

/// Options, how the image and its job end with which findings, and the exit code.
type Case = (&'static [&'static str], ImageStatus, &'static [(&'static str, u64)], JobStatus, i32);

/// A server, and a place to ask it from.
struct Asked {
    server: Server,
    place: Place,
}

impl Asked {
    async fn start() -> Self {
        Self { server: Server::start().await, place: Place::new() }
    }

    fn command(&self, token: &str, arguments: &[&str]) -> Command {
        let mut command = self.place.lazaret(arguments);
        command.env("LAZARET_FARM", format!("http://{}", self.server.address));
        command.env("LAZARET_TOKEN", &self.server.tokens[token]);
        command
    }

    fn run(&self, token: &str, arguments: &[&str]) -> Ran {
        let ran = self.place.end(self.command(token, arguments).output().unwrap());
        for token in self.server.tokens.values() {
            assert!(!ran.stdout.contains(token) && !ran.stderr.contains(token), "it shows a token");
        }
        ran
    }

    /// Waits until somebody follows a job.
    fn followed(&self) {
        let start = Instant::now();
        while self.server.fake.followers() == 0 {
            assert!(start.elapsed() < Duration::from_secs(30), "nobody follows");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_gets_the_id_and_comes_back() {
    let asked = Asked::start().await;
    let list = asked.place.write("list", "image1 # the second\n# none\n\nimage0\n");
    let ran = asked.run("both", &["submit", "image0", "--file", &list, "--class", "interactive"]).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("job-0\n", ""));
    let fake = &asked.server.fake;
    fake.end_image("job-0", ImageStatus::Complete, &[("high", 2), ("low", 1)]);
    fake.end_image("job-0", ImageStatus::Failed, &[]);
    fake.end("job-0", JobStatus::Done);
    let listed = asked.run("read", &["jobs"]).expect(0).stdout;
    let columns: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(columns, ["job-0", "done", "interactive", "2", "2", "1", "2026-11-25T12:00:00Z", "both"]);
    let shown = asked.run("read", &["jobs", "show", "job-0"]).expect(0).stdout;
    assert!(shown.contains("2 of 2 done, 1 failed"), "{shown}");
    assert_eq!(asked.run("read", &["jobs", "show", "job-0", "--format", "json"]).expect(0).json()["done"], 2);
    let results = asked.run("read", &["jobs", "results", "job-0"]).expect(0).stdout;
    assert!(results.contains("no such image\\x1b[2J"), "{results}");
    let results = asked.run("read", &["jobs", "--format", "json", "results", "job-0"]).expect(0).json();
    assert_eq!(results["results"][0]["findings"]["high"], 2);
    let followed = asked.run("read", &["jobs", "follow", "job-0"]).expect(2);
    assert!(followed.stderr.contains("job job-0 done: 2 images, 1 failed"), "{}", followed.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_are_those_of_a_scan() {
    use ImageStatus::{Complete, Failed, Incomplete};
    let asked = Asked::start().await;
    let cases: &[Case] = &[
        (&["--wait"], Complete, &[("critical", 1)], JobStatus::Done, 0),
        (&["--fail-on", "high"], Complete, &[("critical", 1)], JobStatus::Done, 1),
        (&["--fail-on", "high"], Complete, &[("medium", 9), ("high", 0)], JobStatus::Done, 0),
        (&["--fail-on", "unknown"], Complete, &[("unknown", 1)], JobStatus::Done, 1),
        (&["--fail-on", "low"], Failed, &[], JobStatus::Done, 2),
        (&["--wait"], Incomplete, &[], JobStatus::Done, 0),
        (&["--fail-on-incomplete"], Incomplete, &[], JobStatus::Done, 2),
        (&["--wait"], Complete, &[], JobStatus::Cancelled, 2),
        (&["--wait"], Complete, &[], JobStatus::Failed, 2),
    ];
    for (number, &(options, image, findings, job, code)) in cases.iter().enumerate() {
        let arguments = [&["submit", "image0"], options].concat();
        let mut command = asked.command("both", &arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        asked.followed();
        let id = format!("job-{number}");
        asked.server.fake.end_image(&id, image, findings);
        asked.server.fake.end(&id, job);
        let ran = asked.place.end(child.wait_with_output().unwrap()).expect(code);
        assert!(ran.stdout.starts_with(&format!("{id}\nIMAGE ")), "{}", ran.stdout);
        assert!(ran.stderr.starts_with(&format!("job {id} {}", job.name())), "{}", ran.stderr);
        let start = Instant::now();
        while asked.server.fake.followers() > 0 {
            assert!(start.elapsed() < Duration::from_secs(30), "it is still followed");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_the_job_running_and_says_how_to_come_back() {
    let asked = Asked::start().await;
    let mut command = asked.command("both", &["submit", "image0", "--wait"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    asked.followed();
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let ran = asked.place.end(child.wait_with_output().unwrap()).expect(130);
    assert_eq!(ran.stdout, "job-0\n");
    let back = format!("lazaret jobs follow job-0 --farm http://{}", asked.server.address);
    assert!(ran.stderr.contains("job job-0 goes on") && ran.stderr.contains(&back), "{}", ran.stderr);
    assert_eq!(asked.run("read", &["jobs", "show", "job-0", "--format", "json"]).expect(0).json()["status"], "queued");
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_takes_ones_own_token() {
    let asked = Asked::start().await;
    asked.run("scan", &["submit", "image0"]).expect(0);
    let refused = asked.run("both", &["jobs", "cancel", "job-0"]).expect(2);
    assert!(refused.stderr.contains("another token submitted it"), "{}", refused.stderr);
    let cancelled = asked.run("scan", &["jobs", "cancel", "job-0"]).expect(0);
    assert!(cancelled.stdout.contains("status     cancelled"), "{}", cancelled.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_with_what_to_do() {
    let asked = Asked::start().await;
    let ran = asked.run("unknown", &["jobs"]).expect(2);
    assert!(ran.stderr.contains("does not accept the token") && ran.stderr.contains("LAZARET_TOKEN"), "{}", ran.stderr);
    assert!(asked.run("scan", &["jobs"]).expect(2).stderr.contains("the scope `read`"));
    assert!(asked.run("read", &["jobs", "show", "nothing"]).expect(2).stderr.contains("does not know it"));
    assert!(asked.run("read", &["jobs", "show", "../../metrics"]).expect(2).stderr.contains("does not know it"));
    // What can be said without asking is.
    assert!(asked.run("both", &["submit", "oci:layout"]).expect(2).stderr.contains("registries only"));
    asked.run("both", &["submit"]).expect(2);
    asked.run("both", &["submit", "a", "--no-wait", "--fail-on", "low"]).expect(2);
    let other = Place::new();
    assert!(other.run(&["jobs"]).expect(2).stderr.contains("--farm URL or set LAZARET_FARM"));
    let remote = other.run(&["jobs", "--farm", "http://farm.example"]).expect(2);
    assert!(remote.stderr.contains("--insecure-farm"), "{}", remote.stderr);
    let secret = other.run(&["jobs", "--farm", "https://me:hunter2@farm.example"]).expect(2);
    assert!(secret.stderr.contains("LAZARET_TOKEN") && !secret.stderr.contains("hunter2"), "{}", secret.stderr);
    let nobody = other.run(&["jobs", "--farm", "http://127.0.0.1:1"]).expect(2);
    assert!(nobody.stderr.contains("cannot reach the farm at http://127.0.0.1:1"), "{}", nobody.stderr);
    // A page of the farm that is no API.
    let below = format!("http://{}/healthz", asked.server.address);
    let ran = asked.place.run(&["jobs", "--farm", &below]).expect(2);
    assert!(ran.stderr.contains("token"), "{}", ran.stderr);
    assert!(asked.server.fake.ids().is_empty());
}
