//! Character references of HTML, as far as pages of code use them.
//!
//! Source: HTML, "named character references" and "numeric character reference end state". Of its 2,231 names those below
//! are known; others stay as they are written.

/// Names and what they stand for, sorted. A no-break space is a space: in code it stands for one.
const NAMED: &[(&str, &str)] = &[
    ("Auml", "\u{c4}"),
    ("Delta", "\u{394}"),
    ("Hat", "^"),
    ("NewLine", "\n"),
    ("Omega", "\u{3a9}"),
    ("Ouml", "\u{d6}"),
    ("Sigma", "\u{3a3}"),
    ("Tab", "\t"),
    ("Uuml", "\u{dc}"),
    ("aacute", "\u{e1}"),
    ("acirc", "\u{e2}"),
    ("agrave", "\u{e0}"),
    ("alpha", "\u{3b1}"),
    ("amp", "&"),
    ("and", "\u{2227}"),
    ("apos", "'"),
    ("aring", "\u{e5}"),
    ("ast", "*"),
    ("asymp", "\u{2248}"),
    ("auml", "\u{e4}"),
    ("bdquo", "\u{201e}"),
    ("beta", "\u{3b2}"),
    ("bsol", "\\"),
    ("bull", "\u{2022}"),
    ("cap", "\u{2229}"),
    ("ccedil", "\u{e7}"),
    ("cent", "\u{a2}"),
    ("check", "\u{2713}"),
    ("colon", ":"),
    ("comma", ","),
    ("commat", "@"),
    ("copy", "\u{a9}"),
    ("cup", "\u{222a}"),
    ("darr", "\u{2193}"),
    ("deg", "\u{b0}"),
    ("delta", "\u{3b4}"),
    ("divide", "\u{f7}"),
    ("dollar", "$"),
    ("eacute", "\u{e9}"),
    ("ecirc", "\u{ea}"),
    ("egrave", "\u{e8}"),
    ("empty", "\u{2205}"),
    ("emsp", "\u{2003}"),
    ("ensp", "\u{2002}"),
    ("epsilon", "\u{3b5}"),
    ("equals", "="),
    ("equiv", "\u{2261}"),
    ("euro", "\u{20ac}"),
    ("excl", "!"),
    ("exist", "\u{2203}"),
    ("forall", "\u{2200}"),
    ("frac12", "\u{bd}"),
    ("frac14", "\u{bc}"),
    ("gamma", "\u{3b3}"),
    ("ge", "\u{2265}"),
    ("grave", "`"),
    ("gt", ">"),
    ("hArr", "\u{21d4}"),
    ("harr", "\u{2194}"),
    ("hellip", "\u{2026}"),
    ("iacute", "\u{ed}"),
    ("infin", "\u{221e}"),
    ("int", "\u{222b}"),
    ("isin", "\u{2208}"),
    ("lArr", "\u{21d0}"),
    ("lambda", "\u{3bb}"),
    ("laquo", "\u{ab}"),
    ("larr", "\u{2190}"),
    ("lbrace", "{"),
    ("lbrack", "["),
    ("lcub", "{"),
    ("ldquo", "\u{201c}"),
    ("le", "\u{2264}"),
    ("lowbar", "_"),
    ("lpar", "("),
    ("lsaquo", "\u{2039}"),
    ("lsqb", "["),
    ("lsquo", "\u{2018}"),
    ("lt", "<"),
    ("mdash", "\u{2014}"),
    ("micro", "\u{b5}"),
    ("middot", "\u{b7}"),
    ("mu", "\u{3bc}"),
    ("nbsp", " "),
    ("ndash", "\u{2013}"),
    ("ne", "\u{2260}"),
    ("not", "\u{ac}"),
    ("notin", "\u{2209}"),
    ("ntilde", "\u{f1}"),
    ("num", "#"),
    ("oacute", "\u{f3}"),
    ("ocirc", "\u{f4}"),
    ("omega", "\u{3c9}"),
    ("or", "\u{2228}"),
    ("oslash", "\u{f8}"),
    ("ouml", "\u{f6}"),
    ("para", "\u{b6}"),
    ("part", "\u{2202}"),
    ("percnt", "%"),
    ("period", "."),
    ("phi", "\u{3c6}"),
    ("pi", "\u{3c0}"),
    ("plus", "+"),
    ("plusmn", "\u{b1}"),
    ("pound", "\u{a3}"),
    ("prod", "\u{220f}"),
    ("quest", "?"),
    ("quot", "\""),
    ("rArr", "\u{21d2}"),
    ("radic", "\u{221a}"),
    ("raquo", "\u{bb}"),
    ("rarr", "\u{2192}"),
    ("rbrace", "}"),
    ("rbrack", "]"),
    ("rcub", "}"),
    ("rdquo", "\u{201d}"),
    ("reg", "\u{ae}"),
    ("rpar", ")"),
    ("rsaquo", "\u{203a}"),
    ("rsqb", "]"),
    ("rsquo", "\u{2019}"),
    ("sbquo", "\u{201a}"),
    ("sect", "\u{a7}"),
    ("semi", ";"),
    ("shy", "\u{ad}"),
    ("sigma", "\u{3c3}"),
    ("sol", "/"),
    ("sub", "\u{2282}"),
    ("sum", "\u{2211}"),
    ("sup", "\u{2283}"),
    ("sup2", "\u{b2}"),
    ("sup3", "\u{b3}"),
    ("szlig", "\u{df}"),
    ("theta", "\u{3b8}"),
    ("thinsp", "\u{2009}"),
    ("times", "\u{d7}"),
    ("trade", "\u{2122}"),
    ("uacute", "\u{fa}"),
    ("uarr", "\u{2191}"),
    ("uuml", "\u{fc}"),
    ("verbar", "|"),
    ("vert", "|"),
    ("yen", "\u{a5}"),
    ("zwj", "\u{200d}"),
    ("zwnj", "\u{200c}"),
];

/// Names that are known without their semicolon, too.
const LEGACY: [&str; 5] = ["amp", "gt", "lt", "nbsp", "quot"];

/// Longest reference that is looked at.
const LONGEST: usize = 12;

/// What numbers from 128 to 159 stand for, as in Windows-1252; 0 where they stand for themselves.
const WINDOWS: [u32; 32] = [
    0x20ac, 0, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0, 0,
    0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0, 0x17e, 0x178,
];

/// Adds text with its references decoded; ends of lines become line feeds.
pub(super) fn push_decoded(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '\r', '\u{a0}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = if let Some(after) = rest.strip_prefix('\r') {
            out.push('\n');
            after.strip_prefix('\n').unwrap_or(after)
        } else if let Some(after) = rest.strip_prefix('\u{a0}') {
            out.push(' ');
            after
        } else {
            push_reference(out, &rest[1..])
        };
    }
    out.push_str(rest);
}

/// Adds what the reference behind a `&` stands for, and returns what follows it.
fn push_reference<'a>(out: &mut String, text: &'a str) -> &'a str {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    let length = text.bytes().take(LONGEST).take_while(is_part).count();
    let (name, rest) = text.split_at(length);
    let after = rest.strip_prefix(';');
    let found = match name.strip_prefix('#') {
        Some(number) => numbered(number),
        None if after.is_some() || LEGACY.contains(&name) => named(name),
        None => None,
    };
    match found {
        Some(text) => {
            out.push_str(&text);
            after.unwrap_or(rest)
        }
        None => {
            out.push('&');
            text
        }
    }
}

fn named(name: &str) -> Option<String> {
    let at = NAMED.binary_search_by_key(&name, |(known, _)| known).ok()?;
    Some(NAMED[at].1.to_owned())
}

fn numbered(number: &str) -> Option<String> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    let code = match code {
        0xa0 => 0x20,
        0x80..0xa0 if WINDOWS[code as usize - 0x80] > 0 => WINDOWS[code as usize - 0x80],
        other => other,
    };
    let character = char::from_u32(code).filter(|&character| character != '\0');
    Some(character.unwrap_or(char::REPLACEMENT_CHARACTER).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_as_far_as_they_are_known() {
        assert!(NAMED.is_sorted_by_key(|(name, _)| *name));
        for (text, expected) in [
            ("a &lt; b &amp;&amp; c", "a < b && c"),
            ("&lt b&gt;&ltx", "< b>&ltx"),
            ("&#60;&#x3C;&#X3e;&#128;&#0;&#x110000;", "<<>\u{20ac}\u{fffd}\u{fffd}"),
            ("&unknown; &; & &#; &#x;", "&unknown; &; & &#; &#x;"),
            ("a&nbsp;b\u{a0}c&#160;d", "a b c d"),
            ("a\r\nb\rc", "a\nb\nc"),
            ("&aaaaaaaaaaaaaaaaaaaaaaaaaa;", "&aaaaaaaaaaaaaaaaaaaaaaaaaa;"),
            ("&ntilde;&lcub;&NewLine;", "\u{f1}{\n"),
        ] {
            let mut out = String::new();
            push_decoded(&mut out, text);
            assert_eq!(out, expected, "{text}");
        }
    }
}
