//! Server-sent events of a job, as they come.

use reqwest::Response;

use super::answer::{self, FarmError};
use super::{Address, JobView};
use crate::serve::job::JobEvent;

/// The most bytes of one event.
const MAX_EVENT: usize = 1 << 20;

/// The events of one connection.
#[derive(Debug)]
pub struct Events {
    response: Response,
    farm: Address,
    /// What has come and is not read yet.
    came: Vec<u8>,
    /// How much of it has no line end.
    searched: usize,
}

impl Events {
    pub(super) fn new(response: Response, farm: &Address) -> Self {
        Self { response, farm: farm.clone(), came: Vec::new(), searched: 0 }
    }

    /// The next event; none when the farm has ended the connection. Events that this build does not know are passed over.
    ///
    /// # Errors
    /// The connection broke, or what comes is none of a farm.
    pub async fn next(&mut self) -> Result<Option<JobEvent>, FarmError> {
        let mut kind = String::new();
        let mut data = String::new();
        while let Some(line) = self.line().await? {
            if line.is_empty() {
                if let Some(event) = read(&kind, &data) {
                    return Ok(Some(event));
                }
                (kind, data) = Default::default();
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut kind),
                "data" if data.len() + value.len() > MAX_EVENT => return Err(self.too_long()),
                "data" => data.push_str(value),
                // Comments, ids and times: after a break the present state comes first, whatever the last id was.
                _ => {}
            }
        }
        Ok(None)
    }

    async fn line(&mut self) -> Result<Option<String>, FarmError> {
        loop {
            let rest = self.came.get(self.searched..).unwrap_or_default();
            if let Some(at) = rest.iter().position(|&byte| byte == b'\n') {
                let mut line: Vec<u8> = self.came.drain(..=self.searched + at).collect();
                self.searched = 0;
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            self.searched = self.came.len();
            if self.searched > MAX_EVENT {
                return Err(self.too_long());
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.came.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) => return Err(answer::unreachable(&self.farm, &error)),
            }
        }
    }

    fn too_long(&self) -> FarmError {
        FarmError::NoFarm { farm: self.farm.to_string(), status: self.response.status().as_u16() }
    }
}

fn read(kind: &str, data: &str) -> Option<JobEvent> {
    match kind {
        "job" => serde_json::from_str::<JobView>(data).ok().map(JobEvent::Job),
        "image" => serde_json::from_str(data).ok().map(JobEvent::Image),
        _ => None,
    }
}
