//! A temporary folder to run the program in, cut off from this machine's settings.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{Dataset, program};

/// A folder that is working directory and HOME of everything run in it; gone when dropped.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
}

/// What a run of the program left.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output, cleaned.
    pub stdout: String,
    /// Standard error, cleaned.
    pub stderr: String,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// An empty folder.
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("stackmill-test-").expect("because the system has a temporary folder");
        Self { folder }
    }

    /// A path inside.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; its folders are made.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let parent = path.parent().expect("because it lies in the sandbox");
        fs::create_dir_all(parent).expect("because the sandbox can be written to");
        fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// The program with `arguments`, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command
            .env("HOME", self.path("home"))
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub fn stackmill(&self, arguments: &[&str]) -> Ran {
        self.wait(&mut self.command(arguments))
    }

    /// `stackmill run RECIPE --out out` with further arguments; two threads unless they say otherwise.
    pub fn run(&self, recipe: &str, more: &[&str]) -> Ran {
        let out: &[&str] = if more.contains(&"--out") {
            &[]
        } else {
            &["--out", "out"]
        };
        let threads: &[&str] = if more.contains(&"--threads") {
            &[]
        } else {
            &["--threads", "2"]
        };
        self.stackmill(&[&["run", recipe], out, threads, more].concat())
    }

    /// As [`Sandbox::run`], for runs that must end well; gives the data set in `out`.
    pub fn built(&self, recipe: &str, more: &[&str]) -> Dataset {
        self.run(recipe, more).succeeds();
        let out = more
            .iter()
            .position(|argument| *argument == "--out")
            .map_or("out", |at| more[at + 1]);
        self.dataset(out)
    }

    /// The data set in a folder of the sandbox.
    pub fn dataset(&self, out: &str) -> Dataset {
        Dataset::at(self.path(out))
    }

    /// Runs a command to its end.
    pub fn wait(&self, command: &mut Command) -> Ran {
        let output = command.output().expect("because the program can be started");
        let text = |bytes: &[u8]| self.clean(&String::from_utf8_lossy(bytes));
        Ran {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Starts the program in the background; its output goes to the file `log`.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let log = File::create(self.path("log")).expect("because the sandbox can be written to");
        let same = log.try_clone().expect("because the file is open");
        self.command(arguments)
            .stdout(log)
            .stderr(same)
            .spawn()
            .expect("because the program can be started")
    }

    /// What a program started by [`Sandbox::start`] has said so far.
    pub fn log(&self) -> String {
        self.clean(&String::from_utf8_lossy(
            &fs::read(self.path("log")).unwrap_or_default(),
        ))
    }

    /// The sandbox's own path becomes `SANDBOX`.
    fn clean(&self, text: &str) -> String {
        text.replace(&*self.folder.path().to_string_lossy(), "SANDBOX")
    }
}

impl Ran {
    /// Asserts that it ended well.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts how it failed: exit code, one error that holds `words`, nothing about panics.
    #[track_caller]
    pub fn fails(self, code: i32, words: &str) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(
            self.code,
            Some(code),
            "expected `{words}`\nstdout:\n{stdout}\nstderr:\n{stderr}"
        );
        let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "one error, not {errors}:\n{stderr}");
        assert!(!stderr.contains("panicked"), "a panic is no message:\n{stderr}");
        assert!(stderr.contains(words), "`{words}` is not said:\n{stderr}");
        self
    }

    /// Asserts that the error came with a hint that holds `words`.
    #[track_caller]
    pub fn hints(self, words: &str) -> Self {
        let hint = self.stderr.split_once("hint: ").map(|(_, hint)| hint);
        assert!(
            hint.is_some_and(|hint| hint.contains(words)),
            "no hint with `{words}`:\n{}",
            self.stderr
        );
        self
    }
}
