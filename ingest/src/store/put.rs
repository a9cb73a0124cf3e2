//! Uploads: a file gets its one name once, or is found there already.
//!
//! ```text
//!   put if absent ─► done
//!        │ something is there (or the answer to an earlier try got lost)
//!        └► length and SHA-256 compared ─► the same: done · another: an error that says what to do
//! ```
//! Files of more than one part are uploaded in parts: nothing is visible before the last request, which S3 is asked to
//! carry out only if nobody was faster. Google and Azure know no such condition there: what is there is looked at before
//! and after.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use object_store::{Attribute, Attributes, PutMode, PutMultipartOptions, PutOptions, PutPayload};
use sha2::{Digest as _, Sha256};
use stackmill_schemas::ids::hex;
use stackmill_schemas::{Error, ErrorKind, Result, ResultExt as _};

use super::http::refusal;
use super::{At, Location, SHA256, Stores, noted_sha256};

/// Most parts of one upload, a little under what S3 allows.
const MOST_PARTS: u64 = 9_000;

/// How often a name is tried again that was taken a moment ago and is free now.
const TRIES: u32 = 3;

/// What to do where something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It must be the same.
    IfAbsent,
    /// It is replaced.
    Over,
    /// It is replaced, unless it is the same: then nobody who is reading it is disturbed.
    Renew,
}

/// A file on its way.
struct Upload<'a> {
    path: &'a Path,
    length: u64,
    sha256: &'a str,
    put: Put,
}

/// How an attempt ended.
enum Sent {
    Done,
    /// Something is there.
    Taken,
}

impl Stores {
    /// Uploads the file at `path`, whose SHA-256 is known, to its final name. `check` is asked between parts.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where another content has the name; transient [`ErrorKind::Source`] after the last attempt.
    pub fn put_file(
        &self,
        path: &Path,
        sha256: &str,
        to: (&Location, Put),
        check: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let (location, put) = to;
        if location.scheme.is_web() {
            return Err(
                Error::config(format!("`{location}` is on a web server, which is only read"))
                    .hint("write to a folder, or to s3://, gs:// or az://"),
            );
        }
        let at = self.at(location)?;
        let length = std::fs::metadata(path)
            .with_context(|| path.display().to_string())?
            .len();
        let mut upload = Upload {
            path,
            length,
            sha256,
            put,
        };
        for _ in 0..TRIES {
            match self.send(&at, &upload, check)? {
                Sent::Done => return Ok(()),
                Sent::Taken => match self.compared(&at, &upload)? {
                    Some(true) => return Ok(()),
                    Some(false) if put == Put::Renew => upload.put = Put::Over,
                    Some(false) => return Err(differs(&at)),
                    None => {}
                },
            }
        }
        Err(Error::source(format!(
            "`{location}` is taken and free by turns: somebody else is writing there"
        ))
        .transient()
        .hint("let one run end, then run the same command again to resume"))
    }

    fn send(&self, at: &At, upload: &Upload<'_>, check: &dyn Fn() -> Result<()>) -> Result<Sent> {
        if upload.length <= self.0.settings.part_bytes {
            return at.send_whole(upload, self.0.settings.attempts);
        }
        if upload.put != Put::Over && at.look()?.is_some() {
            return Ok(Sent::Taken);
        }
        if upload.put == Put::Over {
            // The condition on the last request would refuse to replace it.
            at.remove()?;
        }
        let part = self.0.settings.part_bytes.max(upload.length.div_ceil(MOST_PARTS));
        at.send_parts(upload, part, check)
    }

    /// Whether what is there is what was to be put; `None` where nothing is there any more.
    fn compared(&self, at: &At, upload: &Upload<'_>) -> Result<Option<bool>> {
        let Some((object, attributes)) = at.look()? else {
            return Ok(None);
        };
        if object.length != upload.length {
            return Ok(Some(false));
        }
        let sha256 = match noted_sha256(&attributes) {
            Some(noted) => noted.to_owned(),
            None => hash(self.reader(&object)?)?,
        };
        Ok(Some(sha256 == upload.sha256))
    }
}

fn differs(at: &At) -> Error {
    Error::input(format!("`{}` is there already with another content", at.uri))
        .hint("choose another --out, or start over there with --replace")
}

/// Hexadecimal SHA-256 of what is left.
fn hash(mut reader: super::Reader) -> Result<String> {
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader
            .read(&mut buffer)
            .map_err(|error| super::ours(&error).unwrap_or_else(|| error.into()))?
        {
            0 => return Ok(hex(&sha256.finalize())),
            count => sha256.update(&buffer[..count]),
        }
    }
}

impl Upload<'_> {
    fn attributes(&self) -> Attributes {
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::Metadata(SHA256.into()), self.sha256.to_owned().into());
        attributes
    }

    fn local<T>(&self, done: std::io::Result<T>) -> Result<T> {
        done.with_context(|| self.path.display().to_string())
    }
}

impl At {
    /// The client itself does not try a conditional put again when the connection breaks: nobody knows whether it was done.
    /// Here the next attempt finds out, since what is there is compared.
    fn send_whole(&self, upload: &Upload<'_>, attempts: u32) -> Result<Sent> {
        let bytes = bytes::Bytes::from(upload.local(std::fs::read(upload.path))?);
        let mut mode = match upload.put {
            Put::IfAbsent | Put::Renew => PutMode::Create,
            Put::Over => PutMode::Overwrite,
        };
        let mut left = attempts;
        loop {
            left = left.saturating_sub(1);
            let options = PutOptions {
                mode: mode.clone(),
                attributes: upload.attributes(),
                ..PutOptions::default()
            };
            let payload = PutPayload::from_bytes(bytes.clone());
            let sent = self.wait(self.client.put_opts(&self.key, payload, options));
            match sent {
                // A store that knows no conditions: looking first is the best that can be done.
                Err(error) if mode == PutMode::Create && knows_no_conditions(&error) => {
                    if self.look()?.is_some() {
                        return Ok(Sent::Taken);
                    }
                    mode = PutMode::Overwrite;
                }
                sent => match self.judged(sent.map(drop)) {
                    Err(error) if error.is_transient() && left > 0 && mode == PutMode::Create => {}
                    judged => return judged,
                },
            }
        }
    }

    fn send_parts(&self, upload: &Upload<'_>, part: u64, check: &dyn Fn() -> Result<()>) -> Result<Sent> {
        let mut file = upload.local(File::open(upload.path))?;
        let options = PutMultipartOptions {
            attributes: upload.attributes(),
            ..PutMultipartOptions::default()
        };
        let started = self.wait(self.client.put_multipart_opts(&self.key, options));
        let mut parts = started.map_err(|error| self.explained(&error))?;
        let mut send = || {
            let mut left = upload.length;
            while left > 0 {
                check()?;
                let mut bytes = vec![0; left.min(part) as usize];
                upload.local(file.read_exact(&mut bytes))?;
                left -= bytes.len() as u64;
                self.wait(parts.put_part(bytes.into()))
                    .map_err(|error| self.explained(&error))?;
            }
            check()?;
            match self.wait(parts.complete()) {
                Err(error) => self.judged(Err(error)),
                Ok(_) => Ok(Sent::Done),
            }
        };
        let sent = send();
        if !matches!(sent, Ok(Sent::Done)) {
            // Parts that stay behind cost space, not correctness; the error that led here is the one worth telling.
            let _ = self.wait(parts.abort());
        }
        match sent {
            // An earlier try of the last request may have done it, and its answer got lost.
            Err(error) if error.kind() == ErrorKind::Input && self.look()?.is_some() => Ok(Sent::Taken),
            sent => sent,
        }
    }

    fn judged(&self, sent: object_store::Result<()>) -> Result<Sent> {
        match sent {
            Ok(()) => Ok(Sent::Done),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                Ok(Sent::Taken)
            }
            Err(error) => Err(self.explained(&error)),
        }
    }
}

fn knows_no_conditions(error: &object_store::Error) -> bool {
    let is_501 = refusal(error).is_some_and(|refused| refused.status == 501);
    is_501
        || matches!(
            error,
            object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }
        )
}
