//! Updates against a small HTTP server on the loopback that fails on purpose.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A zip archive with one record for package `name` of `ecosystem`.
fn archive(ecosystem: &str, id: &str) -> Vec<u8> {
    let padding = "x".repeat(5000);
    let record = format!(
        r#"{{"id":"{id}","modified":"2024-01-01T00:00:00Z","details":"{padding}","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"thing"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}]}}]}}]}}"#
    );
    let mut bytes = Vec::new();
    let mut zip = rawzip::ZipArchiveWriter::new(&mut bytes);
    let (mut entry, config) =
        zip.new_file(format!("{id}.json")).compression_method(rawzip::CompressionMethod::STORE).start().unwrap();
    let mut writer = config.wrap(&mut entry);
    writer.write_all(record.as_bytes()).unwrap();
    let (_, descriptor) = writer.finish().unwrap();
    entry.finish(descriptor).unwrap();
    zip.finish().unwrap();
    bytes
}

/// What the server does with the next request, before it serves again.
#[derive(Clone, Copy)]
enum Mood {
    /// 503, come back in a second.
    Busy,
    /// Sends this many bytes of the body and closes.
    Cut(usize),
}

#[derive(Default)]
struct Served {
    files: BTreeMap<String, Vec<u8>>,
    moods: Vec<Mood>,
    /// `path`, `path range` or `path 304` of each answered request.
    log: Vec<String>,
}

#[derive(Clone)]
struct Server {
    served: Arc<Mutex<Served>>,
    base: String,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/mirror", listener.local_addr().unwrap());
        let served = Arc::new(Mutex::new(Served::default()));
        let server = Self { served: Arc::clone(&served), base };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&served)));
            }
        });
        server
    }

    fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.served.lock().unwrap().files.insert(format!("/mirror/{path}"), content.into());
    }

    fn moods(&self, moods: &[Mood]) {
        self.served.lock().unwrap().moods = moods.iter().rev().copied().collect();
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.served.lock().unwrap().log)
    }

    fn mirror(&self) -> Mirror {
        Mirror::new(&self.base, reqwest::Client::builder().no_proxy().build().unwrap()).unwrap()
    }
}

async fn answer(mut stream: TcpStream, served: Arc<Mutex<Served>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let header = |name: &str| {
        let lines = request.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    };
    let (head, body) = {
        let mut served = served.lock().unwrap();
        let mood = served.moods.pop();
        let shown = path.trim_start_matches("/mirror/").to_owned();
        match (served.files.get(&path).cloned(), mood) {
            (_, Some(Mood::Busy)) => {
                served.log.push(format!("{shown} 503"));
                ("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0".to_owned(), Vec::new())
            }
            (None, _) => {
                served.log.push(format!("{shown} 404"));
                ("HTTP/1.1 404 No\r\nContent-Length: 0".to_owned(), Vec::new())
            }
            (Some(file), mood) => {
                let etag = format!("\"{}\"", blake3::hash(&file));
                let start = header("if-range").filter(|range| *range == etag).and_then(|_| header("range"));
                let start = start.map(|range| range[6..range.len() - 1].parse::<usize>().unwrap());
                if header("if-none-match").is_some_and(|known| known == etag) {
                    served.log.push(format!("{shown} 304"));
                    (format!("HTTP/1.1 304 Same\r\nETag: {etag}"), Vec::new())
                } else {
                    let (status, range, from) = match start {
                        Some(start) => {
                            let range = format!("\r\nContent-Range: bytes {start}-{}/{}", file.len() - 1, file.len());
                            ("206 Part", range, start)
                        }
                        None => ("200 OK", String::new(), 0),
                    };
                    served.log.push(format!("{shown} {} from {from}", &status[..3]));
                    let length = file.len() - from;
                    let end =
                        if let Some(Mood::Cut(bytes)) = mood { (from + bytes).min(file.len()) } else { file.len() };
                    let head = format!("HTTP/1.1 {status}\r\nETag: {etag}{range}\r\nContent-Length: {length}");
                    (head, file[from..end].to_vec())
                }
            }
        }
    };
    let _ = stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).await;
    let _ = stream.write_all(&body).await;
    let _ = stream.shutdown().await;
}

fn names(home: &Home) -> Vec<String> {
    let info = info(home).unwrap().unwrap();
    info.ecosystems.iter().map(|(info, fetched)| format!("{} {}", info.name, fetched.is_some())).collect()
}

#[tokio::test]
async fn fetches_what_changed_and_nothing_else() {
    let server = Server::start().await;
    server.put("ecosystems.txt", "Debian\nDebian:12\nRocky Linux\nGone\n\n");
    server.put("Debian/all.zip", archive("Debian:12", "DSA-1"));
    server.put("Rocky%20Linux/all.zip", archive("Rocky Linux:9", "RLSA-1"));
    let directory = tempfile::tempdir().unwrap();
    let home = Home::directory(directory.path().join("advisories"));
    let silent = |_: Progress<'_>| {};
    assert_eq!(info(&home).unwrap(), None);

    let outcome = update(&home, &server.mirror(), &[], &silent).await.unwrap();
    assert_eq!(outcome.missing, ["Gone"]);
    assert_eq!(outcome.compiled.as_ref().unwrap().advisories, 2);
    assert_eq!(home.current().unwrap(), Some(outcome.snapshot.clone()));
    assert_eq!(names(&home), ["Debian:12 true", "Rocky Linux:9 true"]);
    let old = Snapshot::open(&outcome.snapshot).unwrap();
    server.log();

    let again = update(&home, &server.mirror(), &["Debian:12".to_owned()], &silent).await.unwrap();
    assert_eq!((again.compiled, &again.snapshot), (None, &outcome.snapshot));
    assert_eq!(server.log(), ["Debian/all.zip 304"]);

    server.put("Debian/all.zip", archive("Debian:13", "DSA-2"));
    let newer = update(&home, &server.mirror(), &["Debian".to_owned()], &silent).await.unwrap();
    assert_ne!(newer.snapshot, outcome.snapshot);
    assert_eq!(names(&home), ["Debian:13 true", "Rocky Linux:9 true"]);
    // The old one is still good for whoever has it.
    assert_eq!(old.lookup("Debian:12", "thing").unwrap().len(), 1);
    assert!(outcome.snapshot.exists());
}

#[tokio::test]
async fn goes_on_where_a_connection_was_cut() {
    let server = Server::start().await;
    let content = archive("Debian:12", "DSA-1");
    server.put("Debian/all.zip", content.clone());
    server.moods(&[Mood::Cut(1000), Mood::Busy, Mood::Cut(2000)]);
    let directory = tempfile::tempdir().unwrap();
    let home = Home::file(directory.path().join("my.snapshot"));
    let seen = Mutex::new(Vec::new());
    let progress = |progress: Progress<'_>| {
        if let Progress::Fetching { received, total, .. } = progress {
            seen.lock().unwrap().push((received, total));
        }
    };
    let outcome = update(&home, &server.mirror(), &["Debian".to_owned()], &progress).await.unwrap();
    assert_eq!(outcome.snapshot, directory.path().join("my.snapshot"));
    assert_eq!(
        server.log(),
        [
            "Debian/all.zip 200 from 0",
            "Debian/all.zip 503",
            "Debian/all.zip 206 from 1000",
            "Debian/all.zip 206 from 3000"
        ]
    );
    let length = content.len() as u64;
    assert_eq!(seen.lock().unwrap().last(), Some(&(length, Some(length))));
    assert_eq!(fs::read(home.archive("Debian").unwrap()).unwrap(), content);
}

#[tokio::test]
async fn a_part_of_an_older_version_is_not_gone_on_with() {
    let server = Server::start().await;
    server.put("Debian/all.zip", archive("Debian:13", "DSA-2"));
    let directory = tempfile::tempdir().unwrap();
    let home = Home::directory(directory.path());
    let archive = home.archive("Debian").unwrap();
    fs::create_dir_all(archive.parent().unwrap()).unwrap();
    fs::write(fetch::beside(&archive, ".part"), "old bytes").unwrap();
    fs::write(fetch::beside(&archive, ".part.etag"), "\"old\"").unwrap();
    update(&home, &server.mirror(), &["Debian".to_owned()], &|_| {}).await.unwrap();
    assert_eq!(server.log(), ["Debian/all.zip 200 from 0"]);
    assert_eq!(names(&home), ["Debian:13 true"]);
}

#[tokio::test]
async fn a_failed_update_changes_nothing() {
    let server = Server::start().await;
    server.put("Debian/all.zip", archive("Debian:12", "DSA-1"));
    let directory = tempfile::tempdir().unwrap();
    let home = Home::directory(directory.path());
    let debian = ["Debian".to_owned()];
    let before = update(&home, &server.mirror(), &debian, &|_| {}).await.unwrap().snapshot;
    server.put("Debian/all.zip", "<html>please log in</html>");
    let error = update(&home, &server.mirror(), &debian, &|_| {}).await.unwrap_err();
    assert!(matches!(error, UpdateError::Fetch { error: FetchError::NotAnArchive, .. }), "{error}");
    assert_eq!(home.current().unwrap(), Some(before));
    assert_eq!(names(&home), ["Debian:12 true"]);
    let error = update(&home, &server.mirror(), &["Nowhere".to_owned()], &|_| {}).await.unwrap_err();
    assert!(matches!(error, UpdateError::NothingThere { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_updates_at_once_do_not_hurt_each_other() {
    let server = Server::start().await;
    for (ecosystem, id) in [("Debian:12", "DSA-1"), ("PyPI", "PYSEC-1"), ("npm", "GHSA-1")] {
        server.put(&format!("{}/all.zip", name::base(ecosystem)), archive(ecosystem, id));
    }
    let directory = tempfile::tempdir().unwrap();
    let home = Home::directory(directory.path());
    let tasks: Vec<_> = ["Debian", "PyPI", "npm", "Debian"]
        .map(|ecosystem| {
            let (home, mirror) = (home.clone(), server.mirror());
            tokio::spawn(async move { update(&home, &mirror, &[ecosystem.to_owned()], &|_| {}).await.map(|_| ()) })
        })
        .into();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(names(&home), ["Debian:12 true", "PyPI true", "npm true"]);
}

#[tokio::test]
async fn a_compilation_that_failed_is_made_up_for() {
    let server = Server::start().await;
    server.put("Debian/all.zip", archive("Debian:12", "DSA-1"));
    let directory = tempfile::tempdir().unwrap();
    let home = Home::directory(directory.path());
    let debian = ["Debian".to_owned()];
    update(&home, &server.mirror(), &debian, &|_| {}).await.unwrap();
    server.put("Debian/all.zip", archive("Debian:13", "DSA-2"));
    // A directory stands where the draft is to be written.
    let draft = home.draft().unwrap().path().to_owned();
    fs::create_dir(&draft).unwrap();
    let error = update(&home, &server.mirror(), &debian, &|_| {}).await.unwrap_err();
    assert!(matches!(error, UpdateError::Compile(_)), "{error}");
    assert_eq!(names(&home), ["Debian:12 true"]);
    fs::remove_dir(&draft).unwrap();
    server.log();
    assert!(update(&home, &server.mirror(), &debian, &|_| {}).await.unwrap().compiled.is_some());
    assert_eq!(server.log(), ["Debian/all.zip 304"]);
    assert_eq!(names(&home), ["Debian:13 true"]);
}

#[tokio::test]
async fn a_directory_serves_as_well_and_imports_replace() {
    let mirror = tempfile::tempdir().unwrap();
    fs::create_dir_all(mirror.path().join("Rocky Linux")).unwrap();
    fs::write(mirror.path().join("Rocky Linux/all.zip"), archive("Rocky Linux:9", "RLSA-1")).unwrap();
    fs::write(mirror.path().join("ecosystems.txt"), "Rocky Linux\n").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let home = Home::directory(directory.path());
    let source = Mirror::new(mirror.path().to_str().unwrap(), reqwest::Client::new()).unwrap();
    assert!(update(&home, &source, &[], &|_| {}).await.unwrap().compiled.is_some());
    assert!(update(&home, &source, &[], &|_| {}).await.unwrap().compiled.is_none());

    let zip = directory.path().join("mine.zip");
    fs::write(&zip, archive("Debian:12", "DSA-1")).unwrap();
    import(&home, std::slice::from_ref(&zip)).await.unwrap();
    assert_eq!(names(&home), ["Debian:12 false"]);
    assert_eq!(info(&home).unwrap().unwrap().imported, [zip]);
    update(&home, &source, &[], &|_| {}).await.unwrap();
    assert_eq!(names(&home), ["Rocky Linux:9 true"]);
}
