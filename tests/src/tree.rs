//! Corpora written as text, and the places they are put into.

use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What stands at a path.
#[derive(Clone, Debug)]
enum Entry {
    File(Vec<u8>),
    Link(Vec<u8>),
    Submodule,
}

/// Paths and what stands there.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    entries: Vec<(Vec<u8>, Entry)>,
}

impl Tree {
    /// A tree from one text: each line `-- path` begins a file that goes up to the next such line.
    pub fn of(text: &str) -> Self {
        let mut entries: Vec<(Vec<u8>, Entry)> = Vec::new();
        for line in text.trim_start_matches('\n').split_inclusive('\n') {
            match (line.strip_prefix("-- "), entries.last_mut()) {
                (Some(path), _) => entries.push((path.trim_end().into(), Entry::File(Vec::new()))),
                (None, Some((_, Entry::File(content)))) => content.extend(line.as_bytes()),
                (None, _) => panic!("a tree begins with `-- path`, not with {line:?}"),
            }
        }
        Self { entries }
    }

    /// One more file.
    #[must_use]
    pub fn with(mut self, path: impl AsRef<[u8]>, content: impl Into<Vec<u8>>) -> Self {
        self.entries.push((path.as_ref().to_vec(), Entry::File(content.into())));
        self
    }

    /// One more symlink.
    #[must_use]
    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.entries.push((path.into(), Entry::Link(target.into())));
        self
    }

    /// One more submodule.
    #[must_use]
    pub fn submodule(mut self, path: &str) -> Self {
        self.entries.push((path.into(), Entry::Submodule));
        self
    }

    /// Its files: path and content.
    pub fn files(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().filter_map(|(path, entry)| match entry {
            Entry::File(content) => Some((path.as_slice(), content.as_slice())),
            _ => None,
        })
    }

    /// Writes the tree below `folder`; submodules are empty folders there.
    pub fn write(&self, folder: &Path) {
        for (path, entry) in &self.entries {
            let place = folder.join(std::ffi::OsStr::from_bytes(path));
            let parent = place.parent().expect("because the path is below a folder");
            fs::create_dir_all(parent).expect("because the sandbox can be written to");
            let written = match entry {
                Entry::File(content) => fs::write(&place, content),
                Entry::Link(target) => std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), &place),
                Entry::Submodule => fs::create_dir_all(&place),
            };
            written.unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        }
    }

    /// Makes a git repository at `folder` whose one commit is this tree; gives the commit's id.
    pub fn commit(&self, folder: &Path, bare: bool) -> String {
        fs::create_dir_all(folder).expect("because the sandbox can be written to");
        let kind: &[&str] = if bare { &["--bare"] } else { &[] };
        git(folder, &[&["init", "-q", "-b", "main"], kind].concat(), b"");
        git(folder, &["fast-import", "--quiet", "--force"], &self.stream());
        git(folder, &["rev-parse", "refs/heads/main"], b"").trim().to_owned()
    }

    /// The tree as git's import stream.
    fn stream(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, (_, entry)) in self.entries.iter().enumerate() {
            if let Entry::File(content) | Entry::Link(content) = entry {
                let _ = write!(out, "blob\nmark :{}\ndata {}\n", number + 1, content.len());
                out.extend(content);
                out.push(b'\n');
            }
        }
        let _ = write!(
            out,
            "commit refs/heads/main\ncommitter A <a@example.invalid> 1700000000 +0000\ndata 4\ntest\n"
        );
        for (number, (path, entry)) in self.entries.iter().enumerate() {
            let _ = match entry {
                Entry::File(_) => write!(out, "M 100644 :{} ", number + 1),
                Entry::Link(_) => write!(out, "M 120000 :{} ", number + 1),
                Entry::Submodule => write!(out, "M 160000 {} ", "5".repeat(40)),
            };
            out.extend(quoted(path));
            out.push(b'\n');
        }
        out
    }

    /// The tree as a tar file, each path behind `prefix`.
    pub fn tar(&self, prefix: &str) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, entry) in &self.entries {
            let path = format!("{prefix}{}", String::from_utf8_lossy(path));
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            let appended = match entry {
                Entry::File(content) => {
                    header.set_size(content.len() as u64);
                    builder.append_data(&mut header, path, content.as_slice())
                }
                Entry::Link(target) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_size(0);
                    builder.append_link(&mut header, path, String::from_utf8_lossy(target).as_ref())
                }
                Entry::Submodule => Ok(()),
            };
            appended.expect("because memory takes every entry");
        }
        builder.into_inner().expect("because memory takes every entry")
    }

    /// The tree as `.tar.gz`.
    pub fn tar_gz(&self, prefix: &str) -> Vec<u8> {
        gzip(&self.tar(prefix))
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("because memory takes every byte");
    encoder.finish().expect("because memory takes every byte")
}

/// A path in quotes, with every odd byte as an octal escape.
fn quoted(path: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in path {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            0x20..=0x7e => out.push(byte),
            _ => out.extend(format!("\\{byte:03o}").bytes()),
        }
    }
    out.push(b'"');
    out
}

/// Runs the system's git in `folder`, away from this machine's settings; gives its output.
pub fn git(folder: &Path, arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("HOME", "/nonexistent"),
        ])
        .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@example.invalid")])
        .envs([
            ("GIT_COMMITTER_NAME", "A"),
            ("GIT_COMMITTER_EMAIL", "a@example.invalid"),
        ])
        .envs([
            ("GIT_AUTHOR_DATE", "1700000000 +0000"),
            ("GIT_COMMITTER_DATE", "1700000000 +0000"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("because the tests need git");
    let mut stdin = child.stdin.take().expect("because it was asked for");
    stdin.write_all(input).expect("because git reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("because git ends");
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "git {arguments:?} in {}: {trouble}",
        folder.display()
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
