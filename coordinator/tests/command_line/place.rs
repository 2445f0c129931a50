//! A place to run `lazaret` in: home, cache, data and temporary directories that nobody else has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The program.
pub const LAZARET: &str = env!("CARGO_BIN_EXE_lazaret");

/// The directories.
pub struct Place(TempDir);

/// How a run ended, and what it wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    /// The exit status.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Place {
    /// New, empty directories.
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for name in ["home", "cache", "data", "tmp", "work"] {
            fs::create_dir(place.0.path().join(name)).unwrap();
        }
        place
    }

    /// A path in the working directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("work").join(name)
    }

    /// Writes a file in the working directory.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// `program`, in these directories and with nothing of the surroundings but where programs are.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = |name: &str| self.0.path().join(name);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", path("home")).env("XDG_CACHE_HOME", path("cache")).env("XDG_DATA_HOME", path("data"));
        command.env("TMPDIR", path("tmp")).current_dir(path("work")).stdin(Stdio::null());
        command
    }

    /// `lazaret` with these arguments.
    pub fn lazaret(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(LAZARET);
        command.args(arguments);
        command
    }

    /// Runs `lazaret`. Into pipes it never writes what only a terminal understands, and it never leaves a temporary file.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.end(self.lazaret(arguments).output().unwrap())
    }

    /// Looks at what a run wrote and left.
    pub fn end(&self, output: Output) -> Ran {
        let Output { status, stdout, stderr } = output;
        for bytes in [&stdout, &stderr] {
            let odd = bytes.iter().find(|byte| byte.is_ascii_control() && !b"\n\t".contains(byte));
            assert_eq!(odd, None, "{}", String::from_utf8_lossy(bytes));
        }
        let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert_eq!(self.temporary_files(), 0);
        Ran { code: status.code(), stdout, stderr }
    }

    /// How many files the temporary directory has.
    pub fn temporary_files(&self) -> usize {
        files(&self.0.path().join("tmp")).len()
    }
}

/// The names of what is in a directory, sorted.
pub fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl Ran {
    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// Fails the test unless the run ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }
}
