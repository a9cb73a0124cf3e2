//! Further views of a text that holds other texts: JSON, notebooks, source code in quotes, pages with markup.
//!
//! ```text
//!   "source": ["def f(x):\n",    ►     source  [ def f(x):        escapes are what they stand for;
//!              "  return 1\n"]             ⏎       return 1⏎ ]      the quotes around are gone
//! ```

use memchr::memmem;

use super::markup;

/// Escaped line ends that a text must have for a view to be worth its time.
const MIN_ESCAPED_LINES: usize = 3;
/// Letters written as `\u` and digits that a text must have for a view to be worth its time.
const MIN_ESCAPED_LETTERS: usize = 16;
/// How many times texts are nested in texts.
const MAX_LEVELS: usize = 2;

/// A text with its escapes taken out, and where each of its bytes came from.
pub(super) struct View {
    /// The bytes.
    pub(super) text: Vec<u8>,
    /// Offset of each byte in the original text; one more for the end.
    pub(super) places: Vec<u32>,
    /// Whether its words are others than those of the text, which are blind to escapes of line ends and quotes.
    pub(super) has_words: bool,
}

/// The views of `text`: one for each level of escapes, at most [`MAX_LEVELS`], and one without markup. `has_escapes`:
/// whether there is a backslash in it.
pub(super) fn views(text: &[u8], has_escapes: bool) -> Vec<View> {
    let mut views: Vec<View> = Vec::new();
    let levels = if has_escapes { MAX_LEVELS } else { 0 };
    for _ in 0..levels {
        let (from, places) = match views.last() {
            Some(view) => (view.text.as_slice(), Some(&view.places)),
            None => (text, None),
        };
        let many = |escape: &[u8], number: usize| memmem::find_iter(from, escape).nth(number - 1).is_some();
        if !many(b"\\n", MIN_ESCAPED_LINES) && !many(b"\\u", MIN_ESCAPED_LETTERS) {
            break;
        }
        let mut view = unescape(from);
        lead_back(&mut view, places);
        view.has_words = !view.text.is_ascii();
        views.push(view);
    }
    let (from, places) = match views.last() {
        Some(view) => (view.text.as_slice(), Some(&view.places)),
        None => (text, None),
    };
    if markup::is_worth_a_view(from) {
        let mut view = markup::without(from);
        lead_back(&mut view, places);
        views.push(view);
    }
    views
}

/// Places in a view of a view become places in the text.
fn lead_back(view: &mut View, places: Option<&Vec<u32>>) {
    if let Some(places) = places {
        view.places
            .iter_mut()
            .for_each(|place| *place = places[*place as usize]);
    }
}

fn unescape(text: &[u8]) -> View {
    let mut view = View {
        text: Vec::with_capacity(text.len()),
        places: Vec::with_capacity(text.len() + 1),
        has_words: false,
    };
    let mut at = 0;
    while at < text.len() {
        let (letter, length) = match text[at..] {
            [b'\\', escaped, ..] => escape(escaped, &text[at..]),
            [b'"', ..] => (Letter::Byte(b' '), 1),
            [byte, ..] => (Letter::Byte(byte), 1),
            [] => break,
        };
        match letter {
            Letter::Byte(byte) => view.text.push(byte),
            Letter::Char(char) => view.text.extend(char.encode_utf8(&mut [0; 4]).bytes()),
        }
        view.places.resize(view.text.len(), at as u32);
        at += length;
    }
    view.places.push(text.len() as u32);
    view
}

/// What an escape stands for.
enum Letter {
    Byte(u8),
    Char(char),
}

/// What the escape at the start of `text` stands for, and its length. Halves of surrogate pairs are letters of no
/// language.
fn escape(escaped: u8, text: &[u8]) -> (Letter, usize) {
    match escaped {
        b'n' | b'r' => (Letter::Byte(b'\n'), 2),
        b't' => (Letter::Byte(b'\t'), 2),
        b'u' => {
            let digits = text.get(2..6).and_then(|digits| std::str::from_utf8(digits).ok());
            let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            code.map_or((Letter::Byte(b'u'), 2), |code| {
                (Letter::Char(char::from_u32(code).unwrap_or('x')), 6)
            })
        }
        other => (Letter::Byte(other), 2),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        views(text.as_bytes(), true)
            .into_iter()
            .map(|view| String::from_utf8_lossy(&view.text).into_owned())
            .collect()
    }

    #[test]
    fn each_level_of_escapes_is_a_view() {
        let code = "a = 'x'\nb = \"y\"\nc = 1\n\td = 2\n";
        let once = serde_json::json!({ "code": code }).to_string();
        let twice = serde_json::json!({ "row": once }).to_string();
        assert!(texts(&once)[0].contains(code));
        assert_eq!(texts(&twice).len(), 2);
        assert!(texts(&twice)[1].contains(code));
        assert!(texts(code).is_empty());
    }

    #[test]
    fn few_escapes_are_not_worth_a_view() {
        assert!(texts(r"print('a\nb\n')").is_empty());
        assert_eq!(texts(r"print('a\nb\nc\n')").len(), 1);
        let letters = r"\u00e9".repeat(MIN_ESCAPED_LETTERS);
        assert_eq!(texts(&letters), ["é".repeat(MIN_ESCAPED_LETTERS)]);
        assert!(texts(&letters[6..]).is_empty());
    }

    #[test]
    fn places_lead_back() {
        let text = r#"["ab\n", "cd\n", "\u00e9f\n"]"#;
        let view = &views(text.as_bytes(), true)[0];
        let at = String::from_utf8_lossy(&view.text).find("cd").expect("it is there");
        assert_eq!(&text[view.places[at] as usize..][..2], "cd");
        assert_eq!(
            (view.places.len(), view.places.last()),
            (view.text.len() + 1, Some(&(text.len() as u32)))
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_fine(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\\'), Just(b'n'), Just(b'u')], 0..200)) {
            for view in views(&bytes, true) {
                prop_assert_eq!(view.places.len(), view.text.len() + 1);
                prop_assert!(view.places.is_sorted());
            }
        }
    }
}
