//! Clones over the loopback: stackmill's against `git clone`, both from `git daemon`, in turn.
//!
//! ```text
//!   cargo run --release -p stackmill-benches --bin clone -- REPOSITORY.git [REPETITIONS]
//!
//!   history   depth = 0                against   git clone --bare --single-branch
//!             (with all references)    against   git clone --mirror
//!   one       depth = 1                against   git clone --bare --depth 1
//! ```
//! What is measured of ours is the first listing less the second, which finds the clone: fetching, writing the pack and
//! its index, and checking that the commit is there.
#![allow(clippy::print_stdout)]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use stackmill::job::{Options, open_sources};
use stackmill::units::Share;
use stackmill::{Recipe, Uri, run};
use stackmill_benches::machine;
use stackmill_schemas::stage::Emit;
use stackmill_schemas::{Error, Result};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(repository) = arguments.first() else {
        println!("usage: clone REPOSITORY.git [REPETITIONS]");
        return ExitCode::from(2);
    };
    let repetitions = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(5);
    match bench(Path::new(repository), repetitions) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `git daemon` for the folder above a repository; ended when dropped.
struct Daemon {
    child: Child,
    url: String,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    fn start(repository: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = Command::new("git").arg("--exec-path").output()?.stdout;
        let program = PathBuf::from(String::from_utf8_lossy(&folder).trim()).join("git-daemon");
        let base = repository.parent().unwrap_or(repository);
        let mut command = Command::new(program);
        command.args(["--export-all", "--reuseaddr", "--listen=127.0.0.1"]);
        command.args([format!("--port={port}"), format!("--base-path={}", base.display())]);
        let child = command.stderr(Stdio::null()).spawn()?;
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(50));
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
        }
        let name = repository.file_name().unwrap_or_default().to_string_lossy();
        let url = format!("git://127.0.0.1:{port}/{name}");
        Ok(Self { child, url })
    }
}

fn bench(repository: &Path, repetitions: usize) -> Result<()> {
    let daemon = Daemon::start(&repository.canonicalize()?)?;
    let scratch = std::env::temp_dir().join(format!("stackmill-clone-{}", std::process::id()));
    println!("{}\n{}", machine(), repository.display());
    let cases: [(&str, u32, &[&str]); 3] = [
        ("history, one branch", 0, &["--bare", "--single-branch", "--no-tags"]),
        ("history, mirror", 0, &["--mirror"]),
        ("one commit", 1, &["--bare", "--depth", "1"]),
    ];
    for (name, depth, flags) in cases {
        let (mut ours, mut gits, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..repetitions {
            let our = our_clone(&daemon.url, depth, &scratch.join("ours"))?;
            let git = git_clone(&daemon.url, flags, &scratch.join("git"))?;
            ours.push(our);
            gits.push(git);
            ratios.push(git / our);
        }
        println!(
            "{name}: median stackmill {:.3} s, git {:.3} s, git / stackmill {:.2}",
            median(ours),
            median(gits),
            median(ratios)
        );
    }
    Ok(std::fs::remove_dir_all(&scratch)?)
}

fn our_clone(url: &str, depth: u32, cache: &Path) -> Result<f64> {
    let text = format!("name = \"bench\"\n[[source]]\ngit = \"{url}\"\ndepth = {depth}\n");
    let recipe = Recipe::parse(&text, Path::new("bench.toml"), &[])?;
    let options = Options {
        out: Uri::Local(PathBuf::new()),
        scratch: None,
        scratch_budget: u64::MAX,
        memory: u64::MAX,
        threads: 1,
        batch_rows: 256,
        sample: Share(1.0),
        replace: false,
        update: false,
        cache: cache.to_owned(),
    };
    let cx = run::bare_context(&options);
    let source = open_sources(&recipe)?.into_values().next();
    let source = source.ok_or_else(|| Error::bug("no source"))?;
    let unit = source.resolve(&cx)?.remove(0);
    let list = || -> Result<f64> {
        let start = Instant::now();
        source.list(&unit, &mut Emit(&mut |_| Ok(())), &cx)?;
        Ok(start.elapsed().as_secs_f64())
    };
    let (first, second) = (list()?, list()?);
    std::fs::remove_dir_all(cache)?;
    Ok(first - second)
}

fn git_clone(url: &str, flags: &[&str], folder: &Path) -> Result<f64> {
    let start = Instant::now();
    let mut command = Command::new("git");
    command
        .args(["-c", "pack.threads=1", "clone", "-q"])
        .args(flags)
        .arg(url)
        .arg(folder);
    let status = command.env("GIT_CONFIG_NOSYSTEM", "1").status()?;
    let seconds = start.elapsed().as_secs_f64();
    std::fs::remove_dir_all(folder)?;
    match status.success() {
        true => Ok(seconds),
        false => Err(Error::bug("git clone failed")),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
