//! What a process counts, as it tells Prometheus.

use std::net::SocketAddr;

use reqwest::Client;
use tokio::runtime::Runtime;

use super::FarmError;

/// The metrics of a process, as they were a moment ago.
#[derive(Clone, Debug)]
pub struct Counted(String);

impl Counted {
    /// Asks for them.
    pub(super) fn fetch(address: SocketAddr, runtime: &Runtime) -> Result<Self, FarmError> {
        let odd = |error: reqwest::Error| FarmError::Odd(format!("metrics of a worker: {error}"));
        let client = Client::builder().no_proxy().tls_certs_only([]).build().map_err(odd)?;
        let text = runtime.block_on(async {
            client.get(format!("http://{address}/metrics")).send().await?.error_for_status()?.text().await
        });
        Ok(Self(text.map_err(odd)?))
    }

    /// The sum of a counter over all its labels that have `label` among them, as in `outcome="reused"`; all where it is empty.
    pub fn sum(&self, name: &str, label: &str) -> u64 {
        let values = self.0.lines().filter_map(|line| {
            let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
            let is_it = labels.is_empty() || labels.starts_with('{');
            (is_it && labels.contains(label)).then(|| value.parse::<f64>().ok()).flatten()
        });
        values.sum::<f64>() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_what_has_the_label() {
        let text = "# TYPE tasks counter\ntasks{class=\"bulk\",outcome=\"reused\"} 2\ntasks{outcome=\"failed\"} 1\n\
                    tasks_other{outcome=\"reused\"} 8\nlost 3\n";
        let counted = Counted(text.to_owned());
        assert_eq!(counted.sum("tasks", "outcome=\"reused\""), 2);
        assert_eq!(counted.sum("tasks", ""), 3);
        assert_eq!((counted.sum("lost", ""), counted.sum("never", "")), (3, 0));
    }
}
