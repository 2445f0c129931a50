//! Credential helpers: programs `docker-credential-NAME` that keep passwords for docker. Protocol of
//! docker/docker-credential-helpers: `get`, with the server on standard input and JSON on standard output.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::credentials::Credential;
use super::secret::Secret;

/// The longest that a helper may take; it may be waiting for a person to unlock a key ring.
const TIME: Duration = Duration::from_secs(60);
/// The most that it may say.
const OUTPUT: u64 = 64 << 10;

/// Why a helper gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("credential helper {helper}: {reason}")]
pub(super) struct ProgramError {
    helper: String,
    reason: String,
}

/// Asks the helper called `name` for `server`; `None` where it knows of nothing.
pub(super) async fn get(name: &str, server: &str) -> Result<Option<Credential>, ProgramError> {
    let program = format!("docker-credential-{name}");
    let is_name =
        !name.is_empty() && name.len() <= 100 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !is_name {
        let helper = crate::text::visible(&program.chars().take(120).collect::<String>()).into_owned();
        return Err(ProgramError { helper, reason: "not a name of a program".into() });
    }
    run(Path::new(&program), server).await
}

/// Runs `program get`. What it prints is never repeated in an error, since it may be the secret.
pub(super) async fn run(program: &Path, server: &str) -> Result<Option<Credential>, ProgramError> {
    let failed = |reason: String| ProgramError { helper: program.display().to_string(), reason };
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let conversation = async {
        if let Some(mut stdin) = stdin {
            // One that does not read has decided already.
            let _ = stdin.write_all(server.as_bytes()).await;
        }
        let mut output = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(OUTPUT + 1).read_to_end(&mut output).await?;
        }
        if output.len() as u64 > OUTPUT {
            return Ok((None, output));
        }
        Ok::<_, std::io::Error>((Some(child.wait().await?), output))
    };
    let (status, output) = match tokio::time::timeout(TIME, conversation).await {
        Err(_) => return Err(failed(format!("no answer in {} s", TIME.as_secs()))),
        Ok(result) => result.map_err(|error| failed(error.to_string()))?,
    };
    match status {
        None => Err(failed("it says more than 64 KiB".into())),
        Some(status) if status.success() => {
            let answer: Answer = serde_json::from_slice(&output).map_err(|_| failed("its answer is no JSON".into()))?;
            Ok(answer.credential())
        }
        // The phrase is part of the protocol.
        Some(_) if output.starts_with(b"credentials not found") => Ok(None),
        Some(status) => Err(failed(status.to_string())),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: Secret,
}

impl Answer {
    fn credential(self) -> Option<Credential> {
        match self.username.as_str() {
            _ if self.secret.is_empty() => None,
            "<token>" => Some(Credential::IdentityToken(self.secret)),
            "" => None,
            _ => Some(Credential::Password { username: self.username, password: self.secret }),
        }
    }
}
