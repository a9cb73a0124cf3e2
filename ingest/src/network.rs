//! What the ways to servers of repositories share: how many at once a host sees, logins, and the user's `ssh`.
//!
//! ```text
//!   Network ── Turns       at most so many exchanges with one host at once, in all tasks of the process
//!           ├─ Login       by host; from the environment, never from a recipe or a URL, never shown
//!           ├─ Ssh         starts the program `ssh`, as `pipelines` does it
//!           └─ Crew        does many small waits at once, on threads of `pipelines`
//! ```

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::redirect::Policy;
use stackmill_schemas::{Error, Result, ResultExt, TaskContext};
use tokio::runtime::{Builder, Runtime};

/// Longest wait before an interrupt is looked for.
pub(crate) const GLANCE: Duration = Duration::from_millis(100);

/// A user's name and password, or token, for one host.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Name; what it is does not matter to most hosts where the password is a token.
    pub user: String,
    /// Password or token.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// A running `ssh`.
pub struct Talk {
    /// Its standard input and output.
    pub stream: UnixStream,
    /// The program; it is ended when this is dropped.
    pub program: Box<dyn Program>,
}

/// A program that was started.
pub trait Program: Any + Send {
    /// Ends it; what it said on its standard error, at most a few kilobytes.
    fn end(&mut self) -> String;
}

/// Starts the user's `ssh`.
pub trait Ssh: Send + Sync {
    /// Starts it with exactly these arguments, and `GIT_PROTOCOL=version=2` in its environment.
    fn start(&self, arguments: &[String]) -> std::io::Result<Talk>;
}

/// Does independent pieces of work that mostly wait, several at once.
pub trait Crew: Send + Sync {
    /// Calls `work` once with each number below `count`, in any order; comes back when all are done.
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) -> Result<()>;
}

/// What a network is made of.
#[derive(Default)]
pub struct Settings {
    /// How `ssh` is started; without it, `ssh` URLs are refused.
    pub ssh: Option<Arc<dyn Ssh>>,
    /// Who waits; without it, one server is asked after the other.
    pub crew: Option<Arc<dyn Crew>>,
    /// Logins by host, or by `host:port`.
    pub logins: BTreeMap<String, Login>,
}

/// All ways to servers of repositories; cheap to clone.
#[derive(Clone, Default)]
pub struct Network(Arc<Inner>);

#[derive(Default)]
struct Inner {
    settings: Settings,
    /// Exchanges under way, by host.
    turns: Mutex<BTreeMap<String, u32>>,
    /// Hosts that could not be reached when they were last asked.
    away: Mutex<BTreeSet<String>>,
    left: Condvar,
    web: Mutex<Option<Web>>,
}

/// The HTTP client and what drives it.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) client: reqwest::Client,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

/// The right to speak to a host; given back when dropped.
pub(crate) struct Turn {
    network: Network,
    host: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = self.network.turns();
        if let Some(count) = turns.get_mut(&self.host) {
            *count = count.saturating_sub(1);
        }
        turns.retain(|_, count| *count > 0);
        drop(turns);
        self.network.0.left.notify_all();
    }
}

impl Network {
    /// A network with these settings; nothing is opened yet.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner {
            settings,
            ..Inner::default()
        }))
    }

    fn turns(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.0.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until fewer than `most` exchanges with `host` are under way; an error where somebody asks to stop.
    pub(crate) fn turn(&self, host: &str, most: u32, cx: &TaskContext) -> Result<Turn> {
        let mut turns = self.turns();
        loop {
            cx.check_requested()?;
            let count = turns.entry(host.to_owned()).or_default();
            if *count < most {
                *count += 1;
                break;
            }
            let waited = self.0.left.wait_timeout(turns, GLANCE);
            turns = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(Turn {
            network: self.clone(),
            host: host.to_owned(),
        })
    }

    fn away(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `host` could not be reached when it was last asked.
    pub(crate) fn is_away(&self, host: &str) -> bool {
        self.away().contains(host)
    }

    /// Takes note of whether `host` could not be reached.
    pub(crate) fn found(&self, host: &str, is_away: bool) {
        match is_away {
            true => self.away().insert(host.to_owned()),
            false => self.away().remove(host),
        };
    }

    /// The login for `host` or, before that, `host:port`.
    pub(crate) fn login(&self, host: &str, port: Option<u16>) -> Option<&Login> {
        let logins = &self.0.settings.logins;
        let with_port = port.and_then(|port| logins.get(&format!("{host}:{port}")));
        with_port.or_else(|| logins.get(host))
    }

    pub(crate) fn ssh(&self) -> Option<&dyn Ssh> {
        self.0.settings.ssh.as_deref()
    }

    /// Calls `work` with each number below `count`, several at once where there is a crew.
    pub(crate) fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) -> Result<()> {
        match &self.0.settings.crew {
            Some(crew) if count > 1 => crew.each(count, work),
            _ => {
                (0..count).for_each(work);
                Ok(())
            }
        }
    }

    /// The HTTP client, which follows no redirects by itself and is driven by whoever waits.
    pub(crate) fn web(&self) -> Result<Web> {
        let mut web = self.0.web.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(web) = &*web {
            return Ok(web.clone());
        }
        install_tls();
        let runtime = Builder::new_current_thread().enable_all().build();
        let client = reqwest::Client::builder().redirect(Policy::none()).build();
        let made = Web {
            runtime: Arc::new(runtime.context("starting the runtime of the network")?),
            client: client.map_err(|error| Error::bug(format!("the HTTP client cannot be set up: {error}")))?,
        };
        Ok(web.insert(made).clone())
    }
}

/// The HTTP client panics where the program (or a test, or an embedder) has not chosen a TLS provider.
fn install_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may be faster: any provider will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_never_shown() {
        let login = Login {
            user: "me".into(),
            password: "secret".into(),
        };
        assert_eq!(format!("{login:?}"), "Login");
        let settings = Settings {
            logins: [("h".to_owned(), login.clone()), ("h:81".to_owned(), login.clone())].into(),
            ..Settings::default()
        };
        let network = Network::new(settings);
        assert!(network.login("h", None).is_some() && network.login("h", Some(80)).is_some());
        assert!(network.login("sub.h", None).is_none() && network.login("H", None).is_none());
        assert!(!format!("{network:?}").contains("secret"));
    }
}
