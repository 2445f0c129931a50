//! Ends our processes when this one ends in whatever way: what is killed drops nothing.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Waits until its standard input ends, which is when this process does; then ends everything in its list. A signal to all of
/// a terminal's processes, or of a time limit's, is not its end.
const WAIT: &str = r#"trap '' HUP INT TERM; read -r _; while read -r pid; do kill -9 "$pid"; done < "$0" 2>/dev/null"#;

/// A watch over processes.
pub(super) struct Guard {
    shell: Child,
    list: PathBuf,
}

impl Guard {
    /// Watches; the list is kept in `directory`.
    pub(super) fn start(directory: &Path) -> io::Result<Self> {
        let list = directory.join("processes");
        fs::write(&list, "")?;
        let mut shell = Command::new("sh");
        shell.args(["-c", WAIT]).arg(&list).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { shell: shell.spawn()?, list })
    }

    /// The list.
    pub(super) fn list(&self) -> &Path {
        &self.list
    }
}

/// Takes a process into a list.
pub(super) fn watch(list: &Path, process: u32) -> io::Result<()> {
    writeln!(File::options().append(true).open(list)?, "{process}")
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The processes of a farm that is dropped have ended; without its input the shell would look for them.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
