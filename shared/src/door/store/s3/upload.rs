//! Putting an object, in parts where it is large, and removing one.

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::S3Store;
use super::failure::Failure;
use super::patience::Answer;
use crate::telemetry::metrics as names;

/// Up to here an object goes in one request.
const ONE_REQUEST: usize = 32 << 20;
/// The size of a part of a larger one.
const PART: usize = 16 << 20;
/// How many parts are on the way at once.
const PARTS_AT_ONCE: usize = 4;

impl S3Store {
    /// Puts an object. A repeated attempt puts the same bytes, so that an answer which was lost does no harm.
    pub(super) async fn upload(&self, key: &str, object: Bytes) -> Result<(), Failure> {
        let length = object.len() as u64;
        if object.len() <= ONE_REQUEST {
            self.put_one(key, object, |request| request).await.value?;
        } else {
            match self.put_parts(key, &object).await {
                // The upload is gone: completed by a request whose answer was lost, or cleaned away. Once more, to be sure.
                Err(Failure::Absent) => self.put_parts(key, &object).await?,
                done => done?,
            }
        }
        metrics::counter!(names::STORE_BYTES, "direction" => "written").increment(length);
        Ok(())
    }

    /// Puts an object by one request, which `with` may set conditions on; the answer's entity tag.
    pub(super) async fn put_one(
        &self,
        key: &str,
        object: Bytes,
        with: impl Fn(PutObjectFluentBuilder) -> PutObjectFluentBuilder,
    ) -> Answer<Result<String, Failure>> {
        let send = || async {
            let request = self.client.put_object().bucket(&self.bucket).key(key).body(object.clone().into());
            let answer = self.patience.limit(object.len(), async { Ok(with(request).send().await?) }).await?;
            tag(answer.e_tag)
        };
        self.patience.ask("put", send).await
    }

    async fn put_parts(&self, key: &str, object: &Bytes) -> Result<(), Failure> {
        let begin = || async {
            let request = self.client.create_multipart_upload().bucket(&self.bucket).key(key);
            let answer = self.patience.limit(0, async { Ok(request.send().await?) }).await?;
            answer.upload_id.ok_or_else(|| Failure::again("an upload without an id"))
        };
        let upload = self.patience.ask("upload-begin", begin).await.value?;
        let done = self.put_parts_of(key, &upload, object).await;
        if done.is_err() {
            // The failure is what is reported; parts that stay are for the bucket's lifecycle rule.
            let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(&upload);
            let _ = self.patience.limit(0, async { Ok(abort.send().await?) }).await;
        }
        done
    }

    async fn put_parts_of(&self, key: &str, upload: &str, object: &Bytes) -> Result<(), Failure> {
        let part = |(number, start): (i32, usize)| async move {
            let bytes = object.slice(start..object.len().min(start + PART));
            let send = || async {
                let request = self.client.upload_part().bucket(&self.bucket).key(key).upload_id(upload);
                let request = request.part_number(number).body(bytes.clone().into());
                tag(self.patience.limit(bytes.len(), async { Ok(request.send().await?) }).await?.e_tag)
            };
            let tag = self.patience.ask("upload-part", send).await.value?;
            Ok::<_, Failure>(CompletedPart::builder().part_number(number).e_tag(tag).build())
        };
        let starts = (1..).zip((0..object.len()).step_by(PART));
        let parts: Vec<_> = stream::iter(starts.map(part)).buffered(PARTS_AT_ONCE).try_collect().await?;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = || async {
            let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
            let request = request.multipart_upload(parts.clone());
            tag(self.patience.limit(0, async { Ok(request.send().await?) }).await?.e_tag).map(drop)
        };
        self.patience.ask("upload-end", complete).await.value
    }

    /// Removes an object, if it is there.
    pub(super) async fn delete(&self, key: &str) -> Result<(), Failure> {
        let send = || async {
            let request = self.client.delete_object().bucket(&self.bucket).key(key);
            self.patience.limit(0, async { Ok(request.send().await?) }).await
        };
        match self.patience.ask("remove", send).await.value {
            Ok(_) | Err(Failure::Absent) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

/// What was stored has an entity tag. An answer without one is no success, whatever its status says: an error may stand
/// in the body.
fn tag(tag: Option<String>) -> Result<String, Failure> {
    tag.ok_or_else(|| Failure::again("a success that names no stored object"))
}
