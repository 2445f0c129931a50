//! Where requests go and how they are signed, worked out once for a store.

use std::sync::OnceLock;

use aws_sdk_s3::config::endpoint::{DefaultResolver, Endpoint, EndpointFuture, Params, ResolveEndpoint};

/// The SDK's rules, whose answer depends on bucket and configuration and never on the key. The SDK goes through them twice for
/// each request, an eighth of what a small one costs.
#[derive(Debug, Default)]
pub(super) struct OneBucket {
    rules: DefaultResolver,
    known: OnceLock<(Option<String>, Endpoint)>,
}

impl ResolveEndpoint for OneBucket {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        if let Some((bucket, endpoint)) = self.known.get()
            && bucket.as_deref() == params.bucket()
        {
            return EndpointFuture::ready(Ok(endpoint.clone()));
        }
        EndpointFuture::new(async {
            let endpoint = self.rules.resolve_endpoint(params).await?;
            let _ = self.known.set((params.bucket().map(str::to_owned), endpoint.clone()));
            Ok(endpoint)
        })
    }
}
