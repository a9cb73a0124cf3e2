//! Archives that are broken, that want to fill the machine, or that point out of themselves.

use std::io::Write as _;

use stackmill_tests::{Sandbox, Tree};

use super::{bad_rows, beside_good, told, unreadable};

/// A compressed tar file that holds `megabytes` of zeros: small here, huge when unpacked.
fn bomb(megabytes: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("zeros.py").expect("a short path");
    header.set_size(megabytes << 20);
    header.set_mode(0o644);
    header.set_cksum();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(header.as_bytes()).expect("memory");
    let zeros = vec![0; 1 << 20];
    (0..megabytes).for_each(|_| encoder.write_all(&zeros).expect("memory"));
    encoder.write_all(&[0; 1024]).expect("memory");
    encoder.finish().expect("memory")
}

/// Mutation: leave `max-ratio`, `max-entries` or `max-entry-bytes` unchecked.
#[test]
fn archives_that_cannot_be_read_are_one_row_each() {
    let whole = Tree::of("-- x/a.py\nfirst = 1\n")
        .with("x/b.py", noise(300_000))
        .tar_gz("");
    let many: String = (0..50).map(|i| format!("-- f{i}.py\nx = {i}\n")).collect();
    let large = Tree::default().with("large.py", noise(20_000)).tar("");
    let bent = {
        let mut bytes = whole.clone();
        bytes[whole.len() / 2] ^= 0xff;
        bytes
    };
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("empty file", Vec::new(), ""),
        (
            "no archive",
            b"this is no archive at all, just a line of text\n".repeat(40),
            "",
        ),
        ("cut short", whole[..whole.len() / 2].to_vec(), ""),
        ("bent", bent, ""),
        ("cut inside its header", whole[..7].to_vec(), ""),
        ("bomb", bomb(100), ""),
        ("bomb of one entry", bomb(300), "max-ratio = 100_000"),
        ("too many entries", Tree::of(&many).tar(""), "max-entries = 20"),
        ("an entry too large", large, "max-entry-bytes = 10_000"),
    ];
    let mut troubles = Vec::new();
    for (name, bytes, limits) in cases {
        let sandbox = Sandbox::new();
        sandbox.write("bad.tar.gz", bytes);
        let data = beside_good(&sandbox, &format!("archives = \"bad.tar.gz\"\n{limits}"));
        match bad_rows(&data).is_empty() {
            true => troubles.push(format!("{name}: no entries")),
            false => troubles.push(format!("{name}: {}", unreadable(&data))),
        }
    }
    insta::assert_snapshot!("unreadable_archives", troubles.join("\n"));
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Mutation: follow links of an archive, or join its paths to any folder.
#[test]
fn entries_that_leave_the_archive_stay_inside() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut entry = |path: &[u8], kind: tar::EntryType, link: &[u8], content: &[u8]| {
        let mut header = tar::Header::new_old();
        header.as_old_mut().name[..path.len()].copy_from_slice(path);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, content).expect("memory");
    };
    use tar::EntryType as Kind;
    entry(b"../outside.py", Kind::Regular, b"", b"evil = 1\n");
    entry(b"/absolute.py", Kind::Regular, b"", b"evil = 2\n");
    entry(b"a/../../outside.py", Kind::Regular, b"", b"evil = 3\n");
    entry(b"link.py", Kind::Symlink, b"/etc/passwd", b"");
    entry(b"hard.py", Kind::Link, b"../../etc/passwd", b"");
    entry(b"link.py/through.py", Kind::Regular, b"", b"evil = 4\n");
    entry(b"device.py", Kind::Block, b"", b"");
    entry(b"pipe.py", Kind::Fifo, b"", b"");
    entry(b"twice.py", Kind::Regular, b"", b"old = 1\n");
    entry(b"twice.py", Kind::Regular, b"", b"new = 1\n");
    entry(b"fine.py", Kind::Regular, b"", b"fine = 1\n");
    let bytes = builder.into_inner().expect("memory");
    let sandbox = Sandbox::new();
    sandbox.write("in/bad.tar", bytes);
    let data = beside_good(&sandbox, "archives = \"in/bad.tar\"");
    insta::assert_snapshot!("archive_entries", told(&data));
    assert!(!sandbox.path("outside.py").exists() && !sandbox.path("in/outside.py").exists());
    let corpus = data.rows("corpus");
    assert!(
        !corpus
            .iter()
            .any(|row| row["content"].as_str().is_some_and(|text| text.contains("root:")))
    );
}

/// An archive that was exchanged after the lock was written is told, not read.
/// Mutation: skip the comparison with the lock's sha256.
#[test]
fn an_archive_that_changed_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("a.tar", Tree::of("-- a.py\nx = 1\n").tar(""));
    sandbox.write("recipe.toml", "name = \"r\"\n[[source]]\narchives = \"a.tar\"\n");
    sandbox.built("recipe.toml", &[]);
    sandbox.write("a.tar", Tree::of("-- a.py\nx = 2\n").tar(""));
    sandbox
        .run("recipe.toml", &["--replace"])
        .fails(7, "changed since the lock was written")
        .hints("--update --replace");
    let data = sandbox.built("recipe.toml", &["--update", "--replace"]);
    assert_eq!(data.rows("corpus")[0]["content"], "x = 2\n");
}
