//! One conversation with a server: which references it has, or one pack.
//!
//! The request for a pack is our own, since the library's has no filter: one commit, so many commits of history, and no
//! blob that is longer than what will be read.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::odb::pack::{self, Bundle};
use gix::protocol::fetch::negotiate::{Action, Round, one_round};
use gix::protocol::fetch::{Arguments, Context, Negotiate, Options, Response, Shallow, Tags};
use gix::protocol::handshake::Ref;
use gix::protocol::ls_refs::RefPrefixes;
use gix::protocol::transport::Service;
use gix::protocol::transport::client::blocking_io::Transport;
use gix::protocol::{Handshake, LsRefsCommand, indicate_end_of_interaction};
use stackmill_schemas::{Error, Result};

use super::objects::HASH;
use super::remote::Elsewhere;
use super::repository::{MOST_OBJECT_BYTES, shortage, words};
use super::ssh;
use super::transport::{self, Guard};

/// How we call ourselves.
const AGENT: &str = concat!("stackmill/", env!("CARGO_PKG_VERSION"));

/// A path that no message holds.
const NOWHERE: &str = "\0";

/// What to fetch.
pub(super) struct Wanted {
    /// The commit.
    pub(super) commit: ObjectId,
    /// Commits of history; 0 for all.
    pub(super) depth: u32,
    /// Longest blob that is of use.
    pub(super) longest_blob: u64,
}

/// A server that has answered.
pub(super) struct Session {
    transport: Box<dyn Transport + Send>,
    handshake: Handshake,
}

impl Session {
    /// Greets the server of `at`.
    pub(super) fn open(at: &Elsewhere<'_>, guard: &Arc<Guard>) -> Result<Self> {
        let url = gix::url::parse(at.url).map_err(|error| {
            Error::input(format!(
                "not a URL that can be read: {}",
                words(&error, NOWHERE.as_ref())
            ))
        })?;
        let mut transport = transport::connect(&url, at.network, guard)?;
        let no_login = |_| Ok(None);
        let progress = &mut gix::progress::Discard;
        let service = Service::UploadPack;
        let handshake = gix::protocol::handshake(&mut transport, service, no_login, Vec::new(), progress)
            .map_err(|error| trouble(&error, at, guard, NOWHERE.as_ref()))?;
        let format = handshake.capabilities.capability("object-format");
        let format = format.and_then(|format| format.value().map(BString::from));
        match format.filter(|format| format != "sha1") {
            Some(format) => Err(Error::source(format!("its ids are {format}, which are not read"))),
            None => Ok(Self { transport, handshake }),
        }
    }

    /// The objects that references of the server among `names` stand for, in the order of `names`.
    pub(super) fn references(
        &mut self,
        names: &[String],
        at: &Elsewhere<'_>,
        guard: &Guard,
    ) -> Result<Option<ObjectId>> {
        let found = match self.handshake.refs.take() {
            Some(refs) => Ok(refs),
            None => {
                let mut prefixes = RefPrefixes::new();
                prefixes.extend(names.iter().map(|name| BString::from(name.as_str())));
                let agent = ("agent", Some(AGENT.into()));
                let command = LsRefsCommand::new(Some(prefixes), &self.handshake.capabilities, agent);
                command.invoke_blocking(&mut self.transport, &mut gix::progress::Discard, false)
            }
        };
        let found = found.map_err(|error| trouble(&error, at, guard, NOWHERE.as_ref()))?;
        let of = |name: &String| found.iter().find(|found| found.unpack().0 == name.as_bytes().as_bstr());
        Ok(names.iter().find_map(|name| of(name).and_then(target)))
    }

    /// Fetches `wanted` into the bare repository `folder`.
    pub(super) fn fetch(&mut self, wanted: &Wanted, folder: &Path, at: &Elsewhere<'_>, guard: &Guard) -> Result<()> {
        let shallow = match std::num::NonZeroU32::new(wanted.depth) {
            Some(depth) => Shallow::DepthAtRemote(depth),
            None => Shallow::NoChange,
        };
        let context = Context {
            handshake: &mut self.handshake,
            transport: &mut self.transport,
            user_agent: ("agent", Some(AGENT.into())),
            trace_packetlines: false,
        };
        let options = Options {
            shallow_file: folder.join("shallow"),
            shallow: &shallow,
            tags: Tags::None,
            reject_shallow_remote: false,
        };
        let packs = folder.join("objects/pack");
        let receive =
            |reader: &mut dyn std::io::BufRead, progress: &mut dyn gix::DynNestedProgress, stop: &AtomicBool| {
                let nothing = None::<gix::odb::Handle>;
                Bundle::write_to_directory(reader, Some(&packs), progress, stop, nothing, HASH, pack_options())?;
                Ok(true)
            };
        let stop = AtomicBool::new(false);
        let progress = gix::progress::Discard;
        gix::protocol::fetch(&mut Ask(wanted), receive, progress, &stop, context, options)
            .map_err(|error| trouble(&error, at, guard, folder))?;
        // The pack is here: what the server makes of our goodbye does not matter.
        let _ = indicate_end_of_interaction(&mut self.transport, false);
        Ok(())
    }
}

fn pack_options() -> pack::bundle::write::Options {
    pack::bundle::write::Options {
        thread_limit: Some(1),
        alloc_limit_bytes: Some(MOST_OBJECT_BYTES),
        ..Default::default()
    }
}

/// What a reference leads to.
fn target(found: &Ref) -> Option<ObjectId> {
    let (_, object, peeled) = found.unpack();
    peeled.or(object).map(ToOwned::to_owned)
}

/// The request: we have nothing, and want this.
struct Ask<'a>(&'a Wanted);

impl Negotiate for Ask<'_> {
    fn mark_complete_and_common_ref(&mut self) -> gix::Result<Action> {
        Ok(Action::MustNegotiate {
            remote_ref_target_known: Vec::new(),
        })
    }

    fn add_wants(&mut self, arguments: &mut Arguments, _known: &[bool]) -> bool {
        arguments.want(self.0.commit);
        if arguments.can_use_filter() {
            // The limit is the first length that is left out.
            arguments.filter(&format!("blob:limit={}", self.0.longest_blob.saturating_add(1)));
        }
        true
    }

    fn one_round(
        &mut self,
        _state: &mut one_round::State,
        _arguments: &mut Arguments,
        _previous: Option<&Response>,
    ) -> gix::Result<(Round, bool)> {
        let round = Round {
            haves_sent: 0,
            in_vain: 0,
            haves_to_send: 0,
            previous_response_had_at_least_one_in_common: false,
        };
        Ok((round, true))
    }
}

/// Our error for one of the network: transient where asking again may help; `folder`, which has another name each time,
/// is not named.
fn trouble(error: &gix::Error, at: &Elsewhere<'_>, guard: &Guard, folder: &Path) -> Error {
    if let Err(interrupted) = at.cx.check_requested() {
        return interrupted;
    }
    if guard.is_spent() {
        return Error::source("the server sends more bytes than one repository may have")
            .hint("raise `max-repository-bytes` of the source if it is not hostile");
    }
    if let Some(shortage) = guard.shortage().or_else(|| shortage(error)) {
        return shortage;
    }
    let (text, is_transient) = judged(error, guard, folder);
    match is_transient {
        true => Error::source(text)
            .transient()
            .hint("check the network, then run the same command again to resume"),
        false => Error::source(text),
    }
}

/// What happened in words, and whether it may go away by itself: our own word first, then that of `ssh`.
fn judged(error: &gix::Error, guard: &Guard, folder: &Path) -> (String, bool) {
    let complaint = guard.complaint().filter(|complaint| !complaint.is_empty());
    if let Some(complaint) = complaint {
        return (format!("ssh: {complaint}"), ssh::is_transient(&complaint));
    }
    match guard.trouble() {
        Some(trouble) => (trouble.words, trouble.is_transient),
        None => (words(error, folder), is_cut_short(error)),
    }
}

/// Whether the answer ended before its end, or the connection did.
fn is_cut_short(error: &gix::Error) -> bool {
    let ended = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof)
    };
    error.iter_errors().any(ended) || error.can_retry_lenient()
}
