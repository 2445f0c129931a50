//! Reading an object, and never more than the largest that is allowed.

use std::sync::atomic::Ordering;

use aws_sdk_s3::operation::get_object::GetObjectOutput;

use super::S3Store;
use super::failure::Failure;
use crate::door::store::MAX_OBJECT;
use crate::telemetry::metrics as names;

/// Made room for at once; a longer object finds its room while it comes.
const ROOM: u64 = 16 << 20;

impl S3Store {
    /// An object with its entity tag.
    pub(super) async fn download(&self, key: &str) -> Result<(Vec<u8>, String), Failure> {
        let answer = self.patience.ask("get", || async {
            let request = self.client.get_object().bucket(&self.bucket).key(key);
            let answer = self.patience.limit(0, async { Ok(request.send().await?) }).await?;
            let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
            if length.is_some_and(|length| length > MAX_OBJECT) {
                return Err(too_large());
            }
            let tag = answer.e_tag.clone().ok_or_else(|| Failure::again("an object without an entity tag"))?;
            let object = self.patience.limit(length.unwrap_or(0) as usize, body(answer, length)).await?;
            Ok((object, tag))
        });
        let value = answer.await.value;
        if matches!(value, Ok(_) | Err(Failure::Absent)) {
            self.bucket_seen.store(true, Ordering::Relaxed);
        }
        if let Ok((object, _)) = &value {
            metrics::counter!(names::STORE_BYTES, "direction" => "read").increment(object.len() as u64);
        }
        value
    }
}

async fn body(mut answer: GetObjectOutput, length: Option<u64>) -> Result<Vec<u8>, Failure> {
    let mut object = Vec::with_capacity(length.unwrap_or(0).min(ROOM) as usize);
    while let Some(piece) = answer.body.next().await {
        let piece = piece.map_err(|error| Failure::again(format!("an object broke off: {error}")))?;
        if (object.len() + piece.len()) as u64 > MAX_OBJECT {
            return Err(too_large());
        }
        object.extend_from_slice(&piece);
    }
    match length {
        Some(length) if length != object.len() as u64 => Err(Failure::again("an object is shorter than its length")),
        _ => Ok(object),
    }
}

fn too_large() -> Failure {
    Failure::Refused(format!("an object is larger than {MAX_OBJECT} bytes, which lazaret has not written"))
}
