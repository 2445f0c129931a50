//! Where an S3 server is and how to show who we are: the store's URL, then the standard AWS variables and files.

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::{Builder, tls};
use aws_types::service_config::ServiceConfigKey;

use super::endpoint::OneBucket;
use super::patience::Patience;
use crate::door::store::StoreError;

/// What is set here stands over the AWS variables (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, `AWS_REGION`,
/// `AWS_PROFILE`, `AWS_ACCESS_KEY_ID`, …) and the files of a profile; nothing needs to be set.
#[derive(Clone, Default)]
pub struct S3Settings {
    /// The server; Amazon's where nothing names one.
    pub endpoint: Option<String>,
    /// The region that requests are signed for; `us-east-1` where there is an endpoint and nothing names a region.
    pub region: Option<String>,
    /// The profile in the AWS files.
    pub profile: Option<String>,
    /// Whether the bucket stands in the path rather than in the host's name: so where there is an endpoint.
    pub path_style: Option<bool>,
    /// Access key id and secret key, for servers that this process has started itself.
    pub credentials: Option<(String, String)>,
    /// The limits of waiting.
    pub patience: Patience,
}

/// The parts of `s3://BUCKET/PREFIX`.
pub(super) struct Place {
    pub bucket: String,
    /// Empty, or ending in a slash.
    pub prefix: String,
}

/// Reads what follows `s3:`; the query may hold `endpoint`, `region`, `profile` and `path-style`.
pub(super) fn parse(rest: &str, settings: &mut S3Settings) -> Result<Place, StoreError> {
    let wrong = |what: &str| StoreError::Refused(format!("the URL of an S3 store is s3://BUCKET/PREFIX: {what}"));
    let rest = rest.strip_prefix("//").ok_or_else(|| wrong("two slashes are missing"))?;
    if rest.contains('@') {
        // Not repeated: what stands before it is a secret.
        return Err(wrong("credentials do not belong there; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret"));
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("endpoint", url) if url.starts_with("http://") || url.starts_with("https://") => {
                settings.endpoint = Some(url.to_owned());
            }
            ("region", region) if !region.is_empty() => settings.region = Some(region.to_owned()),
            ("profile", profile) if !profile.is_empty() => settings.profile = Some(profile.to_owned()),
            ("path-style", "true") => settings.path_style = Some(true),
            ("path-style", "false") => settings.path_style = Some(false),
            _ => return Err(wrong("after `?` come endpoint=URL, region=, profile= and path-style=true or false")),
        }
    }
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if !(1..=255).contains(&bucket.len()) || !bucket.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        return Err(wrong("the bucket's name is missing or malformed"));
    }
    let prefix = match prefix.trim_end_matches('/') {
        "" => String::new(),
        directory => format!("{}/", crate::door::store::check(directory)?),
    };
    Ok(Place { bucket: bucket.to_owned(), prefix })
}

/// A client for these settings; asks the server nothing.
pub(super) async fn client(settings: &S3Settings) -> Result<Client, StoreError> {
    let patience = settings.patience;
    // Trusted certificates are read when this is first used: by a server that speaks TLS, or to obtain credentials.
    let tls = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc)).build_https();
    let sdk = sdk_config(settings).http_client(tls).load().await;
    let endpoint = endpoint(&sdk);
    if sdk.region().is_none() && endpoint.is_none() {
        return Err(StoreError::Refused(
            "no region for S3; set AWS_REGION, or AWS_ENDPOINT_URL_S3 for a server".into(),
        ));
    }
    let path_style = settings.path_style.or_else(path_style_variable).unwrap_or(endpoint.is_some());
    let mut config = aws_sdk_s3::config::Builder::from(&sdk)
        .force_path_style(path_style)
        .endpoint_resolver(OneBucket::default())
        // Attempts and their limits are ours (patience.rs): the SDK's do not cover the reading of a body.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(patience.connect).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // Not every server understands the trailers that are the default. The signature covers a SHA-256 of what is
        // put, so that bytes which were harmed on the way are refused.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if sdk.region().is_none() {
        config = config.region(Region::from_static("us-east-1"));
    }
    if endpoint.is_some_and(|url| url.starts_with("http://")) {
        config = config.http_client(Builder::new().build_http());
    }
    Ok(Client::from_conf(config.build()))
}

fn sdk_config(settings: &S3Settings) -> aws_config::ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    let mut profile_region = ProfileFileRegionProvider::builder();
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
        profile_region = profile_region.profile_name(profile);
    }
    // Not the default chain, which ends by asking for a cloud's metadata: seconds, wherever there is none.
    let region = RegionProviderChain::first_try(settings.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(profile_region.build());
    loader = loader.region(region);
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some((id, secret)) = &settings.credentials {
        loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "settings"));
    }
    loader
}

/// The server that variables, files or settings name for S3, as the SDK finds it.
fn endpoint(sdk: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok();
    let own = || sdk.service_config()?.load_config(key?);
    match sdk.get_origin("endpoint_url").is_client_config() {
        true => sdk.endpoint_url().map(str::to_owned),
        false => own().or_else(|| sdk.endpoint_url().map(str::to_owned)),
    }
}

fn path_style_variable() -> Option<bool> {
    match std::env::var("AWS_S3_FORCE_PATH_STYLE").ok()?.as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}
