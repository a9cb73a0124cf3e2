//! Zip files made by hand, honest and hostile ones.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::*;

/// An entry, and what its headers say of it.
#[derive(Clone)]
struct Made {
    name: Vec<u8>,
    content: Vec<u8>,
    method: u16,
    flags: u16,
    host: u8,
    mode: u32,
    /// Whether sizes and place are in zip64 fields.
    is_wide: bool,
    /// Said in place of the true length.
    length: Option<u32>,
    /// Said in place of the true place.
    offset: Option<u32>,
}

fn entry(name: &str, content: &[u8]) -> Made {
    Made {
        name: name.into(),
        content: content.to_vec(),
        method: 8,
        flags: 0x800,
        host: 3,
        mode: 0o100_644,
        is_wide: false,
        length: None,
        offset: None,
    }
}

impl Made {
    fn data(&self) -> Vec<u8> {
        match self.method {
            8 => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(&self.content).expect("in memory");
                encoder.finish().expect("in memory")
            }
            93 => zstd::encode_all(&self.content[..], 3).expect("zstd"),
            _ => self.content.clone(),
        }
    }

    fn record(&self, offset: u32, data: &[u8]) -> Vec<u8> {
        let mut crc = Crc::new();
        crc.update(&self.content);
        let offset = self.offset.unwrap_or(offset);
        let length = self.length.unwrap_or(self.content.len() as u32);
        let extra = match self.is_wide {
            true => [
                vec![1, 0, 24, 0],
                u64::from(length).to_le_bytes().to_vec(),
                (data.len() as u64).to_le_bytes().to_vec(),
                u64::from(offset).to_le_bytes().to_vec(),
            ]
            .concat(),
            false => Vec::new(),
        };
        let narrow = |value: u32| if self.is_wide { u32::MAX } else { value };
        let mut record = b"PK\x01\x02\x14".to_vec();
        record.push(self.host);
        record.extend([20, 0]);
        record.extend(self.flags.to_le_bytes());
        record.extend(self.method.to_le_bytes());
        record.extend([0; 4]);
        for value in [crc.sum(), narrow(data.len() as u32), narrow(length)] {
            record.extend(value.to_le_bytes());
        }
        record.extend((self.name.len() as u16).to_le_bytes());
        record.extend((extra.len() as u16).to_le_bytes());
        record.extend([0; 6]);
        record.extend((self.mode << 16).to_le_bytes());
        record.extend(narrow(offset).to_le_bytes());
        [record, self.name.clone(), extra].concat()
    }
}

fn zip_of(entries: &[Made], comment: &[u8]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let data = entry.data();
        directory.extend(entry.record(bytes.len() as u32, &data));
        bytes.extend(b"PK\x03\x04");
        bytes.extend([0; 22]);
        bytes.extend((entry.name.len() as u16).to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(&entry.name);
        bytes.extend(data);
    }
    let offset = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([entries.len() as u16; 2].iter().flat_map(|count| count.to_le_bytes()));
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend((comment.len() as u16).to_le_bytes());
    bytes.extend(comment);
    bytes
}

/// Every row with its content or trouble.
fn all(stored: &[u8]) -> Vec<(Listed, Result<Vec<u8>, String>)> {
    let root = tempfile::tempdir().expect("tempdir");
    write(&root.path().join("a.zip"), stored);
    let (source, units) = opened(root.path(), "archives", "a.zip");
    let cx = context(root.path());
    let batch = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
    let contents = read(source.as_ref(), &units[0], &batch, &cx);
    rows(&batch).into_iter().zip(contents).collect()
}

#[test]
fn every_method_and_width_gives_the_same_rows() {
    let content = b"let x = 1;\n".repeat(500);
    for (method, is_wide) in [(0, false), (8, false), (93, false), (8, true), (0, true)] {
        let made = Made {
            method,
            is_wide,
            ..entry("d/a", &content)
        };
        let stored = zip_of(&[made, entry("d/b", b"")], b"some words");
        for stored in [stored.clone(), [b"PK\x03\x04#!/bin/sh\n".to_vec(), stored].concat()] {
            let found = all(&stored);
            let facts: Vec<_> = found
                .iter()
                .map(|(row, _)| (row.path.as_str(), row.blob.clone()))
                .collect();
            let expected = [("a", Some(blob_id_of(&content))), ("b", Some(blob_id_of(b"")))];
            assert_eq!(facts, expected, "{method} {is_wide}");
            assert_eq!(found[0].1, Ok(content.clone()), "{method} {is_wide}");
        }
    }
    assert!(all(&zip_of(&[], b"")).is_empty());
}

#[test]
fn entries_that_cannot_be_read_are_rows() {
    let encrypted = Made {
        flags: 0x801,
        ..entry("encrypted", b"x")
    };
    let unknown = Made {
        method: 99,
        ..entry("unknown", b"x")
    };
    let lies = Made {
        length: Some(3),
        ..entry("lies", b"four")
    };
    let swells = Made {
        length: Some(1 << 30),
        ..entry("swells", b"x")
    };
    let link = Made {
        mode: 0o120_777,
        ..entry("link", b"../../etc/passwd")
    };
    let windows = Made {
        host: 0,
        mode: 0,
        ..entry("windows\\a.c", b"x")
    };
    let device = Made {
        mode: 0o060_644,
        ..entry("device", b"")
    };
    let tool = Made {
        mode: 0o100_755,
        ..entry("./tool", b"x")
    };
    let names = [
        entry("a", b"1"),
        entry("../up", b"x"),
        entry("folder/", b""),
        entry("a", b"2"),
    ];
    let made = [
        &names[..],
        &[encrypted, unknown, lies, swells, link, windows, device, tool],
    ]
    .concat();
    let found = all(&zip_of(&made, b""));
    let rows: Vec<Listed> = found.iter().map(|(row, _)| row.clone()).collect();
    assert_eq!(
        super::found(&rows),
        [
            ("../up", mode::FILE, Some("path leaves the repository")),
            ("a", mode::FILE, Some("shadowed by a later entry of the same path")),
            ("a", mode::FILE, None),
            ("device", mode::FILE, Some("the entry is not a regular file")),
            ("encrypted", mode::FILE, Some("the entry is encrypted")),
            ("lies", mode::FILE, Some("the entry is broken")),
            ("link", mode::SYMLINK, None),
            ("swells", mode::FILE, Some("the entry is too large")),
            ("tool", mode::EXECUTABLE, None),
            (
                "unknown",
                mode::FILE,
                Some("the entry is compressed in a way that is not supported")
            ),
            ("windows/a.c", mode::FILE, None),
        ]
    );
    assert_eq!(
        (&found[2].1, &found[6].1),
        (&Ok(b"2".to_vec()), &Ok(b"../../etc/passwd".to_vec()))
    );
    assert_eq!(found[4].1, Err("the entry is encrypted".into()));
}

#[test]
fn bombs_are_refused_before_anything_is_inflated() {
    let large = entry("a", &vec![0; 20 << 20]);
    let shared = Made {
        offset: Some(0),
        ..entry("b", &large.content)
    };
    let beyond = Made {
        offset: Some(1 << 20),
        ..entry("c", b"x")
    };
    let wide = |config: &mut SourceConfig| config.max_ratio = 2000;
    for (made, change, words) in [
        (vec![large.clone()], (|_| {}) as fn(&mut SourceConfig), "for each byte"),
        (
            vec![large.clone()],
            |config| config.max_archive_bytes = (20 << 20) - 1,
            "more than 20971519 bytes",
        ),
        (vec![large.clone(), shared], wide, "share their data"),
        (vec![beyond], wide, "share their data"),
        (
            vec![entry("a", b""); 3],
            |config| config.max_entries = 2,
            "more than 2 entries",
        ),
    ] {
        let error = list_with(&zip_of(&made, b""), change).expect_err(words);
        assert!(error.message().contains(words), "{error}");
        assert!(error.is_permanent_trouble());
    }
    assert_eq!(
        list_with(&zip_of(&[large], b""), wide).map(|rows| rows.len()).ok(),
        Some(1)
    );
    let many = zip_of(&[entry("a", b""), entry("b", b"")], b"");
    assert_eq!(
        list_with(&many, |config| config.max_entries = 2)
            .map(|rows| rows.len())
            .ok(),
        Some(2)
    );
}

#[test]
fn a_zip_file_that_is_cut_short_is_an_error_of_the_input() {
    let whole = zip_of(&[entry("a", b"content"), entry("b", &[1; 5000])], b"");
    for end in [4, 40, whole.len() / 2, whole.len() - 22, whole.len() - 1] {
        let error = list_with(&whole[..end], |_| {}).expect_err("cut short");
        assert!(error.message().contains("broken"), "{end}: {error}");
    }
}

#[test]
fn an_archive_in_an_archive_is_one_row() {
    let inner = zip_of(&[entry("x", b"1"), entry("y", b"2")], b"");
    let tape = tar_of(&[("a.zip", &inner)]);
    let rows = list_with(&zip_of(&[entry("t.tar", &tape), entry("z.zip", &inner)], b""), |_| {}).expect("listed");
    assert_eq!(found(&rows), [("t.tar", mode::FILE, None), ("z.zip", mode::FILE, None)]);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(flips in proptest::collection::vec((4..2000_usize, 0..=255_u8), 1..12)) {
        let wide = Made { is_wide: true, ..entry("d/wide", &[2; 300]) };
        let mut bytes = zip_of(&[entry("d/a", b"content"), wide, entry("d/b", &[1; 900])], b"words");
        let length = bytes.len();
        for (at, value) in flips {
            bytes[4 + at % (length - 4)] = value;
        }
        if let Ok(rows) = list_with(&bytes, |config| config.max_entries = 1000) {
            proptest::prop_assert!(rows.iter().all(|row| row.trouble.is_some() || row.blob.is_some()));
        }
    }
}
