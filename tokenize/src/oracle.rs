//! Tests of ids against tiktoken, which others wrote, on texts chosen to break encoders.

use std::path::Path;

use proptest::prelude::*;

use crate::{Encoder, Vocabulary};

fn theirs(vocabulary: Vocabulary, text: &str) -> Vec<u32> {
    match vocabulary {
        Vocabulary::Cl100kBase => tiktoken_rs::cl100k_base_singleton().encode_ordinary(text),
        Vocabulary::O200kBase => tiktoken_rs::o200k_base_singleton().encode_ordinary(text),
    }
}

fn ours(vocabulary: Vocabulary, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    Encoder::new(vocabulary).encode(text, &mut ids);
    ids
}

fn same(text: &str) {
    for vocabulary in Vocabulary::ALL {
        assert!(
            ours(vocabulary, text) == theirs(vocabulary, text),
            "{vocabulary:?} {text:.200?}"
        );
    }
}

/// Source files of this repository: they hold drawings and other scripts besides plain code.
fn sources(folder: &Path, texts: &mut Vec<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .expect("folder")
        .flatten()
        .map(|e| e.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, texts);
        } else {
            texts.extend(std::fs::read_to_string(&path));
        }
    }
}

#[test]
fn ids_of_real_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    sources(&root.join("src"), &mut texts);
    sources(&root.join("../schemas/src"), &mut texts);
    assert!(texts.len() > 20);
    for vocabulary in Vocabulary::ALL {
        let mut encoder = Encoder::new(vocabulary);
        for text in &texts {
            let mut ids = Vec::new();
            encoder.encode(text, &mut ids);
            assert_eq!(ids, theirs(vocabulary, text));
            assert_eq!(vocabulary.tables().decode_tokens(&ids), text.as_bytes());
        }
    }
}

#[test]
fn ids_of_hostile_texts() {
    for text in [
        "",
        "<|endoftext|>",
        "a <|fim_prefix|><|endofprompt|> b",
        "it'S it'ſ ITſ'RE we'Ve 'LL 'x ''s",
        "line\r\nnext\r\n\r\n\tend\r",
        "x = 1  \n\n   \n  ",
        "\0a\0\0b",
        "e\u{301}\u{301}\u{301} \u{301}a \u{200d}\u{feff}",
        "ｆｕｌｌ　ｗｉｄｔｈ １２３４ ٣٤٥٦",
    ] {
        same(text);
    }
}

#[test]
fn ids_of_long_runs() {
    for unit in ["1", " ", "\n", "\t", " \n", "=", "ab", "é", "日", "🦀", "'s", "-_"] {
        same(&unit.repeat(3_000));
        same(&format!("x{}y", unit.repeat(1_001)));
    }
}

/// tiktoken's own pattern runs out of stack on a megabyte of white space or of mixed case; bpe-openai's does not.
#[test]
fn ids_of_a_megabyte_of_anything() {
    for unit in ["a", " ", "9", "\n", "ab", "日", "\u{301}", "aB", "=-"] {
        let text = unit.repeat(1_000_000 / unit.len());
        let theirs = [bpe_openai::o200k_base(), bpe_openai::cl100k_base()].map(|theirs| theirs.encode(&text));
        assert!(
            Vocabulary::ALL.map(|vocabulary| ours(vocabulary, &text)) == theirs,
            "{unit:?}"
        );
    }
    for unit in ["a", "9", "=-"] {
        let text = unit.repeat(1_000_000 / unit.len());
        assert!(
            ours(Vocabulary::Cl100kBase, &text) == theirs(Vocabulary::Cl100kBase, &text),
            "{unit:?}"
        );
    }
}

#[test]
fn ids_of_all_short_white_space() {
    let mut texts = vec![String::new()];
    for _ in 0..7 {
        texts = texts
            .iter()
            .flat_map(|text| [" ", "\t", "\n", "\r"].map(|c| format!("{text}{c}")))
            .collect();
        texts.iter().for_each(|text| same(text));
    }
}

#[test]
fn a_full_cache_does_not_show() {
    let words: Vec<String> = (0..200_000u32)
        .map(|n| format!(" w{:x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    let text = words.concat();
    for vocabulary in Vocabulary::ALL {
        let mut encoder = Encoder::new(vocabulary);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        encoder.encode(&text, &mut first);
        encoder.encode(&text, &mut second);
        assert!(first == second && first == theirs(vocabulary, &text));
    }
}

proptest! {
    #[test]
    fn ids_of_any_text(text in any::<String>()) {
        same(&text);
    }

    #[test]
    fn ids_of_code_like_text(text in "([a-zA-Z_]{1,12}|[0-9]{1,6}|[ \t]{1,20}|\r?\n|[-+*/=<>(){};:'\"#.,]{1,4}|[éß日ſ\u{301}🦀]){0,60}") {
        same(&text);
    }

    #[test]
    fn ids_of_white_space(text in "[ \n\r\t\u{a0}\u{3000}]{0,24}x?") {
        same(&text);
    }
}
