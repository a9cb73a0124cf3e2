//! The user's own `ssh`, as a clone needs it: started with the arguments that `ingest` makes, and ended with the clone.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stackmill_ingest::network::{Program, Ssh, Talk};

/// Longest complaint that is handed on, in bytes.
const LONGEST_COMPLAINT: u64 = 4096;

/// Longest wait for a complaint once the program was ended.
const COMPLAINT_WAIT: Duration = Duration::from_secs(1);

/// Starts `ssh`, as the user's `PATH` finds it.
pub struct UserSsh;

/// A running `ssh`; ended when dropped.
struct Running {
    child: Child,
    complaints: UnixStream,
}

impl Ssh for UserSsh {
    fn start(&self, arguments: &[String]) -> io::Result<Talk> {
        let (ours, theirs) = UnixStream::pair()?;
        let (complaints, complained) = UnixStream::pair()?;
        let mut child = Command::new("ssh");
        child
            .args(arguments)
            .env("GIT_PROTOCOL", "version=2")
            // Complaints are looked at.
            .env("LC_ALL", "C")
            // Control-C in a terminal is for the run, which ends what it started.
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs.try_clone()?)))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::from(OwnedFd::from(complained)));
        let child = child.spawn()?;
        Ok(Talk {
            stream: ours,
            program: Box::new(Running { child, complaints }),
        })
    }
}

impl Program for Running {
    fn end(&mut self) -> String {
        // It may be gone already; what it said is still there.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mut text = Vec::new();
        // Something that it started may hold on to the other end.
        let _ = self.complaints.set_read_timeout(Some(COMPLAINT_WAIT));
        let _ = (&self.complaints).take(LONGEST_COMPLAINT).read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let plain = |line: &str| line.chars().filter(|c| !c.is_control()).collect::<String>();
        lines.map(plain).collect::<Vec<_>>().join(": ")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_one_line_without_controls() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let child = Command::new("sh")
            .args(["-c", "printf 'first\\033\\n\\n  second \\n' >&2; sleep 60"])
            .stderr(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .expect("a shell");
        let mut running = Running {
            child,
            complaints: ours.try_clone().expect("a socket"),
        };
        let mut first = [0];
        ours.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
        (&ours).read_exact(&mut first).expect("it complains");
        assert_eq!(running.end(), "irst: second");
    }
}
