//! Worker processes: `stackmill parse-worker`, one for each task that parses, replaced when it dies.
//!
//! A worker limits itself (memory, processor time between requests), reads frames from its standard input and ends
//! when that closes. Nothing out of a repository reaches it but bytes to parse.
//!
//! ```text
//!   request, answer    u32 length, little endian | payload
//! ```

use std::io::{self, BufReader, IoSlice, Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};
use stackmill_schemas::context::{Answer, Isolate};
use stackmill_schemas::{Error, Result, ResultExt};

/// Address space of a worker beyond what the program maps before it parses anything, in bytes: the same for parsers
/// whether the program is `stackmill` (80 MiB) or a Python interpreter. Part of a task's share of `--memory`. Parsers
/// need 10–30 times the file, up to 270 times where every byte is a token; files over 1 MiB are not parsed.
const MEMORY_BYTES: u64 = 304 << 20;
/// A worker that keeps more than this resident after a request is not used again, in bytes: others need the memory.
const KEPT_BYTES: u64 = 64 << 20;
/// What a worker keeps is looked up once it has been sent this much more: small requests leave little behind, and a look
/// costs as much as parsing some hundred bytes.
const UNSEEN_BYTES: usize = 64 << 10;
/// Processor seconds for one request: a backstop for scanners that never come back. Work is bounded by counts long
/// before.
const PROCESSOR_SECONDS: u64 = 60;
/// Ends of workers over one request that count as the request's own doing: the second may not be chance.
const OWN_ENDS: u32 = 2;
/// Ends by somebody else (memory pressure, an operator) that are borne for one request.
const OUTSIDE_ENDS: u32 = 20;
/// No answer is larger.
const ANSWER_BYTES: u32 = 64 << 20;

struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Bytes of requests since its memory was looked up.
    unseen: usize,
}

impl Worker {
    /// Closes its pipes and waits for its end; gives its processor seconds, too.
    fn end(self) -> io::Result<(ExitStatus, f64)> {
        let Self {
            mut child,
            input,
            output,
            ..
        } = self;
        drop((input, output));
        // Nobody has waited for it, so that `/proc` knows it, dead or alive.
        let seconds = processor_seconds(child.id());
        Ok((child.wait()?, seconds))
    }
}

/// How a worker is started: a program and its arguments, which must end up in [`serve`].
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

static HOST: OnceLock<WorkerCommand> = OnceLock::new();

impl WorkerCommand {
    /// For a host that is not the program `stackmill` (a Python interpreter): how its workers are started. Once.
    pub fn set(self) {
        let _ = HOST.set(self);
    }
}

/// A pool of workers; grows to the number of tasks that parse at once.
pub struct Workers {
    program: PathBuf,
    arguments: Vec<String>,
    idle: Mutex<Vec<Worker>>,
    /// Processor seconds of those that have ended.
    ended: Mutex<f64>,
}

impl Workers {
    /// Workers started from `program`, which must know `parse-worker`.
    pub fn new(program: PathBuf) -> Self {
        let arguments = vec!["parse-worker".to_owned()];
        Self::of(WorkerCommand { program, arguments })
    }

    /// Workers started as the host says; by default from this very program.
    pub fn hosted() -> Self {
        match HOST.get() {
            Some(command) => Self::of(command.clone()),
            // Not its path: an upgrade may put another program there while this one runs.
            None => Self::new("/proc/self/exe".into()),
        }
    }

    fn of(command: WorkerCommand) -> Self {
        let WorkerCommand { program, arguments } = command;
        Self {
            program,
            arguments,
            idle: Mutex::default(),
            ended: Mutex::default(),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> Result<Worker> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            // Control-C in a terminal reaches the whole group: the run finishes its tasks, so its workers must live.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting a parse worker from {}", self.program.display()))?;
        let missing = || Error::bug("a parse worker without pipes");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        Ok(Worker {
            child,
            input,
            output: BufReader::new(output),
            unseen: 0,
        })
    }
}

impl Workers {
    /// Processor seconds of the workers that are idle now or have ended; of all, once no task runs.
    pub fn processor_seconds(&self) -> f64 {
        let idle: f64 = self
            .idle()
            .iter()
            .map(|worker| processor_seconds(worker.child.id()))
            .sum();
        idle + *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, worker: Worker) -> io::Result<ExitStatus> {
        let (status, seconds) = worker.end()?;
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) += seconds;
        Ok(status)
    }
}

/// User and system time of a process, from `/proc`.
fn processor_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; fields 14 and 15 are the 12th and 13th after it.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// Memory of a process that no other one shares with it, from `/proc`; 0 where that cannot be read.
fn resident_bytes(process: u32) -> u64 {
    let [_, resident, shared] = memory_of(&process.to_string());
    resident.saturating_sub(shared)
}

/// Bytes that a process maps, holds in memory, and shares there, from `/proc`; 0 where that cannot be read.
fn memory_of(process: &str) -> [u64; 3] {
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    let mut pages = statm.split(' ').map(|field| field.parse::<u64>().unwrap_or(0));
    [0; 3].map(|_: u64| pages.next().unwrap_or(0) * rustix::param::page_size() as u64)
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in self.idle().drain(..) {
            // It ends by itself once its input is closed; waiting only reaps it.
            let _ = worker.end();
        }
    }
}

impl Isolate for Workers {
    fn call(&self, request: &[u8]) -> Result<Answer> {
        // Idle workers may have died together, so only the first attempt takes one.
        let mut reused = self.idle().pop();
        let (mut own, mut outside) = (0, 0);
        loop {
            let death = match self.attempt(reused.take(), request)? {
                Ok(answer) => return Ok(Answer::Done(answer)),
                Err(death) => death,
            };
            match from_outside(death) {
                true => outside += 1,
                false => own += 1,
            }
            if own == OWN_ENDS {
                return Ok(Answer::Crashed(obituary(death)));
            }
            if outside == OUTSIDE_ENDS {
                return Err(
                    Error::resource("parse workers are being ended from outside, again and again").hint(
                        "the machine may be short of memory: lower --memory, then run the same command again to resume",
                    ),
                );
            }
        }
    }
}

impl Workers {
    /// One attempt; the inner error is how the worker ended.
    fn attempt(&self, reused: Option<Worker>, request: &[u8]) -> Result<std::result::Result<Vec<u8>, ExitStatus>> {
        let mut worker = match reused {
            Some(worker) => worker,
            None => self.start()?,
        };
        match exchange(&mut worker, request) {
            Ok(answer) => {
                if is_light(&mut worker, request.len()) {
                    self.idle().push(worker);
                } else {
                    // How it ends is no matter: it has answered.
                    let _ = self.end(worker);
                }
                Ok(Ok(answer))
            }
            Err(_) => self.end(worker).map(Err).context("waiting for a parse worker"),
        }
    }
}

/// Whether a worker that has answered a request of so many bytes may be used again.
fn is_light(worker: &mut Worker, bytes: usize) -> bool {
    worker.unseen += bytes;
    if worker.unseen < UNSEEN_BYTES {
        return true;
    }
    worker.unseen = 0;
    resident_bytes(worker.child.id()) <= KEPT_BYTES
}

fn exchange(worker: &mut Worker, request: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(request.len()).map_err(|_| io::Error::other("request over 4 GiB"))?;
    let length = length.to_le_bytes();
    // Together, so that the worker wakes up once.
    let sent = worker
        .input
        .write_vectored(&[IoSlice::new(&length), IoSlice::new(request)])?;
    worker.input.write_all(length.get(sent..).unwrap_or_default())?;
    worker.input.write_all(&request[sent.saturating_sub(length.len())..])?;
    worker.input.flush()?;
    let mut length = [0; 4];
    worker.output.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > ANSWER_BYTES {
        return Err(io::Error::other("answer over its limit"));
    }
    let mut answer = vec![0; length as usize];
    worker.output.read_exact(&mut answer)?;
    Ok(answer)
}

/// Whether a worker was ended by something that nothing in a request can bring about: no verdict on a file.
fn from_outside(status: ExitStatus) -> bool {
    let signal = status.signal().and_then(Signal::from_named_raw);
    matches!(signal, Some(Signal::KILL | Signal::TERM | Signal::INT | Signal::HUP))
}

/// How a worker ended, in words that are the same each time.
fn obituary(status: ExitStatus) -> String {
    let Some(number) = status.signal() else {
        return format!("the parser exited with code {}", status.code().unwrap_or(0));
    };
    match Signal::from_named_raw(number) {
        Some(Signal::ABORT) => "the parser aborted".to_owned(),
        Some(Signal::SEGV) => "the parser overran its memory or stack".to_owned(),
        Some(Signal::XCPU) => format!("the parser did not come back within {PROCESSOR_SECONDS} processor seconds"),
        _ => format!("the parser was ended by signal {number}"),
    }
}

/// The worker's side: limits itself, then answers requests until its input closes.
pub fn serve() -> Result<()> {
    let limit = |most| Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    let limited = |error: rustix::io::Errno| Error::from(io::Error::from(error)).context("limiting a parse worker");
    let [mapped, ..] = memory_of("self");
    setrlimit(Resource::As, limit(mapped + MEMORY_BYTES)).map_err(limited)?;
    setrlimit(Resource::Core, limit(0)).map_err(limited)?;
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(limited)?;
    // Not by the buffer of `stdin`, which is small: most requests should come in one read.
    let stdin = std::fs::File::from(rustix::io::dup(io::stdin()).map_err(limited)?);
    let mut input = BufReader::with_capacity(UNSEEN_BYTES, Metered { inner: stdin });
    stackmill_filters::syntax::serve(&mut input, &mut io::stdout().lock())
}

/// Grants processor time anew whenever a request arrives.
struct Metered<R> {
    inner: R,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).tv_sec;
        let current = u64::try_from(used).unwrap_or(0) + PROCESSOR_SECONDS;
        let maximum = getrlimit(Resource::Cpu).maximum;
        setrlimit(
            Resource::Cpu,
            Rlimit {
                current: Some(current),
                maximum,
            },
        )?;
        self.inner.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_death_of_its_own_is_a_verdict() {
        let end = |signal: Signal| ExitStatus::from_raw(signal.as_raw());
        assert!(
            [Signal::KILL, Signal::INT]
                .into_iter()
                .all(|signal| from_outside(end(signal)))
        );
        assert!(
            ![Signal::ABORT, Signal::XCPU, Signal::SEGV]
                .into_iter()
                .any(|signal| from_outside(end(signal)))
        );
        assert_eq!(obituary(end(Signal::ABORT)), "the parser aborted");
        assert!(!from_outside(ExitStatus::from_raw(1 << 8)));
        assert_eq!(obituary(ExitStatus::from_raw(1 << 8)), "the parser exited with code 1");
    }
}
