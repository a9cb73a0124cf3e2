//! Reads models of fastText (`.bin`, supervised) and tells the probability of one label.
//!
//! ```text
//!   magic 793712314 · version 11 or 12                                                        i32 each, little endian
//!   dim ws epoch minCount neg wordNgrams loss model bucket minn maxn lrUpdateRate · t           12 × i32 · f64
//!   size words labels · tokens · pruned                                                   3 × i32 · i64 · i64
//!   size × ( text \0 · count i64 · kind u8 )          kind: 0 a word, 1 a label; words come first
//!   pruned × ( i32 i32 )                              where rows of n-grams went, in pruned models
//!   quantised u8 = 0 · rows i64 · columns i64 · rows × columns × f32          input: words, then buckets of n-grams
//!   quantised u8 = 0 · rows i64 · columns i64 · rows × columns × f32          output: labels, or inner nodes
//! ```
//! Facebook's fastText 0.9.3 (`src/fasttext.cc`, `dictionary.cc`, `matrix.cc`, `loss.cc`) is what the format and the
//! arithmetic are after; a test compares with it. Losses: softmax, hierarchical softmax, negative sampling, one against
//! all. Quantised models (`.ftz`) are refused.
//!
//! A text is one line: white space separates words, and the end-of-line word `</s>` comes last. Every count is held
//! against the bytes that are there before anything is allocated.

use std::collections::HashMap;

use stackmill_schemas::{Error, Result};

const MAGIC: i32 = 793_712_314;
const VERSIONS: [i32; 2] = [11, 12];
/// The only kind of model that has labels.
const SUPERVISED: i32 = 3;
/// Longest n-gram, of words or of characters, so that the work on a text is a small multiple of its length.
const LONGEST_NGRAM: i32 = 64;
/// The word that ends a line.
const END: &[u8] = b"</s>";
/// What labels begin with in the training text, unless the trainer said otherwise; the model does not tell.
const LABEL: &[u8] = b"__label__";

/// A model that was read.
pub struct Model {
    bytes: Vec<u8>,
    settings: Settings,
    words: HashMap<Box<[u8]>, u32>,
    number_of_words: u64,
    labels: Vec<Label>,
    /// Where rows of n-grams went; `None`: nowhere else.
    pruned: Option<HashMap<u32, u32>>,
    input: Matrix,
    output: Matrix,
}

struct Label {
    name: Vec<u8>,
    count: i64,
}

/// What of the training's settings matters afterwards.
#[derive(Clone, Copy)]
struct Settings {
    dimension: usize,
    word_ngrams: usize,
    loss: Loss,
    buckets: u64,
    shortest: usize,
    longest: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Loss {
    Hierarchical,
    Sigmoid,
    Softmax,
}

/// Where a matrix lies in the file.
#[derive(Clone, Copy)]
struct Matrix {
    start: usize,
    rows: usize,
}

impl Model {
    /// Reads a `.bin` file.
    pub fn parse(bytes: Vec<u8>) -> Result<Self> {
        let mut reader = Reader { bytes: &bytes, at: 0 };
        let version = (reader.i32()?, reader.i32()?);
        if version.0 != MAGIC || !VERSIONS.contains(&version.1) {
            return Err(Error::input("not a model of fastText, or one of an unknown version")
                .hint("a supervised model as `fasttext supervised` or `save_model` writes it: a `.bin` file"));
        }
        let mut settings = reader.settings()?;
        if version.1 == 11 {
            settings.longest = 0; // supervised models had no character n-grams then, whatever they say
        }
        let (size, number_of_words, number_of_labels) = (reader.count()?, reader.count()?, reader.count()?);
        let (_tokens, pruned) = (reader.i64()?, reader.i64()?);
        if number_of_words.checked_add(number_of_labels) != Some(size) {
            return Err(damaged("its numbers of words and labels do not add up"));
        }
        let mut words = HashMap::new();
        let mut labels = Vec::new();
        for number in 0..size {
            let (name, count, is_label) = reader.entry()?;
            match is_label {
                false => drop(words.insert(name.into(), u32::try_from(number).unwrap_or(u32::MAX))),
                true => labels.push(Label {
                    name: name.to_vec(),
                    count,
                }),
            }
        }
        if labels.len() != number_of_labels || labels.is_empty() {
            return Err(damaged("it has not the labels that it announces"));
        }
        let pruned = reader.pruned(pruned)?;
        let (input, output) = (reader.matrix(settings.dimension)?, reader.matrix(settings.dimension)?);
        let enough = pruned.as_ref().map_or(settings.buckets as usize, HashMap::len);
        if input.rows < number_of_words.saturating_add(enough) || output.rows < labels.len() {
            return Err(damaged("its matrices have too few rows"));
        }
        let number_of_words = number_of_words as u64;
        Ok(Self {
            bytes,
            settings,
            words,
            number_of_words,
            labels,
            pruned,
            input,
            output,
        })
    }

    /// Number of a label, whether it is written with or without `__label__`; an unknown one is a config error.
    pub fn label(&self, name: &str) -> Result<usize> {
        let names = || self.labels.iter().map(|label| String::from_utf8_lossy(&label.name));
        let found = names().position(|known| known == name || known.strip_prefix("__label__") == Some(name));
        found.ok_or_else(|| {
            let names: Vec<_> = names().take(20).collect();
            Error::config(format!("the model has no label `{name}`")).hint(format!("it has {}", names.join(", ")))
        })
    }

    /// Probability of a label, 0 to 1; `None` where the model knows nothing of the text.
    pub fn probability(&self, text: &str, label: usize) -> Option<f64> {
        let rows = self.rows(text);
        if rows.is_empty() {
            return None;
        }
        let mut hidden = vec![0.0_f32; self.settings.dimension];
        for row in &rows {
            let values = self.row(self.input, *row);
            hidden.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        let scale = 1.0 / rows.len() as f32;
        hidden.iter_mut().for_each(|value| *value *= scale);
        Some(match self.settings.loss {
            Loss::Softmax => self.softmax(&hidden, label),
            Loss::Sigmoid => sigmoid(self.dot(label, &hidden)),
            Loss::Hierarchical => self.hierarchical(&hidden, label),
        })
    }

    fn softmax(&self, hidden: &[f32], label: usize) -> f64 {
        let scores: Vec<f64> = (0..self.labels.len()).map(|row| self.dot(row, hidden)).collect();
        let highest = scores.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = scores.iter().map(|score| (score - highest).exp()).sum();
        (scores[label] - highest).exp() / sum
    }

    /// Product of the decisions from the label up to the root of the Huffman tree of the labels' counts.
    fn hierarchical(&self, hidden: &[f32], label: usize) -> f64 {
        let leaves = self.labels.len();
        let parents = huffman(&self.labels.iter().map(|label| label.count).collect::<Vec<_>>());
        let (mut at, mut probability) = (label, 1.0);
        while let Some((parent, right)) = parents[at] {
            let up = sigmoid(self.dot(parent - leaves, hidden));
            probability *= if right { up } else { 1.0 - up };
            at = parent;
        }
        probability
    }

    fn row(&self, matrix: Matrix, row: usize) -> impl Iterator<Item = f32> {
        let width = 4 * self.settings.dimension;
        let start = matrix.start + row * width;
        let values = self.bytes[start..start + width].chunks_exact(4);
        values.map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]))
    }

    fn dot(&self, row: usize, hidden: &[f32]) -> f64 {
        let products = self.row(self.output, row).zip(hidden).map(|(a, b)| a * b);
        f64::from(products.sum::<f32>())
    }

    /// Rows of the input matrix that a text is the mean of: words, their characters' n-grams, n-grams of words.
    fn rows(&self, text: &str) -> Vec<usize> {
        let mut rows = Vec::new();
        let mut hashes = Vec::new();
        let words = text.as_bytes().split(|byte| b" \n\r\t\x0b\x0c\0".contains(byte));
        for word in words.filter(|word| !word.is_empty()).chain([END]) {
            let known = self.words.get(word);
            if known.is_none() && word.starts_with(LABEL) {
                continue;
            }
            hashes.push(hash(word));
            rows.extend(known.map(|row| *row as usize));
            if word != END && self.settings.longest > 0 {
                self.push_characters(word, &mut rows);
            }
        }
        self.push_word_ngrams(&hashes, &mut rows);
        rows
    }

    fn push_characters(&self, word: &[u8], rows: &mut Vec<usize>) {
        let word = [b"<", word, b">"].concat();
        let begins = |at: usize| word.get(at).is_none_or(|byte| byte & 0xc0 != 0x80);
        for start in (0..word.len()).filter(|&at| begins(at)) {
            let (mut end, mut length) = (start, 0);
            while end < word.len() && length < self.settings.longest {
                end = (end + 1..=word.len()).find(|&at| begins(at)).unwrap_or(word.len());
                length += 1;
                let edge = length == 1 && (start == 0 || end == word.len());
                if length >= self.settings.shortest && !edge {
                    self.push_bucket(u64::from(hash(&word[start..end])), rows);
                }
            }
        }
    }

    fn push_word_ngrams(&self, hashes: &[u32], rows: &mut Vec<usize>) {
        // The original keeps hashes as signed 32 bits and widens them with their sign.
        let wide = |hash: u32| i64::from(hash.cast_signed()).cast_unsigned();
        for start in 0..hashes.len() {
            let mut sum = wide(hashes[start]);
            for next in hashes[start..].iter().take(self.settings.word_ngrams).skip(1) {
                sum = sum.wrapping_mul(116_049_371).wrapping_add(wide(*next));
                self.push_bucket(sum, rows);
            }
        }
    }

    fn push_bucket(&self, hash: u64, rows: &mut Vec<usize>) {
        if self.settings.buckets == 0 {
            return;
        }
        let bucket = hash % self.settings.buckets;
        let bucket = match &self.pruned {
            None => Some(bucket),
            Some(kept) => kept.get(&(bucket as u32)).map(|bucket| u64::from(*bucket)),
        };
        let row = bucket.map(|bucket| (self.number_of_words + bucket) as usize);
        rows.extend(row.filter(|row| *row < self.input.rows));
    }
}

/// FNV-1a over bytes that are widened with their sign, as the original does.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(2_166_136_261, |hash: u32, byte| {
        (hash ^ i32::from(byte.cast_signed()).cast_unsigned()).wrapping_mul(16_777_619)
    })
}

fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

/// The parent of every node and whether it is the right child, for leaves of these counts, which fall.
fn huffman(counts: &[i64]) -> Vec<Option<(usize, bool)>> {
    let leaves = counts.len();
    let mut weights: Vec<i64> = counts.to_vec();
    weights.resize(2 * leaves - 1, 1_000_000_000_000_000);
    let mut parents = vec![None; 2 * leaves - 1];
    let (mut leaf, mut inner) = (leaves, leaves);
    for node in leaves..2 * leaves - 1 {
        let mut next = || {
            if leaf > 0 && weights[leaf - 1] < weights[inner] {
                leaf -= 1;
                leaf
            } else {
                inner += 1;
                inner - 1
            }
        };
        let (left, right) = (next(), next());
        weights[node] = weights[left].saturating_add(weights[right]);
        (parents[left], parents[right]) = (Some((node, false)), Some((node, true)));
    }
    parents
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

fn damaged(words: &str) -> Error {
    Error::input(format!("a model of fastText that is damaged: {words}"))
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.bytes[self.at..]
            .first_chunk()
            .ok_or_else(|| damaged("it ends too early"))?;
        self.at += N;
        Ok(*taken)
    }

    fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_le_bytes(self.take()?))
    }

    fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.take()?))
    }

    /// A number that cannot be negative.
    fn count(&mut self) -> Result<usize> {
        usize::try_from(self.i32()?).map_err(|_| damaged("a number is negative"))
    }

    fn settings(&mut self) -> Result<Settings> {
        let mut numbers = [0; 12];
        for number in &mut numbers {
            *number = self.i32()?;
        }
        self.take::<8>()?; // a threshold that only training looks at
        let [
            dimension,
            _,
            _,
            _,
            _,
            word_ngrams,
            loss,
            model,
            buckets,
            shortest,
            longest,
            _,
        ] = numbers;
        if model != SUPERVISED {
            return Err(Error::input("a model of fastText without labels").hint("train one with `fasttext supervised`"));
        }
        let loss = match loss {
            1 => Loss::Hierarchical,
            2 | 4 => Loss::Sigmoid,
            3 => Loss::Softmax,
            _ => return Err(damaged("its loss is unknown")),
        };
        let size = |number: i32| usize::try_from(number).map_err(|_| damaged("a setting is negative"));
        if word_ngrams > LONGEST_NGRAM || longest > LONGEST_NGRAM {
            return Err(Error::input(format!(
                "a model of fastText with n-grams of more than {LONGEST_NGRAM}"
            )));
        }
        Ok(Settings {
            dimension: size(dimension)?,
            word_ngrams: size(word_ngrams)?,
            loss,
            buckets: size(buckets)? as u64,
            shortest: size(shortest)?,
            longest: size(longest)?,
        })
    }

    /// A word or label, its count, and whether it is a label.
    fn entry(&mut self) -> Result<(&'a [u8], i64, bool)> {
        let rest = &self.bytes[self.at..];
        let length = memchr::memchr(0, rest).ok_or_else(|| damaged("a word has no end"))?;
        self.at += length + 1;
        Ok((&rest[..length], self.i64()?, self.take::<1>()? != [0]))
    }

    fn pruned(&mut self, count: i64) -> Result<Option<HashMap<u32, u32>>> {
        let Ok(count) = u64::try_from(count) else {
            return Ok(None);
        };
        let mut kept = HashMap::new();
        for _ in 0..count {
            let (from, to) = (self.count()?, self.count()?);
            kept.insert(from as u32, to as u32);
        }
        Ok(Some(kept))
    }

    fn matrix(&mut self, columns: usize) -> Result<Matrix> {
        if self.take::<1>()? != [0] {
            return Err(Error::input("a quantised model of fastText, which is not read")
                .hint("use the `.bin` file that the `.ftz` file was made of"));
        }
        let (rows, width) = (self.i64()?, self.i64()?);
        let bytes = rows
            .checked_mul(width)
            .and_then(|cells| usize::try_from(cells.checked_mul(4)?).ok());
        let (start, end) = (self.at, bytes.and_then(|bytes| self.at.checked_add(bytes)));
        match (end, usize::try_from(rows)) {
            (Some(end), Ok(rows))
                if end <= self.bytes.len() && usize::try_from(width) == Ok(columns) && columns > 0 =>
            {
                self.at = end;
                Ok(Matrix { start, rows })
            }
            _ => Err(damaged("a matrix does not fit")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A model of the words `a` and `</s>`, two labels and no n-grams, of one dimension.
    fn tiny(loss: i32, kind: i32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut ints = |numbers: &[i32]| numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        ints(&[MAGIC, 12, 1, 5, 5, 1, 5, 1, loss, kind, 0, 0, 0, 100]);
        bytes.extend(0.0_f64.to_le_bytes());
        [4, 2, 2]
            .iter()
            .for_each(|number: &i32| bytes.extend(number.to_le_bytes()));
        bytes.extend(9_i64.to_le_bytes());
        bytes.extend((-1_i64).to_le_bytes());
        for (text, count, label) in [
            ("a", 3_i64, 0),
            ("</s>", 2, 0),
            ("__label__x", 2, 1),
            ("__label__y", 1, 1),
        ] {
            bytes.extend([text.as_bytes(), &[0], &count.to_le_bytes(), &[label]].concat());
        }
        for rows in [[2.0_f32, 0.0], [1.0, -1.0]] {
            bytes.extend([&[0][..], &2_i64.to_le_bytes(), &1_i64.to_le_bytes()].concat());
            rows.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        }
        bytes
    }

    #[test]
    fn a_text_is_the_mean_of_its_words() {
        let model = Model::parse(tiny(3, 3)).expect("a model");
        let (x, y) = (
            model.label("x").expect("there"),
            model.label("__label__y").expect("there"),
        );
        let probability = |text, label| model.probability(text, label).expect("known words");
        // The mean of 2 (a) and 0 (</s>) is 1; scores are 1 and -1.
        let expected = 1.0 / (1.0 + (-2.0_f64).exp());
        assert!((probability("a", x) - expected).abs() < 1e-6);
        assert!((probability("a\nunknown", x) - expected).abs() < 1e-6);
        assert!((probability("a", x) + probability("a", y) - 1.0).abs() < 1e-9);
        assert_eq!(probability("", x), 0.5);
        let error = model.label("z").expect_err("no such label").to_string();
        assert!(error.contains("__label__x, __label__y"), "{error}");
    }

    #[test]
    fn other_losses() {
        let sigmoid = |value: f64| 1.0 / (1.0 + (-value).exp());
        let ova = Model::parse(tiny(4, 3)).expect("a model");
        assert!((ova.probability("a", 1).expect("known") - sigmoid(-1.0)).abs() < 1e-6);
        let tree = Model::parse(tiny(1, 3)).expect("a model");
        let (x, y) = (
            tree.probability("a", 0).expect("known"),
            tree.probability("a", 1).expect("known"),
        );
        // The rarer label is the left child of the root.
        assert!((x - sigmoid(1.0)).abs() < 1e-6 && (x + y - 1.0).abs() < 1e-9, "{x} {y}");
    }

    #[test]
    fn hashes_widen_with_the_sign() {
        assert_eq!((hash(b""), hash(b"a")), (2_166_136_261, 0xe40c_292c));
        assert_ne!(
            hash("é".as_bytes()),
            "é".bytes()
                .fold(2_166_136_261, |h: u32, b| (h ^ u32::from(b)).wrapping_mul(16_777_619))
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let text = |bytes: Vec<u8>| {
            Model::parse(bytes)
                .err()
                .map_or(String::new(), |error| error.to_string())
        };
        assert!(text(b"not a model at all".to_vec()).contains("not a model of fastText"));
        assert!(text(tiny(3, 1)).contains("without labels"));
        assert!(text(tiny(7, 3)).contains("loss is unknown"));
        let mut quantised = tiny(3, 3);
        let flag = quantised.len() - 2 * (1 + 16 + 8);
        quantised[flag] = 1;
        assert!(text(quantised).contains("quantised"));
        let whole = tiny(3, 3);
        for length in 0..whole.len() {
            assert!(Model::parse(whole[..length].to_vec()).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn damaged_models_never_panic(at in 0_usize..200, value in any::<u8>(), text in "[a </s>é]{0,20}") {
            let mut bytes = tiny(3, 3);
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(model) = Model::parse(bytes) {
                model.probability(&text, 0);
            }
        }
    }
}
