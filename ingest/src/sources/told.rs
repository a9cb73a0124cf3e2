//! What a table of issues, pull requests or commits tells of each row, for rules: numbers and short texts.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{Int64Builder, StringBuilder};
use stackmill_schemas::columns;

/// Longest prefix of a text that rules see.
const LONGEST: usize = 16 << 10;

/// What is told of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    numbers: [Option<i64>; columns::TOLD_NUMBERS.len()],
    texts: [Option<String>; columns::TOLD_TEXTS.len()],
}

impl Told {
    /// Notes a number for the column `name`, one of [`columns::TOLD_NUMBERS`].
    pub(super) fn number(mut self, name: &str, value: usize) -> Self {
        if let Some(at) = columns::TOLD_NUMBERS.iter().position(|known| *known == name) {
            self.numbers[at] = i64::try_from(value).ok();
        }
        self
    }

    /// Notes a text for the column `name`, one of [`columns::TOLD_TEXTS`], as far as it is recorded.
    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        if let Some(at) = columns::TOLD_TEXTS.iter().position(|known| *known == name) {
            self.texts[at] = Some(value[..value.floor_char_boundary(LONGEST)].to_owned());
        }
        self
    }
}

/// Gathers the columns.
#[derive(Default)]
pub(super) struct ToldBuilder {
    numbers: [Int64Builder; columns::TOLD_NUMBERS.len()],
    texts: [StringBuilder; columns::TOLD_TEXTS.len()],
    /// Rows of which nothing is told, not yet in the columns: most listings have no others.
    untold: usize,
}

impl ToldBuilder {
    /// Adds a row, or that nothing is told of it.
    pub(super) fn append(&mut self, told: Option<&Told>) {
        let Some(told) = told else {
            self.untold += 1;
            return;
        };
        self.fill();
        for (builder, number) in self.numbers.iter_mut().zip(told.numbers) {
            builder.append_option(number);
        }
        for (builder, text) in self.texts.iter_mut().zip(&told.texts) {
            builder.append_option(text.as_deref());
        }
    }

    fn fill(&mut self) {
        let untold = std::mem::take(&mut self.untold);
        self.numbers.iter_mut().for_each(|builder| builder.append_nulls(untold));
        self.texts.iter_mut().for_each(|builder| builder.append_nulls(untold));
    }

    /// Bytes of the texts gathered so far.
    pub(super) fn bytes(&self) -> usize {
        self.texts.iter().map(|builder| builder.values_slice().len()).sum()
    }

    /// The columns, in the order of a listing.
    pub(super) fn finish(&mut self) -> impl Iterator<Item = ArrayRef> + '_ {
        self.fill();
        let numbers = self.numbers.iter_mut();
        let numbers = numbers.map(|builder| Arc::new(builder.finish()) as ArrayRef);
        let texts = self.texts.iter_mut();
        numbers.chain(texts.map(|builder| Arc::new(builder.finish()) as ArrayRef))
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;
    use arrow_array::types::Int64Type;

    use super::*;

    #[test]
    fn rows_of_which_nothing_is_told_keep_their_places() {
        let mut builder = ToldBuilder::default();
        let told = Told::default().number(columns::PULL_FILES, 7);
        let told = told.text(columns::PULL_TITLE, &"é".repeat(LONGEST));
        for row in [None, Some(&told), None, None, Some(&told), None] {
            builder.append(row);
        }
        assert_eq!(builder.bytes(), 2 * LONGEST);
        let arrays: Vec<ArrayRef> = builder.finish().collect();
        assert!(arrays.iter().all(|array| array.len() == 6));
        let names = columns::TOLD_NUMBERS.into_iter().chain(columns::TOLD_TEXTS);
        let filled: Vec<&str> = names
            .zip(&arrays)
            .filter(|(_, array)| array.null_count() < 6)
            .map(|(name, _)| name)
            .collect();
        assert_eq!(filled, [columns::PULL_FILES, columns::PULL_TITLE]);
        let at = columns::TOLD_NUMBERS
            .iter()
            .position(|name| *name == columns::PULL_FILES);
        let numbers: Vec<Option<i64>> = arrays[at.unwrap_or_default()]
            .as_primitive::<Int64Type>()
            .iter()
            .collect();
        assert_eq!(numbers, [None, Some(7), None, None, Some(7), None]);
        assert!(builder.finish().all(|array| array.is_empty()));
    }
}
