//! Clients of stores, built as their vendors' own tools would be from the environment's variables.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::ClientConfigKey;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use stackmill_schemas::path::escape;
use stackmill_schemas::{Error, Result};

use super::http::Connector;
use super::uri::{Location, Scheme};

/// Longest time for one request with its body: a part of 16 MiB at 140 KB/s.
const REQUEST_TIMEOUT: &str = "120 seconds";

/// Longest time to wait for a connection.
const CONNECT_TIMEOUT: &str = "10 seconds";

/// Values of variables that are shorter are no secrets.
const SHORTEST_SECRET: usize = 8;

/// What clients are built from.
#[derive(Clone)]
pub struct Settings {
    /// Variables of the environment by name; those of [`Settings::PREFIXES`] are looked at.
    pub variables: BTreeMap<String, String>,
    /// How often a request is made before its trouble counts, at least 1.
    pub attempts: u32,
    /// Bytes of one part of an upload; files up to this length are uploaded by one request. At least 5 MiB.
    pub part_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            variables: BTreeMap::new(),
            attempts: 8,
            part_bytes: 16 << 20,
        }
    }
}

impl Settings {
    /// How the names of the variables begin that say something about stores and credentials.
    pub const PREFIXES: &'static [&'static str] = &[
        "AWS_",
        "GOOGLE_",
        "AZURE_",
        "SERVICE_ACCOUNT",
        "IDENTITY_ENDPOINT",
        "MSI_ENDPOINT",
    ];

    /// Variables as the keys of a client, which knows them in lower case.
    fn keys<K: std::str::FromStr>(&self, prefixes: &[&str]) -> Vec<(K, &str)> {
        let ours = self
            .variables
            .iter()
            .filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
        ours.filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value.as_str())))
            .collect()
    }

    fn retries(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(15),
                base: 2.0,
            },
            max_retries: self.attempts.max(1) as usize - 1,
            // The number of attempts is the limit: a server may ask for a minute before each.
            retry_timeout: Duration::from_secs(3600),
        }
    }

    /// `text` without the values of variables.
    fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for value in self.variables.values().filter(|value| value.len() >= SHORTEST_SECRET) {
            text = text.replace(value.as_str(), "…");
        }
        escape(text.as_bytes())
    }

    /// The client of the store that `location` is in.
    pub(super) fn client(&self, location: &Location) -> Result<Arc<dyn ObjectStore>> {
        let built = match location.scheme {
            Scheme::S3 => self.s3(location),
            Scheme::Gs => self.gs(location),
            Scheme::Az => self.az(location),
            Scheme::Http | Scheme::Https => self.web(location),
        };
        built.map_err(|error| {
            let words = self.without_secrets(&error.to_string());
            let store = format!("{}://{}", location.scheme.as_str(), location.bucket);
            Error::config(format!("the settings of {store} make no sense: {words}"))
                .hint("docs/guide/object-stores.md lists the variables that are read")
        })
    }

    fn s3(&self, location: &Location) -> object_store::Result<Arc<dyn ObjectStore>> {
        let mut builder = AmazonS3Builder::new()
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), REQUEST_TIMEOUT)
            .with_config(
                AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout),
                CONNECT_TIMEOUT,
            );
        for (key, value) in self.keys(&["AWS_"]) {
            let is_endpoint = matches!(key, AmazonS3ConfigKey::Endpoint | AmazonS3ConfigKey::S3Endpoint);
            builder = builder.with_config(key, value);
            if is_endpoint && is_plain(value) {
                builder = builder.with_allow_http(true);
            }
        }
        let builder = builder.with_bucket_name(&location.bucket).with_retry(self.retries());
        Ok(Arc::new(builder.with_http_connector(Connector::default()).build()?))
    }

    fn gs(&self, location: &Location) -> object_store::Result<Arc<dyn ObjectStore>> {
        let plain = GoogleConfigKey::Client(ClientConfigKey::AllowHttp);
        let mut builder = GoogleCloudStorageBuilder::new()
            .with_config(GoogleConfigKey::Client(ClientConfigKey::Timeout), REQUEST_TIMEOUT)
            .with_config(
                GoogleConfigKey::Client(ClientConfigKey::ConnectTimeout),
                CONNECT_TIMEOUT,
            );
        for (key, value) in self.keys(&["GOOGLE_", "SERVICE_ACCOUNT"]) {
            if key == GoogleConfigKey::BaseUrl && is_plain(value) {
                builder = builder.with_config(plain, "true");
            }
            builder = builder.with_config(key, value);
        }
        let builder = builder.with_bucket_name(&location.bucket).with_retry(self.retries());
        Ok(Arc::new(builder.with_http_connector(Connector::default()).build()?))
    }

    fn az(&self, location: &Location) -> object_store::Result<Arc<dyn ObjectStore>> {
        let mut builder = MicrosoftAzureBuilder::new()
            .with_config(AzureConfigKey::Client(ClientConfigKey::Timeout), REQUEST_TIMEOUT)
            .with_config(AzureConfigKey::Client(ClientConfigKey::ConnectTimeout), CONNECT_TIMEOUT);
        for (key, value) in self.keys(&["AZURE_", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"]) {
            if key == AzureConfigKey::Endpoint && is_plain(value) {
                builder = builder.with_allow_http(true);
            }
            builder = builder.with_config(key, value);
        }
        let builder = builder.with_container_name(&location.bucket).with_retry(self.retries());
        Ok(Arc::new(builder.with_http_connector(Connector::default()).build()?))
    }

    fn web(&self, location: &Location) -> object_store::Result<Arc<dyn ObjectStore>> {
        let options = ClientOptions::new()
            .with_config(ClientConfigKey::Timeout, REQUEST_TIMEOUT)
            .with_config(ClientConfigKey::ConnectTimeout, CONNECT_TIMEOUT)
            .with_allow_http(location.scheme == Scheme::Http);
        let builder = HttpBuilder::new()
            .with_url(format!("{}://{}", location.scheme.as_str(), location.bucket))
            .with_client_options(options)
            .with_retry(self.retries());
        Ok(Arc::new(builder.with_http_connector(Connector::default()).build()?))
    }
}

/// Whoever names an endpoint without TLS means it.
fn is_plain(endpoint: &str) -> bool {
    endpoint.starts_with("http://")
}
