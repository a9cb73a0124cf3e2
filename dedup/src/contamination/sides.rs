//! What speaks for an item from several sides, none of which is enough alone: when they are enough together.
//!
//! ```text
//!   text   words of prompts        or a bag of their rare words          ╮
//!   code   tokens, words of code                                         ├ two or more, and ENOUGH in sum
//!   data   literals, words of tests or a bag of their numbers, strings   │
//!   name   what is declared or called                                    ╯
//! ```
//! A bag needs company: of another channel, not of another bag, and a name is half of what it is, as its words are in the
//! bag as well.

use stackmill_schemas::benchmark::Field;

use super::grams::Channel;
use super::index::{Entry, WHOLE};

/// Strengths that are enough together.
const ENOUGH: f64 = 1.1;
/// Least strength of a side that counts.
pub(super) const LEAST_STRENGTH: f64 = 0.15;
/// What the name of a declaration adds.
const NAME_STRENGTH: f64 = 0.4;
/// Strength from which rows of literals or words are confirmed by a bag of all of them.
const ROWS: f64 = 0.5;
/// Least weight of words that a bag confirms: the imports of a library's users are less, and their names are in the bag.
const LEAST_TEXT: u64 = 5 * WHOLE as u64 / 2;
/// Strength of a bag that confirms; it adds half of it.
const CONFIRMING: f64 = 0.6;

/// The strongest of each side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sides {
    text: f64,
    code: f64,
    data: f64,
    name: f64,
    text_bag: f64,
    data_bag: f64,
    /// Of words of prompts that a bag may confirm.
    text_rows: f64,
}

impl Sides {
    /// Takes a candidate of this strength and weight into account.
    pub(super) fn add(&mut self, entry: &Entry, strength: f64, weight: u64) {
        let of_tests = matches!(entry.field, Field::Tests | Field::Examples);
        let named = if weight >= u64::from(WHOLE / 2) {
            NAME_STRENGTH
        } else {
            0.0
        };
        let (side, strength) = match entry.channel {
            Channel::Names => (&mut self.name, named),
            Channel::Bag if of_tests => (&mut self.data_bag, strength),
            Channel::Bag => (&mut self.text_bag, strength),
            Channel::Code => (&mut self.code, strength),
            Channel::Words if entry.field == Field::Solution => (&mut self.code, strength),
            Channel::Literals => (&mut self.data, strength),
            Channel::Words if of_tests => (&mut self.data, strength),
            Channel::Words => (&mut self.text, strength),
        };
        *side = side.max(strength);
        let is_text = entry.channel == Channel::Words && !of_tests && entry.field != Field::Solution;
        if is_text && weight >= LEAST_TEXT {
            self.text_rows = self.text_rows.max(strength);
        }
    }

    /// Whether they are enough together.
    pub(super) fn are_enough(&self) -> bool {
        let from_bag = self.text_bag > self.text;
        let name = if from_bag { self.name / 2.0 } else { self.name };
        let confirmed = |rows: f64, bag: f64| {
            if rows >= ROWS && bag >= CONFIRMING {
                bag / 2.0
            } else {
                0.0
            }
        };
        let confirmed = confirmed(self.data, self.data_bag).max(confirmed(self.text_rows, self.text_bag));
        let only_bags = [self.text, self.code, self.data]
            .iter()
            .all(|side| *side < LEAST_STRENGTH)
            && (from_bag || self.name == 0.0);
        let sides = [
            self.text.max(self.text_bag),
            self.code,
            self.data.max(self.data_bag),
            name,
            confirmed,
        ];
        let counted = || sides.iter().filter(|strength| **strength >= LEAST_STRENGTH);
        !only_bags && counted().count() >= 2 && counted().sum::<f64>() >= ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_enough(sides: Sides) -> bool {
        sides.are_enough()
    }

    #[test]
    fn one_side_is_never_enough_and_two_are_from_the_limit_on() {
        let two = |code: f64, data: f64| Sides {
            code,
            data,
            ..Sides::default()
        };
        assert!(!are_enough(two(0.99, 0.0)) && !are_enough(two(0.99, 0.14)));
        assert!(!are_enough(two(0.6, 0.49)) && are_enough(two(0.6, 0.5)));
    }

    #[test]
    fn bags_need_company() {
        let bags = Sides {
            text_bag: 0.95,
            data_bag: 0.95,
            ..Sides::default()
        };
        assert!(!are_enough(bags));
        assert!(are_enough(Sides { code: 0.2, ..bags }));
        let text = Sides { data_bag: 0.0, ..bags };
        assert!(!are_enough(Sides { code: 0.14, ..text }) && are_enough(Sides { code: 0.2, ..text }));
    }

    #[test]
    fn a_bag_confirms_rows_that_are_too_short() {
        let rows = Sides {
            data: 0.8,
            ..Sides::default()
        };
        assert!(!are_enough(rows));
        assert!(!are_enough(Sides { data_bag: 0.59, ..rows }) && are_enough(Sides { data_bag: 0.6, ..rows }));
        // Imports of the same libraries are words of the bag once more.
        let imports = Sides {
            text: 0.92,
            text_bag: 0.95,
            ..Sides::default()
        };
        assert!(!are_enough(imports));
        let text_rows = imports.text;
        assert!(are_enough(Sides { text_rows, ..imports }));
    }

    #[test]
    fn only_words_of_some_weight_are_rows() {
        let entry = Entry {
            pack: 0,
            item: 0,
            family: 0,
            field: Field::Prompt,
            channel: Channel::Words,
            units: 100,
            scale: 1.0,
            weight: 100,
        };
        let rows = |weight| {
            let mut sides = Sides::default();
            sides.add(&entry, 0.9, weight);
            (sides.text, sides.text_rows)
        };
        assert_eq!((rows(LEAST_TEXT - 1), rows(LEAST_TEXT)), ((0.9, 0.0), (0.9, 0.9)));
    }
}
