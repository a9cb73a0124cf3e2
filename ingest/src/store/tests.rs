//! Stores of each kind against a server of our own that fails when told to.

mod server;

use std::cell::Cell;
use std::io::Read as _;
use std::path::PathBuf;

use parquet::file::reader::ChunkReader as _;
use stackmill_schemas::ErrorKind;

use self::server::{Fault, Server};
use super::*;

const BUSY: Fault = Fault::Status(503, "SlowDown", None);
const PART: u64 = 5 << 20;

/// The key of a service account for servers that ask for none.
const GOOGLE_KEY: &str =
    r#"{"private_key": "k", "private_key_id": "i", "client_email": "e", "gcs_base_url": "x", "disable_oauth": true}"#;

/// Stores that find every kind at `server`.
fn stores(server: &Server) -> Stores {
    let variables = [
        ("AWS_ENDPOINT_URL", server.address.clone()),
        ("AWS_ACCESS_KEY_ID", "AKIASECRET".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "verysecretkey".to_owned()),
        ("GOOGLE_BASE_URL", server.address.clone()),
        ("GOOGLE_SERVICE_ACCOUNT_KEY", GOOGLE_KEY.to_owned()),
        ("AZURE_STORAGE_ACCOUNT_NAME", "account".to_owned()),
        ("AZURE_STORAGE_ENDPOINT", server.address.clone()),
        ("AZURE_SKIP_SIGNATURE", "true".to_owned()),
    ];
    Stores::new(Settings {
        variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
        attempts: 4,
        part_bytes: PART,
    })
}

fn uri(text: &str) -> Uri {
    Uri::parse(text).expect("a place")
}

fn location(text: &str) -> Location {
    match uri(text) {
        Uri::Store(location) => location,
        Uri::Local(_) => panic!("{text} is local"),
    }
}

/// The three kinds that are written to.
const KINDS: [&str; 3] = ["s3://box/", "gs://box/", "az://box/"];

struct File {
    folder: tempfile::TempDir,
    bytes: Vec<u8>,
}

impl File {
    fn of(length: usize, seed: u8) -> Self {
        let bytes: Vec<u8> = (0..length)
            .map(|i| (i / 7) as u8 ^ (i as u8).wrapping_mul(31) ^ seed)
            .collect();
        let folder = tempfile::tempdir().expect("tempdir");
        std::fs::write(folder.path().join("file"), &bytes).expect("written");
        Self { folder, bytes }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("file")
    }

    fn sha256(&self) -> String {
        use sha2::Digest as _;
        stackmill_schemas::ids::hex(&sha2::Sha256::digest(&self.bytes))
    }

    fn put(&self, stores: &Stores, to: &str, put: Put) -> Result<()> {
        stores.put_file(&self.path(), &self.sha256(), (&location(to), put), &|| Ok(()))
    }
}

#[test]
fn every_kind_is_written_read_listed_and_deleted() {
    let (server, small, large) = (Server::start(), File::of(1000, 1), File::of(2 * PART as usize + 5, 2));
    let stores = stores(&server);
    for kind in KINDS {
        let at = |name: &str| format!("{kind}{name}");
        small.put(&stores, &at("data/a b.bin"), Put::IfAbsent).expect(kind);
        large
            .put(&stores, &at("data/sub/large.bin"), Put::IfAbsent)
            .expect(kind);
        let found = stores.head(&uri(&at("data/a b.bin"))).expect(kind);
        assert_eq!((found.length, found.uri.to_string()), (1000, at("data/a b.bin")));
        assert!(
            stores.get(&found.uri, 1000).expect(kind).as_ref() == Some(&small.bytes),
            "{kind}"
        );
        assert!(stores.get(&found.uri, 999).is_err(), "{kind}: the limit");
        assert_eq!(stores.get(&uri(&at("data/none")), 1).expect(kind), None);
        let listed = stores.list(&location(&at("data"))).expect(kind);
        let names: Vec<String> = listed.iter().map(|object| object.uri.to_string()).collect();
        assert_eq!(names, [at("data/a b.bin"), at("data/sub/large.bin")]);
        assert_eq!(listed[0], found, "{kind}: a listing tells what a look tells");
        let files = stores.files(&uri(&at("data"))).expect(kind);
        assert_eq!(files, std::slice::from_ref(&found));
        let mut back = Vec::new();
        stores
            .reader(&listed[1])
            .expect(kind)
            .read_to_end(&mut back)
            .expect(kind);
        assert!(back == large.bytes, "{kind}");
        for name in ["data/a b.bin", "data/sub/large.bin", "data/a b.bin"] {
            stores.delete(&location(&at(name))).expect("gone, or gone before");
        }
        assert_eq!(stores.list(&location(kind)).expect(kind), [], "{kind}");
    }
}

#[test]
fn trouble_that_passes_does_not_show() {
    for faults in [
        vec![("GET", BUSY), ("GET", BUSY), ("GET", BUSY)],
        vec![
            ("GET", Fault::Status(429, "", Some(0))),
            ("GET", Fault::Status(500, "InternalError", None)),
        ],
        vec![("GET", Fault::HangUp), ("GET", Fault::HangUp)],
        vec![
            ("GET", Fault::CutAt(10)),
            ("GET", Fault::CutAt(1)),
            ("GET", Fault::HangUp),
        ],
        vec![("HEAD", BUSY), ("HEAD", Fault::HangUp)],
    ] {
        for has_no_etags in [false, true] {
            let server = Server::start();
            server.holds("file", &[7; 5000]);
            server.state().has_no_etags = has_no_etags;
            server.fails(&faults);
            let found = stores(&server).get(&uri(&format!("{}/file", server.address)), 5000);
            assert_eq!(
                found.expect("in the end").map(|bytes| bytes.len()),
                Some(5000),
                "{faults:?}"
            );
            assert!(server.state().faults.is_empty(), "{faults:?}");
        }
    }
}

#[test]
fn attempts_are_counted_and_the_end_is_transient() {
    let server = Server::start();
    server.holds("box/file", &[7; 50]);
    for (fault, words) in [
        (BUSY, "status 503"),
        (Fault::Status(429, "", None), "status 429"),
        (Fault::HangUp, "the connection failed or broke off"),
    ] {
        server.state().log.clear();
        server.fails(&vec![("HEAD", fault); 9]);
        let error = stores(&server).head(&uri("s3://box/file")).expect_err("busy");
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Source, true));
        assert!(
            error.message().contains(words) && error.hint_text().is_some(),
            "{error}"
        );
        assert_eq!(server.asked("HEAD"), 4);
    }
}

#[test]
fn a_wait_that_a_server_asks_for_is_kept() {
    let server = Server::start();
    server.holds("box/file", &[7; 50]);
    server.fails(&[("HEAD", Fault::Status(429, "", Some(1)))]);
    let start = std::time::Instant::now();
    stores(&server).head(&uri("s3://box/file")).expect("after a second");
    assert!(start.elapsed() >= std::time::Duration::from_secs(1));
}

#[test]
fn refusals_are_permanent_and_tell_no_secret() {
    let server = Server::start();
    server.holds("box/file", &[7; 50]);
    for (status, code, kind) in [
        (403, "InvalidAccessKeyId", ErrorKind::Input),
        (401, "", ErrorKind::Input),
        (400, "ExpiredToken", ErrorKind::Input),
        (405, "MethodNotAllowed", ErrorKind::Source),
    ] {
        server.state().log.clear();
        server.fails(&[("GET", Fault::Status(status, code, None))]);
        let error = stores(&server).list(&location("s3://box")).expect_err("refused");
        assert_eq!((error.kind(), error.is_transient()), (kind, false));
        let text = error.to_string();
        assert!(
            text.contains(code) && text.contains("s3://box") && error.hint_text().is_some(),
            "{text}"
        );
        assert!(!text.contains("SECRET") && !text.contains("verysecret"), "{text}");
        assert_eq!(server.asked("GET"), 1, "{status} is not tried again");
    }
    let error = stores(&server).head(&uri("s3://box/none")).expect_err("missing");
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Input, "`s3://box/none` is not there")
    );
}

#[test]
fn settings_that_make_no_sense_are_told_without_secrets() {
    let variables = [
        ("AZURE_STORAGE_ACCOUNT_NAME", "a"),
        ("AZURE_STORAGE_ACCOUNT_KEY", "not base64 secret"),
    ];
    let variables = variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let stores = Stores::new(Settings {
        variables,
        ..Settings::default()
    });
    let error = stores.head(&uri("az://box/file")).expect_err("no key").to_string();
    assert!(error.contains("az://box") && !error.contains("secret"), "{error}");
    assert_eq!(format!("{stores:?}"), "Stores");
}

#[test]
fn a_name_is_written_once() {
    for length in [1000, PART as usize + 1] {
        for kind in KINDS {
            let (server, file, other) = (Server::start(), File::of(length, 1), File::of(length, 2));
            let (stores, at) = (stores(&server), format!("{kind}a/file"));
            file.put(&stores, &at, Put::IfAbsent).expect(kind);
            file.put(&stores, &at, Put::IfAbsent)
                .expect("the same bytes are no conflict");
            let error = other.put(&stores, &at, Put::IfAbsent).expect_err(kind);
            assert_eq!(error.kind(), ErrorKind::Input);
            assert!(
                error.message().contains("already with another content") && error.hint_text().is_some(),
                "{error}"
            );
            let error = File::of(length - 1, 1)
                .put(&stores, &at, Put::IfAbsent)
                .expect_err(kind);
            assert!(error.message().contains("already with another content"), "{error}");
            assert!(
                stores.get(&uri(&at), u64::MAX).expect(kind).as_ref() == Some(&file.bytes),
                "{kind}: untouched"
            );
            other.put(&stores, &at, Put::Over).expect(kind);
            assert!(
                stores.get(&uri(&at), u64::MAX).expect(kind) == Some(other.bytes),
                "{kind}: replaced"
            );
        }
    }
}

#[test]
fn contents_without_a_noted_hash_are_read_and_compared() {
    let (server, file) = (Server::start(), File::of(1000, 1));
    server.holds("box/file", &file.bytes);
    file.put(&stores(&server), "s3://box/file", Put::IfAbsent)
        .expect("the same");
    server.holds("box/file", &File::of(1000, 2).bytes);
    assert!(file.put(&stores(&server), "s3://box/file", Put::IfAbsent).is_err());
}

#[test]
fn lost_answers_and_broken_uploads_do_not_show() {
    for (length, faults) in [
        (1000, vec![("PUT", Fault::LoseAnswer)]),
        (PART as usize, vec![("PUT", Fault::Reset), ("PUT", Fault::Reset)]),
        (
            1000,
            vec![("PUT", Fault::LoseAnswer), ("PUT", BUSY), ("HEAD", Fault::HangUp)],
        ),
        (
            1000,
            vec![
                ("PUT", Fault::HangUp),
                ("PUT", Fault::Status(500, "InternalError", None)),
            ],
        ),
        (
            PART as usize * 2 + 1,
            vec![
                ("uploads", BUSY),
                ("partNumber=2", Fault::HangUp),
                ("partNumber=2", BUSY),
            ],
        ),
        (
            PART as usize * 2 + 1,
            vec![("partNumber=1", Fault::LoseAnswer), ("uploadId=upload", BUSY)],
        ),
        (
            PART as usize * 2 + 1,
            vec![("POST /box/file?uploadId", Fault::LoseAnswer)],
        ),
    ] {
        let (server, file) = (Server::start(), File::of(length, 3));
        server.fails(&faults);
        file.put(&stores(&server), "s3://box/file", Put::IfAbsent)
            .unwrap_or_else(|error| panic!("{faults:?}: {error}"));
        assert!(server.state().faults.is_empty(), "{faults:?}");
        assert!(server.state().objects["box/file"].bytes == file.bytes, "{faults:?}");
    }
}

#[test]
fn nothing_is_visible_before_the_last_part() {
    let (server, file) = (Server::start(), File::of(PART as usize * 3, 3));
    let stores = stores(&server);
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        match asked.get() > 2 {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
            false => Ok(()),
        }
    };
    let to = (&location("s3://box/file"), Put::IfAbsent);
    let error = stores
        .put_file(&file.path(), &file.sha256(), to, &stop)
        .expect_err("interrupted");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(server.state().objects.is_empty());
    assert_eq!(server.asked("DELETE /box/file?uploadId"), 1, "parts are cleaned up");
    server.fails(&vec![("partNumber=3", BUSY); 9]);
    assert!(
        file.put(&stores, "s3://box/file", Put::IfAbsent)
            .expect_err("busy")
            .is_transient()
    );
    assert!(server.state().objects.is_empty());
    server.fails(&[]);
    file.put(&stores, "s3://box/file", Put::IfAbsent).expect("resumed");
}

#[test]
fn stores_without_conditions_are_looked_at_first() {
    for length in [1000, PART as usize + 1] {
        let (server, file, other) = (Server::start(), File::of(length, 1), File::of(length, 2));
        server.state().knows_no_conditions = true;
        let stores = stores(&server);
        file.put(&stores, "s3://box/file", Put::IfAbsent).expect("absent");
        file.put(&stores, "s3://box/file", Put::IfAbsent).expect("the same");
        assert!(other.put(&stores, "s3://box/file", Put::IfAbsent).is_err());
        assert!(server.state().objects["box/file"].bytes == file.bytes);
    }
}

#[test]
fn changed_objects_are_noticed() {
    let server = Server::start();
    let stores = stores(&server);
    server.holds("box/file", &[1; 100]);
    let before = stores.head(&uri("s3://box/file")).expect("there");
    assert_eq!(before.revision(), stores.head(&before.uri).expect("there").revision());
    server.holds("box/file", &[2; 100]);
    let error = stores.get_range(&before, 0..10).expect_err("changed");
    assert!(
        error.kind() == ErrorKind::Input && error.message().contains("changed"),
        "{error}"
    );
    assert_ne!(before.revision(), stores.head(&before.uri).expect("there").revision());
    let mut reader = stores.reader(&before).expect("opened");
    let found = ours(&reader.read_to_end(&mut Vec::new()).expect_err("changed")).expect("ours");
    assert!(found.message().contains("changed"), "{found}");
}

#[test]
fn blocks_give_every_range_and_ask_once() {
    let (server, file) = (Server::start(), File::of(5 << 20, 4));
    server.holds("box/file", &file.bytes);
    let stores = stores(&server);
    let chunks = stores
        .chunks(&stores.head(&uri("s3://box/file")).expect("there"))
        .expect("opened");
    let end = file.bytes.len();
    for (start, length) in [
        (0, 0),
        (0, 10),
        ((2 << 20) - 1, 1),
        ((2 << 20) - 1, 2),
        (2 << 20, 10),
        (5, (2 << 20) - 1),
        (end - 8, 8),
        (end, 0),
        (1, (2 << 20) + 1),
    ] {
        let bytes = chunks.get_bytes(start as u64, length).expect("inside");
        assert_eq!(bytes, file.bytes[start..start + length], "{length} bytes at {start}");
    }
    assert!(chunks.get_bytes(end as u64 - 8, 9).is_err() && chunks.get_bytes(u64::MAX, 9).is_err());
    assert_eq!(
        server.asked("GET"),
        4,
        "three blocks, and one range longer than a block"
    );
    let mut rest = Vec::new();
    chunks
        .get_read(end as u64 - 9)
        .expect("inside")
        .read_to_end(&mut rest)
        .expect("read");
    assert_eq!(rest, file.bytes[end - 9..]);
    server.holds("box/file", &[1; 9]);
    let cold = stores.chunks(&Object {
        length: end as u64,
        ..stores.head(&uri("s3://box/file")).expect("there")
    });
    let cold = cold.expect("opened");
    assert!(cold.get_bytes(0, 1).is_err() && cold.trouble().is_some_and(|error| error.message().contains("changed")));
}

#[test]
fn web_servers_are_only_read() {
    let (server, file) = (Server::start(), File::of(10, 0));
    server.holds("a b/file", b"web");
    let stores = stores(&server);
    let at = format!("{}/a%20b/file", server.address);
    assert_eq!(stores.get(&uri(&at), 10).expect("read"), Some(b"web".to_vec()));
    let error = file.put(&stores, &at, Put::IfAbsent).expect_err("read only");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn local_files_are_read_the_same_way() {
    let file = File::of(3000, 5);
    let stores = Stores::default();
    let object = stores.head(&Uri::Local(file.path())).expect("there");
    let mut back = Vec::new();
    stores
        .reader(&object)
        .expect("opened")
        .read_to_end(&mut back)
        .expect("read");
    assert_eq!((back, object.length), (file.bytes.clone(), 3000));
    let chunks = stores.chunks(&object).expect("opened");
    assert_eq!(chunks.get_bytes(10, 20).expect("inside"), file.bytes[10..30]);
    assert_eq!(
        stores
            .files(&Uri::Local(file.folder.path().to_owned()))
            .expect("listed"),
        [object]
    );
    assert_eq!(
        stores.find(&Uri::Local(file.folder.path().to_owned())).expect("looked"),
        None,
        "a folder is no file"
    );
}
