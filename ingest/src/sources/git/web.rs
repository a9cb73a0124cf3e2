//! HTTP for gix's git protocol: one request at a time, redirects of the first alone, refusals by their status.
//!
//! ```text
//!   GET  …/info/refs?service=git-upload-pack    at most 5 redirects, to the same path of another place
//!   POST …/git-upload-pack                      none
//!      408, 429, 5xx      ─► transient, after what Retry-After asks for
//!      other refusals     ─► final
//! ```

use std::any::Any;
use std::future::Future;
use std::io::{BufRead, Cursor, Error as IoError, Read, Write};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes};
use gix::protocol::transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use stackmill_schemas::Result;
use tokio::time::timeout;

use super::transport::{Guard, Guarded};
use crate::network::{GLANCE, Network, Web as Client};

/// Most redirects that are followed.
const MOST_REDIRECTS: usize = 5;

/// Longest request (16 MiB): what is wanted, one line a commit.
const LONGEST_REQUEST: usize = 16 << 20;

/// HTTP with our limits.
pub(super) struct Web {
    line: Line,
    redirected: Option<String>,
}

/// What it takes to send a request.
#[derive(Clone)]
struct Line {
    client: Client,
    network: Network,
    guard: Arc<Guard>,
}

impl Web {
    /// HTTP through the client of `network`.
    pub(super) fn new(network: &Network, guard: &Arc<Guard>) -> Result<Self> {
        Ok(Self {
            line: Line {
                client: network.web()?,
                network: network.clone(),
                guard: guard.clone(),
            },
            redirected: None,
        })
    }
}

impl Line {
    /// Drives `work` to its end, looking up now and then.
    fn wait<T>(&self, work: impl Future<Output = reqwest::Result<T>>) -> std::io::Result<T> {
        let mut work = pin!(work);
        let runtime = &self.client.runtime;
        let glance = || Ok(runtime.block_on(async { timeout(GLANCE, work.as_mut()).await.ok() }));
        self.guard.wait(glance)?.map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &reqwest::Error) -> IoError {
        let mut words = Vec::new();
        let mut next = Some(error as &(dyn std::error::Error + 'static));
        while let Some(cause) = next {
            words.push(cause.to_string());
            next = cause.source();
        }
        words.dedup();
        if error.is_connect() {
            self.guard.unreached();
        }
        match error.is_builder() {
            true => self.guard.fail(words.join(": "), false, None),
            false => self.guard.broke(error, words.join(": ")),
        }
    }

    fn send(&self, method: Method, url: &Url, headers: &HeaderMap, body: Vec<u8>) -> std::io::Result<Response> {
        let request = self.client.client.request(method, url.clone()).headers(headers.clone());
        let request = self.with_login(request, url).body(body);
        self.wait(request.send())
    }

    /// A login is sent to its own host alone, and never in the clear over a network.
    fn with_login(&self, request: RequestBuilder, url: &Url) -> RequestBuilder {
        let host = url.host_str().unwrap_or_default();
        let is_safe = url.scheme() == "https" || matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        match self.network.login(host, url.port()).filter(|_| is_safe) {
            Some(login) => request.basic_auth(&login.user, Some(&login.password)),
            None => request,
        }
    }

    /// The answer, if it is none that refuses.
    fn accepted(&self, response: Response) -> std::io::Result<Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
        let is_transient = status.is_server_error() || passing.contains(&status);
        let asked = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let pause = asked
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        let words = match status {
            StatusCode::UNAUTHORIZED => format!("the server answers {status}: it is not there, or asks for a login"),
            _ => format!("the server answers {status}"),
        };
        Err(self.guard.fail(words, is_transient, pause))
    }

    /// Gets `url`, wherever the server sends us; the answer, and where it came from.
    fn get(&self, url: &Url, headers: &HeaderMap) -> std::io::Result<(Response, Url)> {
        let mut url = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.send(Method::GET, &url, headers, Vec::new())?;
            match response.status().as_u16() {
                301 | 302 | 303 | 307 | 308 => url = self.next(&url, &response)?,
                _ => return Ok((self.accepted(response)?, url)),
            }
        }
        Err(self.guard.fail("the server redirects without an end", false, None))
    }

    /// Where a redirect leads; not from https to http.
    fn next(&self, url: &Url, response: &Response) -> std::io::Result<Url> {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let next = location.and_then(|location| url.join(location).ok());
        let is_ours = |next: &Url| next.scheme() == "https" || (next.scheme() == "http" && url.scheme() == "http");
        next.filter(is_ours).ok_or_else(|| {
            self.guard
                .fail("the server redirects to where we do not follow", false, None)
        })
    }

    fn url(&self, text: &str) -> std::io::Result<Url> {
        Url::parse(text).map_err(|_| self.guard.fail("not a URL that can be read", false, None))
    }
}

impl Http for Web {
    type Headers = Guarded<Headers>;
    type ResponseBody = Guarded<Body>;
    type PostBody = Outgoing;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let (line, headers) = (&self.line, header_map(headers));
        let answer = line.url(url).and_then(|url| line.get(&url, &headers));
        let (response, end) = answer.map_err(gix::Error::from_error)?;
        if end.as_str() != url {
            let tail = url.strip_prefix(base_url).unwrap_or(url);
            let base = end.as_str().strip_suffix(tail.trim_start_matches('/'));
            let lost = || {
                line.guard
                    .fail("the server redirects to another kind of page", false, None)
            };
            self.redirected = Some(base.ok_or_else(lost).map_err(gix::Error::from_error)?.to_owned());
        }
        let exchange = Exchange::answered(response);
        Ok(GetResponse {
            headers: Guarded::new(Headers::new(line, &exchange), &line.guard),
            body: Guarded::new(Body::new(line, &exchange), &line.guard),
        })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _kind: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let line = &self.line;
        let url = line.url(url).map_err(gix::Error::from_error)?;
        let exchange = Exchange::asked(url, header_map(headers));
        Ok(PostResponse {
            post_body: Outgoing(exchange.clone()),
            headers: Guarded::new(Headers::new(line, &exchange), &line.guard),
            body: Guarded::new(Body::new(line, &exchange), &line.guard),
        })
    }

    fn configure(&mut self, _config: &dyn Any) -> gix::Result {
        // The library has settings for the transport only where the repository has some.
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}

fn header_map(lines: impl IntoIterator<Item = impl AsRef<str>>) -> HeaderMap {
    let parsed = lines.into_iter().filter_map(|line| {
        let (name, value) = line.as_ref().split_once(':')?;
        Some((
            name.parse::<HeaderName>().ok()?,
            HeaderValue::from_str(value.trim()).ok()?,
        ))
    });
    parsed.collect()
}

/// One request and its answer; the request is sent when the answer is first looked at.
#[derive(Clone)]
struct Exchange(Arc<Mutex<State>>);

struct State {
    asked: Option<(Url, HeaderMap)>,
    sent: Vec<u8>,
    answer: Option<Response>,
}

impl Exchange {
    fn asked(url: Url, headers: HeaderMap) -> Self {
        Self(Arc::new(Mutex::new(State {
            asked: Some((url, headers)),
            sent: Vec::new(),
            answer: None,
        })))
    }

    fn answered(answer: Response) -> Self {
        Self(Arc::new(Mutex::new(State {
            asked: None,
            sent: Vec::new(),
            answer: Some(answer),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the request, if that was not done yet.
    fn settle(&self, line: &Line) -> std::io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if let Some((url, headers)) = state.asked.take() {
            let body = std::mem::take(&mut state.sent);
            let answer = line.send(Method::POST, &url, &headers, body)?;
            state.answer = Some(line.accepted(answer)?);
        }
        Ok(state)
    }
}

/// The body of a request, held until it is sent.
pub(super) struct Outgoing(Exchange);

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut state = self.0.state();
        if state.sent.len() + bytes.len() > LONGEST_REQUEST {
            return Err(IoError::other("the request is too long"));
        }
        state.sent.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The one header of an answer that the library looks at.
pub(super) struct Headers {
    line: Line,
    exchange: Exchange,
    text: Option<Cursor<Vec<u8>>>,
}

impl Headers {
    fn new(line: &Line, exchange: &Exchange) -> Self {
        Self {
            line: line.clone(),
            exchange: exchange.clone(),
            text: None,
        }
    }

    fn text(&mut self) -> std::io::Result<&mut Cursor<Vec<u8>>> {
        if self.text.is_none() {
            let state = self.exchange.settle(&self.line)?;
            let kind = state
                .answer
                .as_ref()
                .and_then(|answer| answer.headers().get(CONTENT_TYPE));
            let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            self.text = Some(Cursor::new(format!("content-type: {kind}\n").into_bytes()));
        }
        Ok(self.text.get_or_insert_default())
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.text()?.read(buffer)
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.text()?.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Some(text) = &mut self.text {
            text.consume(count);
        }
    }
}

/// The body of an answer, as it comes.
pub(super) struct Body {
    line: Line,
    exchange: Exchange,
    chunk: Bytes,
}

impl Body {
    fn new(line: &Line, exchange: &Exchange) -> Self {
        Self {
            line: line.clone(),
            exchange: exchange.clone(),
            chunk: Bytes::new(),
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        while self.chunk.is_empty() {
            let mut state = self.exchange.settle(&self.line)?;
            let Some(answer) = &mut state.answer else { break };
            match self.line.wait(answer.chunk())? {
                Some(chunk) => self.chunk = chunk,
                None => state.answer = None,
            }
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, count: usize) {
        self.chunk.advance(count);
    }
}
