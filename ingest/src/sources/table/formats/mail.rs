//! Mail that was answered into an issue: what it quotes, and what services write around it, is taken out.
//!
//! Source: `preprocessing/utils/utils_issues.py` of `bigcode-project/bigcode-dataset`, whose patterns match greedily from
//! the front: whatever lies between the last fitting marks goes, and what comes after it, too, but for sign-offs.

use std::sync::LazyLock;

use memchr::memmem;
use regex::Regex;

/// Marks of quoted mail, in order, each with something before the next; all after the first is cut.
const QUOTED: [&[&str]; 2] = [
    &["From:", "Reply to this email directly", "view it on GitHub"],
    &[
        "On",
        "notifications@github.com",
        "wrote:",
        "Reply to this email directly",
        "view it on GitHub",
    ],
];
/// Marks of a sign-off; what comes after it stays.
const SIGNED: &[&str] = &["Signed-off-by: ", "<", ">"];

/// A rule across the page.
static PAGE_BREAK: LazyLock<Regex> = LazyLock::new(|| compiled("_{20,}"));
/// A date in front of a quotation.
static DATED: LazyLock<Regex> = LazyLock::new(|| compiled(r"\d+/\d+/\d+ \d{2}:\d{2} [AP]M.+wrote"));

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("because the pattern is one of the two above")
}

/// White space as Python has it.
fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// `text` without quoted mail. With `compat`, lines before a quotation that has no end are there twice, as in the original.
pub(super) fn stripped(text: &str, compat: bool) -> String {
    let text = text.trim_matches(is_space);
    let quoted = QUOTED
        .iter()
        .find_map(|marks| Some(text[..marked(text, marks)?.0].to_owned()));
    let signed = || {
        let (start, end) = marked(text, SIGNED)?;
        let rest = &text[end..];
        Some(format!("{}{}", &text[..start], rest.strip_prefix('\n').unwrap_or(rest)))
    };
    let left = quoted.or_else(signed).unwrap_or_else(|| unquoted(text, compat));
    PAGE_BREAK.replace_all(&left, "").trim_matches(is_space).to_owned()
}

/// Where the last of `marks` that stand in order, with something between any two, begin and end.
fn marked(text: &str, marks: &[&str]) -> Option<(usize, usize)> {
    let mut before = text.len() + 1;
    let mut end = None;
    for mark in marks.iter().rev() {
        let at = memmem::rfind(&text.as_bytes()[..before.checked_sub(1)?], mark.as_bytes())?;
        end = end.or(Some(at + mark.len()));
        before = at;
    }
    Some((before, end?))
}

/// Without the lines from the last that introduces a quotation to the last that is one.
fn unquoted(text: &str, compat: bool) -> String {
    // The first line that goes, and the first after those that go.
    let (mut start, mut end) = (0, 0);
    for (i, line) in text.split('\n').enumerate() {
        let line = line.trim_matches(is_space);
        if line.contains("notifications@github.com") || DATED.is_match(line) {
            start = i;
        }
        if line.contains("Reply to this email directly") {
            end = i + 1 + usize::from(line.ends_with(':'));
        }
        if line.starts_with('>') {
            end = i + 1;
        }
    }
    let end = if compat { end } else { end.max(start) };
    let mut kept = String::with_capacity(text.len());
    for line in text.split('\n').take(start).chain(text.split('\n').skip(end)) {
        kept.extend([line, "\n"]);
    }
    kept.pop();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_mail_goes_from_its_head_on() {
        let mail = "Fixed.\n\nFrom: A B\nSent: today\n\nit is broken\n\nReply to this email directly or view it on GitHub:\nurl";
        assert_eq!(stripped(mail, false), "Fixed.");
        let wrote = "Yes.\nOn Monday, A <notifications@github.com> wrote:\n> no\nReply to this email directly, view it on GitHub";
        assert_eq!(stripped(wrote, false), "Yes.");
        for (text, place) in [
            ("From:Reply to this email directly, view it on GitHub", None),
            ("From: Reply to this email directly, view it on GitHub", Some((0, 53))),
            (
                "From: From: Reply to this email directly, view it on GitHub.",
                Some((6, 59)),
            ),
        ] {
            assert_eq!(marked(text, QUOTED[0]), place, "{text}");
        }
    }

    #[test]
    fn a_sign_off_goes_and_what_follows_it_stays() {
        assert_eq!(stripped("a\nSigned-off-by: B <b@c>\nd", false), "a\nd");
        assert_eq!(stripped("a\nSigned-off-by: B <b@c>e <>", false), "a");
        assert_eq!(stripped("Signed-off-by: <b@c>", false), "Signed-off-by: <b@c>");
    }

    #[test]
    fn quoted_lines_go_with_what_introduces_them() {
        assert_eq!(stripped("a\n1/2/2020 10:11 AM B wrote\n> c\n > d\ne", false), "a\ne");
        assert_eq!(stripped("> c\na", false), "a");
        assert_eq!(stripped("a\nReply to this email directly:\nurl\nb", false), "b");
        assert_eq!(
            stripped(&format!("a{}b{}", "_".repeat(19), "_".repeat(20)), false),
            format!("a{}b", "_".repeat(19))
        );
    }

    #[test]
    fn what_has_no_end_stays_once_or_twice() {
        let text = "a\nask notifications@github.com\nb";
        assert_eq!(stripped(text, false), text);
        assert_eq!(stripped(text, true), format!("a\n{text}"));
    }
}
