//! Counts of characters that say what a text is made of: white space, digits, replacement characters.

/// Characters by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// All.
    pub characters: u64,
    /// White space, the separators U+001C to U+001F included, as Python's `isspace` has them.
    pub spaces: u64,
    /// Digits: ASCII ones, and what Unicode calls numeric beyond ASCII.
    pub digits: u64,
    /// U+FFFD, which a decoder writes where it understands nothing.
    pub replacements: u64,
}

impl Signs {
    /// Counts in one pass.
    pub(super) fn of(text: &str) -> Self {
        let mut signs = Self::default();
        for character in text.chars() {
            signs.characters += 1;
            signs.spaces += u64::from(is_space(character));
            signs.digits += u64::from(is_digit(character));
            signs.replacements += u64::from(character == char::REPLACEMENT_CHARACTER);
        }
        signs
    }

    /// Characters that are not white space.
    pub fn visible(&self) -> u64 {
        self.characters - self.spaces
    }
}

/// White space as Python's regular expressions and `isspace` have it.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit() || (!character.is_ascii() && character.is_numeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_by_what_they_are() {
        let signs = Signs::of("a 1\u{1c}\u{fffd}\u{663}\n");
        let expected = Signs {
            characters: 7,
            spaces: 3,
            digits: 2,
            replacements: 1,
        };
        assert_eq!((signs, signs.visible()), (expected, 4));
    }
}
