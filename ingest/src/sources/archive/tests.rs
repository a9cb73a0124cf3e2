//! Archives made by the tar crate and by hand, honest and hostile ones.

mod zip;

use std::io::Write;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use arrow_array::Array;
use stackmill_schemas::columns::{ATTRIBUTE_GENERATED, booleans};

use super::super::SourceConfig;
use super::super::listing::mode;
use super::super::testing::{Listed, config, context, git, list, list_batch, opened, read, repository, rows, write};
use super::*;

/// An entry whose name is written as it is.
fn append(builder: &mut Builder<Vec<u8>>, path: &[u8], kind: EntryType, content: &[u8]) {
    let mut header = Header::new_gnu();
    header.as_gnu_mut().expect("gnu").name[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    header.set_cksum();
    builder.append(&header, content).expect("in memory");
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, *content).expect("in memory");
    }
    builder.into_inner().expect("in memory")
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("in memory");
    encoder.finish().expect("in memory")
}

/// Lists the archive that `stored` is, under `config`.
fn list_with(stored: &[u8], change: impl Fn(&mut SourceConfig)) -> Result<Vec<Listed>> {
    let root = tempfile::tempdir().expect("tempdir");
    write(&root.path().join("a.tar"), stored);
    let mut config = config("archives", "a.tar");
    change(&mut config);
    let cx = context(root.path());
    let source = super::super::open(&config, root.path())?;
    let units = source.resolve(&cx)?;
    list(source.as_ref(), &units[0], &cx)
}

fn found(listed: &[Listed]) -> Vec<(&str, u32, Option<&str>)> {
    listed
        .iter()
        .map(|row| (row.path.as_str(), row.mode, row.trouble.as_deref()))
        .collect()
}

#[test]
fn a_crate_is_listed_without_its_folder_and_read_by_number() {
    let root = tempfile::tempdir().expect("tempdir");
    let long = format!("name-1.0.0/{}/x.rs", "long".repeat(60));
    let files: [(&str, &[u8]); 4] = [
        ("name-1.0.0/src/lib.rs", b"fn a() {}"),
        (
            "name-1.0.0/Cargo.toml",
            b"[package]\nname = \"name\"\nlicense = \"MIT\"\n",
        ),
        (&long, b"long"),
        ("name-1.0.0/.gitattributes", b"*.rs linguist-generated\n"),
    ];
    write(&root.path().join("name-1.0.0.crate"), &gzip(&tar_of(&files)));
    write(&root.path().join("name-1.0.0.tar"), &tar_of(&files));
    let zst = zstd::encode_all(&tar_of(&files)[..], 3).expect("zstd");
    write(&root.path().join("misnamed.tgz"), &zst);
    let (source, units) = opened(root.path(), "archives", "*");
    let names: Vec<_> = units.iter().map(|unit| unit.repo_name.as_str()).collect();
    assert_eq!(names, ["misnamed", "name-1.0.0", "name-1.0.0"]);
    let cx = context(root.path());
    for unit in &units {
        let batch = list_batch(source.as_ref(), unit, &cx).expect("listed");
        let listed = rows(&batch);
        let places: Vec<_> = listed.iter().map(|row| (row.path.as_str(), row.locator / 2)).collect();
        let long = long.strip_prefix("name-1.0.0/").expect("the folder");
        assert_eq!(
            places,
            [(".gitattributes", 1), ("Cargo.toml", 0), (long, 1), ("src/lib.rs", 0)]
        );
        assert_eq!(listed[3].blob, Some(blob_id_of(b"fn a() {}")));
        let contents = read(source.as_ref(), unit, &batch, &cx);
        assert_eq!(contents[3], Ok(b"fn a() {}".to_vec()));
        assert_eq!(contents[2], Ok(b"long".to_vec()));
        let generated = booleans(&batch, ATTRIBUTE_GENERATED).expect("flags");
        assert!(generated.is_null(0) && generated.value(3));
    }
}

fn blob_id_of(content: &[u8]) -> String {
    super::super::listing::blob_id(content).expect("no attack").to_string()
}

#[test]
fn what_git_archives_is_what_it_has_under_its_own_name() {
    let root = tempfile::tempdir().expect("tempdir");
    let clone = repository(
        root.path(),
        "clone",
        &[("src/a.rs", b"fn a() {}"), ("caf\u{e9}", b""), ("b", &[7; 9000])],
    );
    let commit = String::from_utf8(git(&clone, &["rev-parse", "HEAD"])).expect("an id");
    let prefix = format!("--prefix=owner-name-{}/", &commit[..7]);
    let (repository, units) = opened(root.path(), "git", "clone");
    let cx = context(root.path());
    let facts = |rows: Vec<Listed>| -> Vec<_> {
        let facts = rows.into_iter();
        facts.map(|row| (row.path, row.mode, row.length, row.blob)).collect()
    };
    let expected = facts(list(repository.as_ref(), &units[0], &cx).expect("listed"));
    for ending in ["tar", "tar.gz", "zip"] {
        let name = format!("some.{ending}");
        let stored = git(&clone, &["archive", "--format", ending, &prefix, "HEAD"]);
        write(&root.path().join(&name), &stored);
        let (archive, units) = opened(root.path(), "archives", &name);
        assert_eq!(units[0].repo_name, "owner/name", "{ending}");
        assert_eq!(units[0].metadata["commit"], commit.trim(), "{ending}");
        let batch = list_batch(archive.as_ref(), &units[0], &cx).expect("listed");
        let revisions = stackmill_schemas::columns::strings(&batch, "revision_id").expect("revisions");
        assert_eq!(revisions.value(0), commit.trim(), "{ending}");
        assert_eq!(facts(rows(&batch)), expected, "{ending}");
        let contents = read(archive.as_ref(), &units[0], &batch, &cx);
        assert_eq!(contents[0], Ok(vec![7; 9000]), "{ending}");
        write(
            &root.path().join("other.zip"),
            &git(&clone, &["archive", "--format", ending, "HEAD"]),
        );
        let (_, units) = opened(root.path(), "archives", "other.zip");
        assert_eq!(units[0].repo_name, "other");
    }
}

#[test]
fn what_tar_writes_is_listed_as_the_folder_is() {
    let root = tempfile::tempdir().expect("tempdir");
    let files: [(&str, &[u8]); 4] = [
        ("in/a", b"1"),
        ("in/b/c", b"22"),
        ("in/b.txt", b""),
        ("in/caf\u{e9}", &[9; 3000]),
    ];
    for (path, content) in files {
        write(&root.path().join(path), content);
    }
    std::os::unix::fs::symlink("b/c", root.path().join("in/link")).expect("a link");
    let long = format!("in/{}/{}", "d".repeat(120), "f".repeat(120));
    write(&root.path().join(&long), b"long");
    for format in ["gnu", "posix", "ustar", "v7"] {
        if format == "ustar" {
            std::fs::remove_dir_all(root.path().join("in").join("d".repeat(120))).expect("removed");
        }
        let name = format!("{format}.tar");
        let made = Command::new("tar")
            .current_dir(root.path().join("in"))
            .args(["--format", format, "-cf"])
            .arg(format!("../{name}"))
            .arg(".")
            .status();
        assert!(made.expect("tar runs").success());
        let (archive, archived) = opened(root.path(), "archives", &name);
        let (directory, folders) = opened(root.path(), "directory", "in");
        let cx = context(root.path());
        let facts = |rows: Vec<Listed>| {
            rows.into_iter()
                .map(|row| (row.path, row.mode, row.length, row.blob))
                .collect::<Vec<_>>()
        };
        let archived = facts(list(archive.as_ref(), &archived[0], &cx).expect("listed"));
        assert_eq!(
            archived,
            facts(list(directory.as_ref(), &folders[0], &cx).expect("listed")),
            "{format}"
        );
    }
}

#[test]
fn hostile_entries_are_recorded_and_never_followed() {
    let mut builder = Builder::new(Vec::new());
    append(&mut builder, b"a", EntryType::Regular, b"first");
    append(&mut builder, b"../up", EntryType::Regular, b"x");
    append(&mut builder, b"/etc/passwd", EntryType::Regular, b"x");
    append(&mut builder, b"not\xffutf8", EntryType::Regular, b"x");
    append(&mut builder, b"pipe", EntryType::Fifo, b"");
    append(&mut builder, b"device", EntryType::Block, b"");
    append(&mut builder, b"folder/", EntryType::Directory, b"");
    append(&mut builder, b"sparse", EntryType::GNUSparse, b"");
    let mut link = Header::new_gnu();
    link.set_entry_type(EntryType::Symlink);
    link.set_size(0);
    builder
        .append_link(&mut link, "link", "/etc/shadow")
        .expect("in memory");
    link.set_entry_type(EntryType::Link);
    builder.append_link(&mut link, "hard", "a").expect("in memory");
    append(&mut builder, b"././@LongLink", EntryType::GNULongName, &[b'n'; 20_000]);
    append(&mut builder, b"n", EntryType::Regular, b"x");
    append(&mut builder, b"a", EntryType::Regular, b"second");
    let listed = list_with(&builder.into_inner().expect("in memory"), |_| {}).expect("listed");
    let cut = "n".repeat(4097);
    assert_eq!(
        found(&listed),
        [
            ("../up", mode::FILE, Some("path leaves the repository")),
            ("/etc/passwd", mode::FILE, Some("absolute path")),
            ("a", mode::FILE, Some("shadowed by a later entry of the same path")),
            ("a", mode::FILE, None),
            ("device", mode::FILE, Some("the entry is not a regular file")),
            ("hard", mode::SYMLINK, None),
            ("link", mode::SYMLINK, None),
            (cut.as_str(), mode::FILE, Some("path over 4096 bytes")),
            ("not\\xffutf8", mode::FILE, None),
            ("pipe", mode::FILE, Some("the entry is not a regular file")),
            ("sparse", mode::FILE, Some("the entry is a sparse file")),
        ]
    );
    assert_eq!(
        (listed[3].length, listed[3].blob.clone()),
        (6, Some(blob_id_of(b"second")))
    );
    assert_eq!(
        (listed[6].length, listed[6].blob.clone()),
        (11, Some(blob_id_of(b"/etc/shadow")))
    );
}

#[test]
fn a_folder_is_taken_off_only_where_all_share_it() {
    let paths = |files: &[(&str, &[u8])]| -> Vec<String> {
        let listed = list_with(&tar_of(files), |_| {}).expect("listed");
        listed.into_iter().map(|row| row.path).collect()
    };
    assert_eq!(paths(&[("p/a", b""), ("p/b/c", b"")]), ["a", "b/c"]);
    assert_eq!(paths(&[("p/a", b""), ("q", b"")]), ["p/a", "q"]);
    assert_eq!(paths(&[("p/a", b""), ("pq/a", b"")]), ["p/a", "pq/a"]);
    assert_eq!(paths(&[("p", b"")]), ["p"]);
    assert!(paths(&[]).is_empty());
}

#[test]
fn bombs_are_refused_at_every_limit() {
    let three = tar_of(&[("a", &[0; 1000]), ("b", b""), ("c", b"")]);
    type Change = fn(&mut SourceConfig);
    let cases: [(Change, Change, &str); 3] = [
        (|c| c.max_entries = 3, |c| c.max_entries = 2, "more than 2 entries"),
        (
            |c| c.max_entry_bytes = 1000,
            |c| c.max_entry_bytes = 999,
            "an entry of more than 999 bytes",
        ),
        (
            |c| c.max_archive_bytes = 4096,
            |c| c.max_archive_bytes = 3071,
            "more than 3071 bytes",
        ),
    ];
    for (enough, too_little, words) in cases {
        assert_eq!(
            list_with(&three, enough).map(|rows| rows.len()).ok(),
            Some(3),
            "{words}"
        );
        let error = list_with(&gzip(&three), too_little).expect_err(words);
        assert!(
            error.message().contains(words) && error.hint_text().is_some(),
            "{error}"
        );
        assert!(error.kind() == stackmill_schemas::ErrorKind::Input && !error.is_transient());
    }
    let zeros = gzip(&tar_of(&[("a", &vec![0; 20 << 20])]));
    assert!(
        list_with(&zeros, |_| {})
            .expect_err("ratio")
            .message()
            .contains("for each byte")
    );
    let mut keys = Builder::new(Vec::new());
    append(&mut keys, b"x", EntryType::XHeader, &vec![b' '; (1 << 20) + 1]);
    assert!(
        list_with(&keys.into_inner().expect("in memory"), |_| {})
            .expect_err("keys")
            .message()
            .contains("about one entry")
    );
}

#[test]
fn archives_that_are_cut_short_or_broken_are_errors_of_the_input() {
    let whole = tar_of(&[("a", b"content"), ("b", &[1; 5000])]);
    for end in [100, 512, 700, 1500, 4000] {
        let error = list_with(&whole[..end], |_| {}).map(|rows| found(&rows).len());
        assert!(error.is_err() || end == 512, "{end}: {error:?}");
    }
    let zipped = gzip(&whole);
    for end in [1, 20, zipped.len() / 2, zipped.len() - 1] {
        assert!(list_with(&zipped[..end], |_| {}).is_err(), "{end}");
    }
    assert!(list_with(b"no archive at all", |_| {}).is_err());
    assert_eq!(list_with(b"", |_| {}).map(|rows| rows.len()).ok(), Some(0));
}

#[test]
fn a_changed_archive_is_not_what_the_lock_says() {
    let root = tempfile::tempdir().expect("tempdir");
    let path = root.path().join("a.tar");
    write(&path, &tar_of(&[("a", b"one"), ("b", b"two")]));
    let (source, units) = opened(root.path(), "archives", "a.tar");
    let cx = context(root.path());
    let batch = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
    write(&path, &tar_of(&[("a", b"ONE")]));
    assert!(
        list(source.as_ref(), &units[0], &cx)
            .expect_err("changed")
            .message()
            .contains("changed since the lock")
    );
    let contents = read(source.as_ref(), &units[0], &batch, &cx);
    assert_eq!(
        contents,
        [
            Err("its content is not the listed one".into()),
            Err("the archive has no such entry".into())
        ]
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(flips in proptest::collection::vec((0..6000_usize, 0..=255_u8), 1..20)) {
        let mut bytes = tar_of(&[("d/a", b"content"), (&"long/".repeat(40), b"x"), ("d/b", &[1; 900])]);
        for (at, value) in flips {
            let length = bytes.len();
            bytes[at % length] = value;
        }
        if let Ok(rows) = list_with(&bytes, |config| config.max_entries = 1000) {
            proptest::prop_assert!(rows.iter().all(|row| row.trouble.is_some() || row.blob.is_some()));
        }
    }
}
