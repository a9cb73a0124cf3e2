//! The published vocabularies: their names, their end-of-document tokens, their tables.

use bpe::byte_pair_encoding::BytePairEncoding;
use stackmill_schemas::{Error, Result};

/// A byte-pair vocabulary together with its way of splitting text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// 100,256 tokens and a splitter that cuts contractions off first.
    Cl100kBase,
    /// 199,998 tokens and a splitter that also cuts where the case of letters changes.
    O200kBase,
}

impl Vocabulary {
    /// Every vocabulary, in the order in which messages list them.
    pub const ALL: [Self; 2] = [Self::O200kBase, Self::Cl100kBase];

    /// The name that its publisher gave it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cl100kBase => "cl100k_base",
            Self::O200kBase => "o200k_base",
        }
    }

    /// The vocabulary of that name.
    ///
    /// # Errors
    /// A config error that lists the names there are.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(|known| format!("`{}`", known.name())).join(", ");
            let hint = match Self::ALL.into_iter().find(|known| looks_like(name, known.name())) {
                Some(near) => format!("did you mean `{}`? known tokenizers: {names}", near.name()),
                None => format!("known tokenizers: {names}"),
            };
            Error::config(format!("`tokenizer`: unknown name `{name}`")).hint(hint)
        })
    }

    /// The id of `<|endoftext|>`; never the outcome of encoding a text.
    pub const fn end_of_document(self) -> u32 {
        match self {
            Self::Cl100kBase => 100_257,
            Self::O200kBase => 199_999,
        }
    }

    /// The tables, loaded once per process.
    pub(crate) fn tables(self) -> &'static BytePairEncoding {
        match self {
            Self::Cl100kBase => &bpe_openai::cl100k_base().bpe,
            Self::O200kBase => &bpe_openai::o200k_base().bpe,
        }
    }
}

/// Whether the letters and digits of the shorter name start the longer one, whatever their case.
fn looks_like(asked: &str, known: &str) -> bool {
    let plain = |name: &str| {
        name.to_ascii_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "")
    };
    let (asked, known) = (plain(asked), plain(known));
    !asked.is_empty() && (known.starts_with(&asked) || asked.starts_with(&known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_vocabulary() {
        for vocabulary in Vocabulary::ALL {
            assert_eq!(Vocabulary::named(vocabulary.name()).ok(), Some(vocabulary));
        }
    }

    #[test]
    fn a_near_miss_is_answered_with_the_name_meant() {
        let hint = |name: &str| {
            Vocabulary::named(name)
                .err()
                .and_then(|e| e.hint_text().map(str::to_owned))
        };
        assert!(hint("O200K-base").is_some_and(|h| h.starts_with("did you mean `o200k_base`?")));
        assert!(hint("cl100k").is_some_and(|h| h.starts_with("did you mean `cl100k_base`?")));
        assert_eq!(
            hint("llama").as_deref(),
            Some("known tokenizers: `o200k_base`, `cl100k_base`")
        );
        assert_eq!(
            hint("").as_deref(),
            Some("known tokenizers: `o200k_base`, `cl100k_base`")
        );
    }

    #[test]
    fn the_end_of_document_is_the_oracles_special_token() {
        let special = |bpe: &tiktoken_rs::CoreBPE| bpe.encode_with_special_tokens("<|endoftext|>");
        assert_eq!(
            special(tiktoken_rs::cl100k_base_singleton()),
            [Vocabulary::Cl100kBase.end_of_document()]
        );
        assert_eq!(
            special(tiktoken_rs::o200k_base_singleton()),
            [Vocabulary::O200kBase.end_of_document()]
        );
    }
}
