//! What reading a blob took: the requests that went out for it, and the bytes that came.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts while a blob is opened and read. What is asked again, redirected or asked of a token server counts too, and
/// bytes count as often as they come.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Meter {
    /// Requests that were sent, to registries, token servers and wherever these led.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes of the blob that were received.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn sent(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::{Patience, Registry, RegistryOptions};
    use super::*;
    use crate::digest::Digest;
    use crate::image::Descriptor;

    /// Answers one connection after the other, whatever is asked; how often it was asked is what the thread yields.
    fn serve(listener: TcpListener, answers: Vec<String>) -> std::thread::JoinHandle<u64> {
        std::thread::spawn(move || {
            let mut asked = 0;
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                asked += u64::from(lines.map_while(Result::ok).take_while(|line| !line.is_empty()).count() > 0);
                stream.write_all(answer.as_bytes()).unwrap();
            }
            asked
        })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn counts_what_is_asked_again_redirected_and_taken_up_where_it_broke_off() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let close = "Connection: close\r\n";
        let answers = vec![
            format!("HTTP/1.1 503 Busy\r\n{close}Content-Length: 0\r\n\r\n"),
            format!("HTTP/1.1 200 OK\r\n{close}Content-Length: 1000\r\n\r\n{}", "x".repeat(600)),
            format!("HTTP/1.1 307 There\r\n{close}Location: /there\r\nContent-Length: 0\r\n\r\n"),
            format!(
                "HTTP/1.1 206 Part\r\n{close}Content-Range: bytes 600-999/1000\r\nContent-Length: 400\r\n\r\n{}",
                "x".repeat(400)
            ),
        ];
        let server = serve(listener, answers);
        let patience = Patience { pause: Duration::from_millis(5), ..Patience::default() };
        let registry = Registry::new(RegistryOptions { patience, ..RegistryOptions::default() });
        let content = "x".repeat(1000);
        let blob = Descriptor { media_type: String::new(), digest: Digest::of(content.as_bytes()), size: 1000 };
        let meter = Arc::new(Meter::default());
        let reference = format!("{address}/repo:tag").parse().unwrap();
        let mut stream = registry.blob_metered(&reference, &blob, Arc::clone(&meter)).await.unwrap();
        let read = move || {
            let mut read = String::new();
            stream.read_to_string(&mut read).map(|_| read)
        };
        assert_eq!(tokio::task::spawn_blocking(read).await.unwrap().unwrap(), content);
        assert_eq!((meter.requests(), meter.bytes()), (4, 1000));
        assert_eq!(server.join().unwrap(), meter.requests(), "the server counts the same");
    }
}
