//! A view of a page without its markup: tags are gone, entities are what they stand for.
//!
//! ```text
//!   <span class="k">def</span> f(x):<br>a &lt; 1    ►    def f(x):⏎a < 1
//! ```

use memchr::{memchr, memchr2, memmem};

use super::views::View;

/// Closing tags and entities that a text must have for a view to be worth its time.
const MIN_MARKS: usize = 4;
/// Longest tag, in bytes.
const MAX_TAG: usize = 400;
/// Tags in place of which a line ends.
const LINES: [&[u8]; 10] = [b"br", b"p", b"div", b"li", b"tr", b"td", b"pre", b"h1", b"h2", b"h3"];
/// Entities, without `&` and `;`.
const ENTITIES: [(&[u8], u8); 12] = [
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"amp", b'&'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"#39", b'\''),
    (b"#x27", b'\''),
    (b"#34", b'"'),
    (b"#x22", b'"'),
    (b"nbsp", b' '),
    (b"#10", b'\n'),
    (b"#xA", b'\n'),
];

/// Whether a text has so much markup that code in it may be torn.
pub(super) fn is_worth_a_view(text: &[u8]) -> bool {
    let closing = memmem::find_iter(text, b"</").take(MIN_MARKS).count();
    closing > 0
        && closing
            + memmem::find_iter(text, b";")
                .filter(|&at| entity_before(text, at))
                .take(MIN_MARKS)
                .count()
            >= MIN_MARKS
}

/// Whether an entity ends at the `;` at `at`.
fn entity_before(text: &[u8], at: usize) -> bool {
    ENTITIES
        .iter()
        .any(|(name, _)| text[..at].ends_with(name) && at > name.len() && text[at - name.len() - 1] == b'&')
}

/// The view.
pub(super) fn without(text: &[u8]) -> View {
    let mut view = View {
        text: Vec::with_capacity(text.len()),
        places: Vec::with_capacity(text.len() + 1),
        has_words: true,
    };
    let mut at = 0;
    while at < text.len() {
        let run = memchr2(b'<', b'&', &text[at..]).unwrap_or(text.len() - at);
        view.text.extend_from_slice(&text[at..at + run]);
        view.places.extend((at..at + run).map(|place| place as u32));
        at += run;
        let (byte, length) = match text.get(at) {
            Some(b'<') => tag(&text[at..]),
            Some(_) => entity(&text[at..]),
            None => break,
        };
        view.text.extend(byte);
        view.places.extend(byte.map(|_| at as u32));
        at += length;
    }
    view.places.push(text.len() as u32);
    view
}

/// What stands for the tag at the start of `text`, and its length; anything else is its own first byte.
fn tag(text: &[u8]) -> (Option<u8>, usize) {
    let name = &text[1 + usize::from(text.get(1) == Some(&b'/'))..];
    let within = &text[..text.len().min(MAX_TAG)];
    let end = memchr(b'>', within).filter(|&end| memchr(b'<', &within[1..end]).is_none());
    match (name.first(), end) {
        (Some(letter), Some(end)) if letter.is_ascii_alphabetic() => {
            let length = name.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let is_line = LINES.iter().any(|line| line.eq_ignore_ascii_case(&name[..length]));
            (is_line.then_some(b'\n'), end + 1)
        }
        _ => (Some(b'<'), 1),
    }
}

/// What the entity at the start of `text` stands for, and its length; anything else is its own first byte.
fn entity(text: &[u8]) -> (Option<u8>, usize) {
    ENTITIES
        .iter()
        .find(|(name, _)| text[1..].starts_with(name) && text.get(1 + name.len()) == Some(&b';'))
        .map_or((Some(b'&'), 1), |(name, byte)| (Some(*byte), name.len() + 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str) -> String {
        String::from_utf8_lossy(&without(text.as_bytes()).text).into_owned()
    }

    #[test]
    fn tags_go_and_entities_are_letters() {
        assert_eq!(
            plain("<span class=\"k\">def</span> f(x):<br/>a &lt; 1 &amp;&amp; b &#x27;c&#39;"),
            "def f(x):\na < 1 && b 'c'"
        );
    }

    #[test]
    fn what_is_no_markup_stays() {
        for text in ["a < b > c", "if a<1 && b", "x &y; <", "&", "</", "<a", "Vec<<"] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn only_pages_have_a_view() {
        assert!(is_worth_a_view(b"<p>a</p> <p>b</p> &lt;c&gt;"));
        assert!(is_worth_a_view(b"</a></a></a></a>"));
        assert!(!is_worth_a_view(b"</a></a></a>"));
        assert!(!is_worth_a_view(b"&lt; &lt; &lt; &lt; &lt;"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_fine(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'<'), Just(b'>'), Just(b'&'), Just(b'p'), Just(b'/')], 0..120)) {
            let view = without(&bytes);
            prop_assert_eq!(view.places.len(), view.text.len() + 1);
            prop_assert!(view.places.is_sorted());
        }
    }
}
