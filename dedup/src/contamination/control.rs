//! Control items: items that nobody published, made of pieces of others, so that finding one is chance.
//!
//! ```text
//!   every tenth item ─► its twin: each field as long as the item's, piece by piece out of other problems' fields
//!
//!   prompt of A   │ 1 │ 2 │ 3 │ 4 │ 5 │ 6 │ 7 │ 8 │       eight pieces of lines of code or of words, or fewer
//!   its twin      │ F │ Q │ C │ M │ X │ B │ K │ S │       from the same place of the same field in the same language
//! ```
//!
//! A twin has the lines, the words, the length and the sample of n-grams of an item, and is judged by the same limits; what
//! it lacks is that anybody wrote it. No problem gives more than a piece of a field, so that a copy of the problem is far
//! from being one of the twin.

use std::collections::BTreeMap;

use stackmill_schemas::benchmark::{BenchmarkItem, Field};
use stackmill_schemas::error::{Error, Result};

use super::build::{Families, encoded, fields_of, most_ngrams, new_part};
use super::grams::{Channel, hash_bytes};
use super::packs::{CONTROL_PREFIX, PackField, PackItem, PackSource};

/// Most pieces of a field.
const PIECES: usize = 8;
/// Fewest words of a piece: three n-grams of words.
const PIECE_WORDS: usize = 8;
/// Fewest problems that a field is pieced together from: one alone would be that problem.
const MIN_PIECES: usize = 2;

/// A made-up item, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Twin {
    /// Place of its model among the items.
    model: usize,
    /// The item: the model's id and language, a family of its own.
    item: BenchmarkItem,
}

/// The bytes of a pack of twins of every `one_in`th of `items`, chosen by hash, and the twins: the same for the same input.
/// Its name is `control-NAME`.
///
/// # Errors
/// Kind config: as [`super::build_pack`], or there are too few problems to make others of.
pub fn build_control(
    name: &str,
    source: &PackSource,
    items: &[BenchmarkItem],
    one_in: usize,
) -> Result<(Vec<u8>, Vec<BenchmarkItem>)> {
    let mut families = Families::default();
    let most = most_ngrams(source);
    let packed: Vec<PackItem> = items.iter().map(|item| families.pack(item, most)).collect();
    let twins: Vec<Twin> = twins(name, items, &packed, one_in);
    let packed = Models::new(items, &packed).pack(&twins, most);
    let source = PackSource {
        report_only: true,
        control: true,
        ..source.clone()
    };
    let bytes = encoded(&format!("{CONTROL_PREFIX}{name}"), &source, packed).map_err(|_| too_few(name))?;
    Ok((bytes, twins.into_iter().map(|twin| twin.item).collect()))
}

fn too_few(name: &str) -> Error {
    Error::config(format!(
        "benchmark `{name}` has too few problems to make control items of"
    ))
}

/// A number that depends on everything given.
fn draw(words: &[&str], number: usize) -> usize {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0xff]));
    hash_bytes(number as u64, bytes) as usize
}

/// Twins of the chosen items.
fn twins(name: &str, items: &[BenchmarkItem], packed: &[PackItem], one_in: usize) -> Vec<Twin> {
    let mut chosen: Vec<usize> = (0..items.len()).filter(|&at| !packed[at].fields.is_empty()).collect();
    let count = chosen.len().div_ceil(one_in.max(1));
    chosen.sort_by_key(|&at| (draw(&[name, &items[at].id], 0), at));
    chosen.truncate(count);
    chosen.sort_unstable();
    let mut pools: Pools<'_> = BTreeMap::new();
    for item in items {
        for (field, text) in &item.fields {
            let pool = pools.entry((item.language.as_deref(), *field)).or_default();
            pool.push((&item.family, text));
        }
    }
    let twin = |model: usize| Twin {
        model,
        item: twin(name, &items[model], &pools),
    };
    chosen.into_iter().map(twin).collect()
}

/// Texts with their families, by language and field.
type Pools<'a> = BTreeMap<(Option<&'a str>, Field), Vec<(&'a str, &'a str)>>;

fn twin(name: &str, model: &BenchmarkItem, pools: &Pools<'_>) -> BenchmarkItem {
    let field = |(place, (field, text)): (usize, &(Field, String))| {
        let pool = pools.get(&(model.language.as_deref(), *field))?;
        let pieced = pieced(model, (*field, text), pool, draw(&[&model.id], place))?;
        Some((*field, pieced))
    };
    BenchmarkItem {
        id: model.id.clone(),
        family: format!("{CONTROL_PREFIX}{name}/{:08x}", draw(&[&model.id], 0) as u32),
        language: model.language.clone(),
        fields: model.fields.iter().enumerate().filter_map(field).collect(),
    }
}

/// A text as long as `text`, of pieces of the `pool`, each of another family; none, if one or two would be the whole of it.
fn pieced(model: &BenchmarkItem, text: (Field, &str), pool: &[(&str, &str)], seed: usize) -> Option<String> {
    let (field, text) = text;
    // Lines of prose are of very different lengths: one alone may be half of a prompt.
    let is_code = !matches!(field, Field::Prompt | Field::Docstring);
    let by_lines = is_code && text.lines().count() >= PIECES;
    let length = units(text, by_lines).len();
    let pieces = if by_lines {
        PIECES
    } else {
        length.div_ceil(PIECE_WORDS).min(PIECES)
    };
    if pieces < MIN_PIECES {
        return None;
    }
    let mut out = String::new();
    let mut used = vec![model.family.as_str()];
    for piece in 0..pieces {
        let first = draw(&[], seed.wrapping_add(piece));
        let others = (0..pool.len()).map(|step| pool[(first % pool.len() + step) % pool.len()]);
        let (family, other) = others.into_iter().find(|(family, _)| !used.contains(family))?;
        used.push(family);
        let other = units(other, by_lines);
        let count = (piece + 1) * length / pieces - piece * length / pieces;
        let start = (piece * other.len() / pieces).min(other.len().saturating_sub(count));
        out.extend(other.into_iter().skip(start).take(count));
        out.push(if by_lines { '\n' } else { ' ' });
    }
    Some(out)
}

/// Lines, or words with the space behind them.
fn units(text: &str, by_lines: bool) -> Vec<&str> {
    match by_lines {
        true => text.split_inclusive('\n').collect(),
        false => text
            .split_inclusive(char::is_whitespace)
            .filter(|word| !word.trim().is_empty())
            .collect(),
    }
}

/// What is stored of the items that twins stand for.
struct Models<'a> {
    packed: &'a [PackItem],
    /// Whether it is the first of its family.
    first: Vec<bool>,
    /// Items that have names.
    named: Vec<usize>,
}

impl<'a> Models<'a> {
    fn new(items: &[BenchmarkItem], packed: &'a [PackItem]) -> Self {
        let mut seen = std::collections::BTreeSet::new();
        let has_names = |at: &usize| names_of(&packed[*at]).is_some();
        Self {
            packed,
            first: items.iter().map(|item| seen.insert(item.family.as_str())).collect(),
            named: (0..items.len()).filter(has_names).collect(),
        }
    }

    /// Twins, with those fields that their models have, and as much of them. One without any is left out.
    fn pack(&self, twins: &[Twin], most: usize) -> Vec<PackItem> {
        let packed = twins.iter().map(|twin| self.pack_one(twin, most));
        packed.filter(|packed| !packed.fields.is_empty()).collect()
    }

    fn pack_one(&self, twin: &Twin, most: usize) -> PackItem {
        let model = &self.packed[twin.model];
        let first = self.first[twin.model];
        let known = Default::default();
        let has = |field: &PackField| {
            let kind = (field.field, field.channel);
            field.channel != Channel::Names && model.fields.iter().any(|other| (other.field, other.channel) == kind)
        };
        let fields = fields_of(&twin.item, first);
        let parts = fields.iter().filter(|field| has(field));
        let mut fields: Vec<PackField> = parts
            .filter_map(|field| new_part(field, &known, first.then_some(most)))
            .collect();
        if !fields.is_empty() && names_of(model).is_some() {
            fields.extend(self.names(twin.model).cloned());
        }
        fields.sort_by_key(|field| (field.field, field.channel));
        PackItem {
            id: twin.item.id.clone(),
            family: twin.item.family.clone(),
            language: twin.item.language.clone(),
            fields,
        }
    }

    /// Names of another problem.
    fn names(&self, model: usize) -> Option<&PackField> {
        let first = draw(&[&self.packed[model].id, "names"], 0);
        let others = (0..self.named.len()).map(|step| self.named[(first % self.named.len() + step) % self.named.len()]);
        let other = others
            .into_iter()
            .find(|&other| self.packed[other].family != self.packed[model].family);
        names_of(&self.packed[other?])
    }
}

fn names_of(item: &PackItem) -> Option<&PackField> {
    item.fields.iter().find(|field| field.channel == Channel::Names)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{item, source};
    use super::super::{DecontaminateConfig, Matcher, Pack, Scratch, build_pack};
    use super::*;

    fn problem(number: usize) -> BenchmarkItem {
        let words: String = (0..64).map(|word| format!("w{} ", number * 100 + word)).collect();
        // Each line has marks and names of its own.
        let marks = ["+", "-", "*", "/", "%", "&", "|", "^", "<", ">"];
        let mark = |number: usize| marks[number % 10];
        let line = |line: usize| {
            let number = draw(&[], number * 16 + line) % 100_000;
            let [one, two, three] = [number, number / 10, number / 100].map(mark);
            format!(
                "    t{} = one {one} t{line} {two} i{number} {three} four\n",
                number % 997
            )
        };
        let code: String = (0..16).map(line).collect();
        item(
            &format!("I/{number}"),
            &[(Field::Prompt, &words), (Field::Solution, &code)],
        )
    }

    fn built(count: usize, one_in: usize) -> Result<(Vec<u8>, Vec<BenchmarkItem>)> {
        build_control("p", &source(), &(0..count).map(problem).collect::<Vec<_>>(), one_in)
    }

    #[test]
    fn twins_are_as_long_as_their_models_and_take_a_piece_of_each_other() {
        let (bytes, twins) = built(12, 1).expect("there are enough");
        let pack = Pack::parse(&bytes).expect("what was built can be read");
        assert_eq!(
            (pack.name(), pack.control_of(), pack.own_items()),
            ("control-p", Some("p"), 12)
        );
        assert!(pack.source().report_only);
        for (number, twin) in twins.iter().enumerate() {
            let words: Vec<usize> = twin.fields[0]
                .1
                .split_whitespace()
                .map(|word| word[1..].parse().unwrap_or(0))
                .collect();
            let problems: std::collections::BTreeSet<usize> = words.iter().map(|word| word / 100).collect();
            assert_eq!(
                (
                    words.len(),
                    problems.len(),
                    twin.fields[1].1.lines().filter(|line| !line.is_empty()).count()
                ),
                (64, 8, 16)
            );
            assert!(!problems.contains(&number) && twin.family != twin.id);
            assert!(
                words.iter().enumerate().all(|(place, word)| word % 100 == place),
                "from the same place"
            );
        }
        assert_eq!(built(12, 1).ok(), Some((bytes, twins)));
    }

    #[test]
    fn some_are_chosen_and_too_few_problems_give_none() {
        assert_eq!(built(12, 5).map(|(_, twins)| twins.len()).ok(), Some(3));
        assert!(built(8, 1).is_err() && built(9, 1).is_ok());
    }

    #[test]
    fn a_copy_of_an_item_is_no_copy_of_a_twin_and_the_other_way_round() {
        let items: Vec<_> = (0..60).map(problem).collect();
        let pack = build_pack("p", &source(), &items).expect("the items are sound");
        let (control, twins) = built(60, 1).expect("there are enough");
        let packs = [pack, control].map(|bytes| Pack::parse(&bytes).expect("what was built can be read"));
        let matcher = Matcher::new(&packs, &DecontaminateConfig::default());
        let found = |item: &BenchmarkItem| {
            let text = format!("{}\n{}", item.fields[0].1, item.fields[1].1);
            let findings = matcher.findings(&text, &mut Scratch::default());
            let names = findings
                .iter()
                .map(|finding| format!("{} {}", finding.benchmark, finding.item));
            names
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        };
        for (item, twin) in items.iter().zip(&twins) {
            assert_eq!(found(item), [format!("p {}", item.id)]);
            assert_eq!(found(twin), [format!("control-p {}", item.id)]);
        }
    }
}
