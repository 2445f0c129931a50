//! Hostile work, which only this executable's children know.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufRead, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use lazaret_worker::child::Probe;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::{Pid, execv, getppid};

pub const PROBES: &[Probe] = &[
    Probe { name: "denials", run: denials },
    Probe { name: "environment", run: |_| std::env::vars().map(|(name, value)| format!("{name}={value}")).collect() },
    Probe { name: "descriptors", run: descriptors },
    Probe { name: "count", run: |blob| vec![io::copy(&mut blob.take(u64::MAX), &mut io::sink()).unwrap().to_string()] },
    Probe { name: "reads nothing", run: |_| vec!["answered".to_owned()] },
    Probe { name: "allocates 4 GB", run: |_| vec![black_box(vec![1_u8; 4 << 30]).len().to_string()] },
    Probe { name: "fills its memory", run: fills },
    Probe { name: "spins", run: |_| spin() },
    Probe { name: "recurses", run: |_| vec![recurse(black_box(0)).to_string()] },
    Probe { name: "floods", run: |_| vec!["x".repeat(300 << 20)] },
    Probe { name: "floods its last words", run: floods_last_words },
    Probe { name: "lies about a length", run: |_| vec![String::new(); 12 << 20] },
    Probe { name: "crashes", run: |_| crash() },
    Probe { name: "aborts", run: |_| std::process::abort() },
    Probe { name: "panics", run: |_| panic!("as asked") },
    Probe { name: "freezes", run: freezes },
];

/// What happens to each attempt to get out, by name.
fn denials(_: &mut dyn BufRead) -> Vec<String> {
    let io = |what: &str, done: io::Result<()>| said(what, done.err().and_then(|error| error.raw_os_error()));
    let nix = |what: &str, done: nix::Result<()>| said(what, done.err().map(|errno| errno as i32));
    vec![
        io("connect", TcpStream::connect_timeout(&([127, 0, 0, 1], 9).into(), Duration::from_secs(1)).map(drop)),
        io("udp", UdpSocket::bind(("127.0.0.1", 0)).map(drop)),
        io("passwd", File::open("/etc/passwd").map(drop)),
        io("environ", File::open("/proc/self/environ").map(drop)),
        io("list", fs::read_dir("/").map(drop)),
        io("write", File::create("/tmp/escaped").map(drop)),
        nix("exec", execv(c"/bin/true", &[c"true"]).map(drop)),
        nix("ptrace", nix::sys::ptrace::attach(getppid())),
        nix("kill zygote", kill(getppid(), None)),
        nix("kill all", kill(Pid::from_raw(-1), None)),
        io("fork", Command::new("/bin/true").status().map(drop)),
        io("thread", std::thread::Builder::new().spawn(|| ()).map(drop)),
    ]
}

fn said(what: &str, errno: Option<i32>) -> String {
    format!(
        "{what}: {}",
        errno.map_or_else(|| "done".to_owned(), |errno| format!("{:?}", nix::errno::Errno::from_raw(errno)))
    )
}

fn descriptors(_: &mut dyn BufRead) -> Vec<String> {
    let link = |entry: fs::DirEntry| fs::read_link(entry.path()).ok().map(|link| link.display().to_string());
    fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| link(entry.unwrap())).collect()
}

/// How much it got, and its resident set then, both in MiB.
fn fills(_: &mut dyn BufRead) -> Vec<String> {
    let mut held = Vec::new();
    loop {
        let mut more = Vec::<u8>::new();
        if more.try_reserve_exact(4 << 20).is_err() {
            break;
        }
        more.resize(4 << 20, 1);
        held.push(black_box(more));
    }
    let resident = getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss() / 1024);
    let got = held.len() * 4;
    drop(held);
    vec![got.to_string(), resident.to_string()]
}

fn spin() -> Vec<String> {
    loop {
        black_box(());
    }
}

#[allow(unconditional_recursion, reason = "that is the point")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + black_box(frame)[0]
}

fn floods_last_words(_: &mut dyn BufRead) -> Vec<String> {
    let end = Instant::now() + Duration::from_millis(50);
    while Instant::now() < end {
        let _ = io::stderr().write_all(&[b'x'; 1 << 16]);
    }
    std::process::abort()
}

/// The first goes to Rust's handler, which finds no overflow and takes itself away; the second kills.
fn crash() -> Vec<String> {
    let _ = raise(Signal::SIGSEGV);
    let _ = raise(Signal::SIGSEGV);
    vec!["alive".to_owned()]
}

fn freezes(blob: &mut dyn BufRead) -> Vec<String> {
    let _ = blob.read(&mut [0]);
    let _ = raise(Signal::SIGSTOP);
    vec!["woken".to_owned()]
}
