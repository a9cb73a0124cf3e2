//! What `[tokenize]` says in a recipe.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, Result};

use crate::pack::Pack;
use crate::tokenizer::Tokenize;
use crate::vocabulary::Vocabulary;

/// Longest sequence that can be asked for, in tokens: one sequence stays far below the 2 GiB of a column.
pub const LONGEST_SEQUENCE: u32 = 1 << 24;

/// Settings of the stages `tokenize` and `pack`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenizeConfig {
    /// The vocabulary, by its published name: `o200k_base` (default) or `cl100k_base`.
    pub tokenizer: String,
    /// Length of a training sequence, in tokens (2 to 16,777,216). Default 8192: the context of StarCoder
    /// (Li et al. 2023).
    pub sequence_length: u32,
    /// Seed of the shuffle and of the routing to partitions. Default 0.
    pub seed: u64,
    /// How documents are laid into sequences. Default `split`.
    pub packing: Packing,
    /// Whether each document is followed by the vocabulary's `<|endoftext|>`. Default true.
    pub end_of_document: bool,
    /// Most rows of one repository that travel to the same partition together. Default 256: with the 65,536 tokens up to
    /// which a document travels with its neighbours, at most 64 MiB of token ids.
    pub repository_block: u32,
}

impl Default for TokenizeConfig {
    fn default() -> Self {
        Self {
            tokenizer: Vocabulary::O200kBase.name().to_owned(),
            sequence_length: 8192,
            seed: 0,
            packing: Packing::Split,
            end_of_document: true,
            repository_block: 256,
        }
    }
}

/// How documents are laid into sequences. No token is lost or repeated either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packing {
    /// One after the other in shuffled order, cut where a sequence is full: every sequence of a partition but its last
    /// has exactly `sequence-length` tokens (Brown et al. 2020, "Language Models are Few-Shot Learners", appendix B).
    #[default]
    Split,
    /// A document that fits into a sequence is never cut; longer ones are cut every `sequence-length` tokens and the rest
    /// counts as a document. Sequences may be shorter than `sequence-length` (Ding et al. 2024, "Fewer Truncations
    /// Improve Language Modeling", best-fit-decreasing).
    Whole,
}

impl TokenizeConfig {
    /// The two stages, or what is wrong with the settings.
    ///
    /// # Errors
    /// A config error that names the key and says what is allowed.
    pub fn build(&self) -> Result<(Tokenize, Pack)> {
        Ok((Tokenize::new(self)?, Pack::new(self)?))
    }

    /// Checks every key; the vocabulary that `tokenizer` names.
    pub(crate) fn check(&self) -> Result<Vocabulary> {
        if !(2..=LONGEST_SEQUENCE).contains(&self.sequence_length) {
            let message = format!("`sequence-length` is {}, which no model can use", self.sequence_length);
            return Err(Error::config(message).hint(format!("take 2 to {LONGEST_SEQUENCE} tokens")));
        }
        if self.repository_block == 0 {
            return Err(Error::config("`repository-block` is 0").hint("take at least 1 row; 256 is the default"));
        }
        Vocabulary::named(&self.tokenizer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackmill_schemas::ErrorKind;

    fn parse(text: &str) -> TokenizeConfig {
        toml::from_str(text).expect("valid settings")
    }

    #[test]
    fn keys_are_kebab_case_and_unknown_ones_are_refused() {
        let config =
            parse("tokenizer = 'cl100k_base'\nsequence-length = 2\npacking = 'whole'\nend-of-document = false");
        assert_eq!((config.sequence_length, config.packing), (2, Packing::Whole));
        assert!(toml::from_str::<TokenizeConfig>("sequence_length = 2").is_err());
    }

    #[test]
    fn nonsense_is_refused_by_the_name_of_its_key() {
        for (text, key) in [
            ("sequence-length = 1", "`sequence-length`"),
            ("sequence-length = 16777217", "`sequence-length`"),
            ("repository-block = 0", "`repository-block`"),
            ("tokenizer = 'o200k'", "`tokenizer`"),
        ] {
            let error = parse(text).build().expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.message().contains(key) && error.hint_text().is_some(), "{error}");
        }
        for text in ["", "sequence-length = 2", "sequence-length = 16777216"] {
            assert!(parse(text).check().is_ok());
        }
    }
}
