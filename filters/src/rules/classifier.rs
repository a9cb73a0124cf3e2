//! Drops files that a classifier of fastText finds unlikely to be what the corpus wants.
//!
//! # Why
//! A linear model over words and their n-grams, trained on a few thousand texts of either kind, is the cheapest judge of
//! what a rule cannot say: teaching, advertising, a subject. It reads megabytes a second on one core.
//!
//! # Example
//! ```toml
//! [rules]
//! classifier = { model = "${MODELS}/educational.bin", label = "educational", minimum = 0.3 }
//! ```
//!
//! # Source
//! fastText (Joulin et al. 2016, arXiv 1607.01759). OpenCoder (Huang et al. 2024, arXiv 2411.04905) recalls code-related
//! pages with it; DeepSeek-Coder-V2 (2024, arXiv 2406.11931) and DCLM (Li et al. 2024, arXiv 2406.11794) do alike. The
//! threshold is ours: what is right depends on the model. A text is read as one line, white space separating words.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::fasttext::Model;
use crate::rule::{self, Check, Needs, Open, Rule};

/// Settings of `classifier`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The model: a supervised one, not quantised (`.bin`); a path from the recipe's folder. It is held in memory once,
    /// as large as its file.
    pub model: String,
    /// The label that is wanted, with or without `__label__`.
    pub label: String,
    /// Smallest probability of the label, 0 to 1.
    pub minimum: f64,
    /// Largest probability of the label, 0 to 1: to drop what is likely something.
    pub maximum: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: String::new(),
            label: String::new(),
            minimum: 0.5,
            maximum: 1.0,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "classifier";
    const SUMMARY: &'static str = "drops files that a classifier of fastText finds unlikely to be wanted";
    const NEEDS: Needs = Needs::Content;
    type Check = Judge;

    fn build(self) -> Result<Judge> {
        self.build_with(&mut |name, what| Err(Error::config(format!("{what} `{name}` cannot be read here"))))
    }

    fn build_with(self, open: &mut Open<'_>) -> Result<Judge> {
        rule::share("minimum", self.minimum)?;
        rule::share("maximum", self.maximum)?;
        if self.model.is_empty() || self.label.is_empty() {
            return Err(
                Error::config("`model` and `label` are needed").hint("name a `.bin` file and one of its labels")
            );
        }
        let model = Model::parse(open(&self.model, "model")?)?;
        let label = model.label(&self.label)?;
        Ok(Judge {
            model,
            label,
            minimum: self.minimum,
            maximum: self.maximum,
        })
    }
}

/// The running form.
pub struct Judge {
    model: Model,
    label: usize,
    minimum: f64,
    maximum: f64,
}

impl Check for Judge {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        match self.model.probability(file.text(), self.label) {
            None => Verdict::Drop(Reason::entry("no word that the model knows")),
            Some(likely) => rule::first([rule::below(likely, self.minimum), rule::above(likely, self.maximum)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_and_a_label_are_needed() {
        let text = |config: Config| match config.build() {
            Err(error) => error.to_string(),
            Ok(_) => "accepted".to_owned(),
        };
        assert!(text(Config::default()).contains("are needed"));
        let named = Config {
            model: "a.bin".into(),
            label: "x".into(),
            ..Config::default()
        };
        assert!(text(named.clone()).contains("model `a.bin` cannot be read here"));
        assert!(text(Config { minimum: 2.0, ..named }).contains("`minimum` is 2"));
    }
}
