//! Servers that are away, busy, or hang up: a server of our own on this machine, nothing leaves it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use stackmill_tests::{Sandbox, Tree};

/// How the server behaves.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Healthy,
    Unavailable,
    NotFound,
    /// The answer to a fetch ends in the middle.
    HangsUp,
    /// Nothing is ever said.
    Silent,
}

/// A server that speaks git's HTTP protocol for one repository.
struct Server {
    address: String,
    mood: Arc<AtomicU32>,
    requests: Arc<AtomicU32>,
}

const MOODS: [Mood; 5] = [
    Mood::Healthy,
    Mood::Unavailable,
    Mood::NotFound,
    Mood::HangsUp,
    Mood::Silent,
];

impl Server {
    fn start(repository: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has a loopback address");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address")
            .to_string();
        let (mood, requests) = (Arc::<AtomicU32>::default(), Arc::<AtomicU32>::default());
        let (now, count) = (mood.clone(), requests.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mood = MOODS[now.load(Ordering::SeqCst) as usize];
                let (repository, count) = (repository.clone(), count.clone());
                std::thread::spawn(move || {
                    count.fetch_add(1, Ordering::SeqCst);
                    // A client that leaves early is its own business.
                    let _ = answer(stream, &repository, mood);
                });
            }
        });
        Self {
            address,
            mood,
            requests,
        }
    }

    fn becomes(&self, mood: Mood) {
        let at = MOODS.iter().position(|known| *known == mood).unwrap_or_default();
        self.mood.store(at as u32, Ordering::SeqCst);
    }

    fn asked(&self) -> u32 {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Answers one request and closes the connection.
fn answer(stream: TcpStream, repository: &Path, mood: Mood) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let body = body(&mut reader)?;
    if mood == Mood::Silent {
        // Until the client has had enough.
        return reader.read_line(&mut first).map(|_| ());
    }
    let status = match mood {
        Mood::Unavailable => "503 Service Unavailable",
        Mood::NotFound => "404 Not Found",
        _ => "200 OK",
    };
    let (kind, content) = match (status.starts_with("200"), first.contains("info/refs")) {
        (false, _) => ("text/plain", b"not now\n".to_vec()),
        (true, true) => {
            let advertised = upload_pack(repository, &["--advertise-refs"], &[]);
            (
                "application/x-git-upload-pack-advertisement",
                [b"001e# service=git-upload-pack\n0000", &advertised[..]].concat(),
            )
        }
        (true, false) => (
            "application/x-git-upload-pack-result",
            upload_pack(repository, &[], &body),
        ),
    };
    let hangs_up = mood == Mood::HangsUp && !first.contains("info/refs");
    let sent = if hangs_up {
        &content[..content.len() / 2]
    } else {
        &content[..]
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content.len()
    )?;
    stream.write_all(sent)?;
    stream.flush()
}

/// A request's body, sent in chunks or with its length.
fn body(reader: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let (mut length, mut chunked, mut packed) = (0, false, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap_or(0),
            Some(("transfer-encoding", value)) => chunked = value == "chunked",
            Some(("content-encoding", value)) => packed = value == "gzip",
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    while chunked {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
        let mut chunk = vec![0; length + 2];
        reader.read_exact(&mut chunk)?;
        chunked = length > 0;
        body.extend(&chunk[..length]);
    }
    if packed {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain)?;
        body = plain;
    }
    Ok(body)
}

/// What git's own server side says.
fn upload_pack(repository: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("git");
    command
        .args(["upload-pack", "--stateless-rpc"])
        .args(arguments)
        .arg(repository);
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("git ends").stdout
}

fn served() -> (Sandbox, Server) {
    let sandbox = Sandbox::new();
    let text: String = (0..300).map(|i| format!("-- f{i}.py\nvalue_{i} = {i}\n")).collect();
    Tree::of(&text).commit(&sandbox.path("served.git"), true);
    let server = Server::start(sandbox.path("served.git"));
    let url = format!("http://{}/owner/served.git", server.address);
    sandbox.write(
        "recipe.toml",
        format!("name = \"net\"\n[[source]]\ngit = \"{url}\"\nattempts = 2\n"),
    );
    (sandbox, server)
}

/// Mutation: clone once per task, or name the clone by its URL alone.
#[test]
fn a_repository_is_cloned_once_into_the_cache() {
    let (sandbox, server) = served();
    let data = sandbox.built("recipe.toml", &["--cache", "clones"]);
    assert_eq!((data.total("listed"), data.total("kept")), (300, 300));
    assert_eq!(data.ledger("f7.py")[0]["repo_name"], "owner/served");
    let asked = server.asked();
    server.becomes(Mood::Unavailable);
    let again = sandbox.built("recipe.toml", &["--cache", "clones", "--replace"]);
    assert_eq!(data.hashes(), again.hashes());
    assert_eq!(server.asked(), asked, "the lock and the cache are enough");
}

/// Mutation: take 503 for a missing repository.
#[test]
fn a_busy_server_is_asked_again_and_then_resumed() {
    let (sandbox, server) = served();
    server.becomes(Mood::Unavailable);
    let ran = sandbox.run("recipe.toml", &[]).fails(7, "503");
    assert!(server.asked() >= 2, "it was asked {} times", server.asked());
    assert!(ran.stderr.contains("owner/served"), "{}", ran.stderr);
    assert!(!sandbox.path("out/manifest.json").exists());
    server.becomes(Mood::Healthy);
    assert_eq!(sandbox.built("recipe.toml", &[]).total("kept"), 300);
}

/// Mutation: publish a clone before its pack was checked.
#[test]
fn a_server_that_hangs_up_leaves_no_half_clone() {
    let (sandbox, server) = served();
    server.becomes(Mood::HangsUp);
    sandbox.run("recipe.toml", &["--cache", "clones"]).fails(7, "");
    let clones: Vec<_> = std::fs::read_dir(sandbox.path("clones"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.file_name())
        .filter(|name| name != "reports")
        .collect();
    assert!(clones.is_empty(), "{clones:?}");
    server.becomes(Mood::Healthy);
    let data = sandbox.built("recipe.toml", &["--cache", "clones"]);
    assert_eq!(data.total("kept"), 300);
    data.adds_up();
}

/// Mutation: retry what is gone for good, or make it a transient error.
#[test]
fn a_repository_that_is_gone_is_permanent() {
    let (sandbox, server) = served();
    server.becomes(Mood::NotFound);
    sandbox
        .run("recipe.toml", &[])
        .fails(7, "1 of 1 repositories cannot be read")
        .hints("--update");
    let data = sandbox.built(
        "recipe.toml",
        &["--set", "run.max-failed-repositories=100%", "--update"],
    );
    assert_eq!((data.total("listed"), data.total("repositories_failed")), (0, 1));
}

/// Mutation: wait for ever for a port that nobody listens at.
#[test]
fn nobody_at_home_is_told() {
    let sandbox = Sandbox::new();
    let closed = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port");
    let url = format!("http://{closed}/owner/served.git");
    sandbox.write(
        "recipe.toml",
        format!("name = \"net\"\n[[source]]\ngit = \"{url}\"\nattempts = 2\n"),
    );
    sandbox.run("recipe.toml", &[]).fails(7, &closed.to_string());
}

/// Mutation: wait for a server without an end.
#[test]
fn a_server_that_says_nothing_is_given_up() {
    let (sandbox, server) = served();
    server.becomes(Mood::Silent);
    let recipe = std::fs::read_to_string(sandbox.path("recipe.toml")).expect("written above");
    sandbox.write("recipe.toml", format!("{recipe}timeout-seconds = 1\n"));
    sandbox
        .run("recipe.toml", &[])
        .fails(7, "said nothing")
        .hints("--update");
    assert_eq!(server.asked(), 2);
    server.becomes(Mood::Healthy);
    assert_eq!(sandbox.built("recipe.toml", &[]).total("kept"), 300);
}

/// Mutation: count no bytes of a clone.
#[test]
fn a_repository_over_its_limit_is_trouble() {
    let (sandbox, _server) = served();
    let recipe = std::fs::read_to_string(sandbox.path("recipe.toml")).expect("written above");
    sandbox.write("recipe.toml", format!("{recipe}max-repository-bytes = 2000\n"));
    let data = sandbox.built("recipe.toml", &["--set", "run.max-failed-repositories=100%"]);
    assert_eq!((data.total("listed"), data.total("repositories_failed")), (0, 1));
    let trouble = data.rows("ledger")[0]["trouble"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(trouble.contains("more bytes"), "{trouble}");
}
