//! Between a store's client and its connection: what servers say is made into errors that retries understand.
//!
//! ```text
//!   object_store ─► [Patient] ─► connection     retries with backoff are the client's own
//!      429, 5xx, a connection or body that breaks   ─► tried again, after what Retry-After asks for
//!      401, 403 and other refusals                  ─► at once an error with the store's word for it, nothing else
//!      the last request of an upload in parts (S3)  ─► only if nobody was faster (If-None-Match)
//! ```

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::{ClientOptions, HeaderValue};

/// Longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Longest error body that is looked at, in bytes.
const LONGEST_BODY: usize = 64 << 10;

/// Hosts that give credentials to programs that run inside a cloud.
const METADATA_HOSTS: [&str; 2] = ["169.254.169.254", "metadata.google.internal"];

/// Makes connections whose answers are judged by [`Patient`].
#[derive(Debug, Default)]
pub(super) struct Connector {
    inner: ReqwestConnector,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Patient {
            client: self.inner.connect(options)?,
            is_conditional: AtomicBool::new(true),
        }))
    }
}

/// A server's refusal, in its own word.
#[derive(Debug)]
pub(super) struct Refused {
    /// HTTP status.
    pub(super) status: u16,
    /// The store's word for it, such as `SlowDown`; empty where it has none.
    pub(super) code: String,
}

impl Refused {
    /// Whether it may go away by itself.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self.status, 408 | 429 | 500 | 502 | 503 | 504)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code.is_empty() {
            true => write!(f, "status {}", self.status),
            false => write!(f, "status {}, {}", self.status, self.code),
        }
    }
}

impl std::error::Error for Refused {}

/// Nobody gave us credentials, and no cloud does.
#[derive(Debug)]
pub(super) struct NoCredentials;

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no credentials")
    }
}

impl std::error::Error for NoCredentials {}

#[derive(Debug)]
struct Patient {
    client: HttpClient,
    /// Until the store says that it does not know conditions at the end of an upload.
    is_conditional: AtomicBool,
}

#[async_trait]
impl HttpService for Patient {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if !ends_upload(&request) || !self.is_conditional.load(Ordering::Relaxed) {
            return self.judged(request).await;
        }
        let plain = request.clone();
        request
            .headers_mut()
            .insert("if-none-match", HeaderValue::from_static("*"));
        match self.judged(request).await {
            Err(error) if refusal(&error).is_some_and(|refused| refused.status == 501) => {
                self.is_conditional.store(false, Ordering::Relaxed);
                self.judged(plain).await
            }
            done => done,
        }
    }
}

impl Patient {
    async fn judged(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_metadata = request.uri().host().is_some_and(|host| METADATA_HOSTS.contains(&host));
        let is_short = request.method().as_str() != "GET" || lists(&request);
        let response = match self.client.execute(request).await {
            Ok(response) if response.status().is_success() || !is_metadata => response,
            _ if is_metadata => return Err(HttpError::new(HttpErrorKind::Unknown, NoCredentials)),
            Ok(response) => response,
            Err(error) => return Err(again(error)),
        };
        match response.status().as_u16() {
            200..400 if is_short => whole(response).await,
            200..400 | 404 | 409 | 412 | 416 => Ok(response),
            _ => Err(refused(response).await),
        }
    }
}

/// Trouble with a connection is worth another try, whatever was asked: uploads are put if absent and compared.
fn again(error: HttpError) -> HttpError {
    HttpError::new(HttpErrorKind::Request, error)
}

/// Whether it is the last request of an upload in parts, as S3 has it.
fn ends_upload(request: &HttpRequest) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.method().as_str() == "POST" && query.split('&').any(|pair| pair.starts_with("uploadId="))
}

fn lists(request: &HttpRequest) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query
        .split('&')
        .any(|pair| pair.starts_with("list-type=") || pair == "comp=list")
}

/// An answer that is in memory as a whole: if it breaks off, the request is made again.
async fn whole(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let bytes = body.bytes().await.map_err(again)?;
    Ok(HttpResponse::from_parts(parts, bytes.into()))
}

/// Waits as long as the server asks for, and makes an error of its answer.
async fn refused(response: HttpResponse) -> HttpError {
    let wait = retry_after(&response);
    let status = response.status().as_u16();
    let body = response.into_body().bytes().await.unwrap_or_default();
    let code = code_of(&body[..body.len().min(LONGEST_BODY)]);
    let refused = Refused { status, code };
    if !refused.is_transient() {
        return HttpError::new(HttpErrorKind::Unknown, refused);
    }
    tokio::time::sleep(wait).await;
    HttpError::new(HttpErrorKind::Request, refused)
}

/// Seconds that `Retry-After` asks for; a date is not looked at, since the client backs off anyway.
fn retry_after(response: &HttpResponse) -> Duration {
    let header = response.headers().get("retry-after");
    let seconds = header.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(0)).min(LONGEST_WAIT)
}

/// The word between `<Code>` and `</Code>`: no other part of a body is shown, since some stores repeat keys in it.
fn code_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    let is_word = |code: &&str| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    code.map(|(code, _)| code)
        .filter(is_word)
        .unwrap_or_default()
        .to_owned()
}

/// The refusal that an error stands for.
pub(super) fn refusal<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Refused> {
    cause(error)
}

/// The first error of type `T` among the causes.
pub(super) fn cause<'a, T: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a T> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        at = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_of_a_refusal_is_taken() {
        let body = b"<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
        assert_eq!(code_of(body), "InvalidAccessKeyId");
        for odd in [&b"<Code>a b</Code>"[..], b"<Code>", b"", b"<Code>\x1b[31m</Code>"] {
            assert_eq!(code_of(odd), "");
        }
    }
}
