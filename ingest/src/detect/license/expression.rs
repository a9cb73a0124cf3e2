//! SPDX expressions as people write them, and the expression they mean.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use spdx::identifiers::{EXCEPTIONS, LICENSES};

/// Bytes of the longest expression that is read.
const EXPRESSION_BYTES: usize = 1024;
/// Parentheses within parentheses.
const DEPTH: usize = 16;

/// An expression: a license (perhaps `WITH` an exception), all of several, or any of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Terms {
    /// `MIT`, `GPL-2.0-only WITH Classpath-exception-2.0`, `LicenseRef-x`.
    One(String),
    /// `A AND B`.
    All(Vec<Terms>),
    /// `A OR B`.
    Any(Vec<Terms>),
}

/// Identifiers by their lower-case form.
struct Ids {
    licenses: HashMap<String, &'static str>,
    exceptions: HashMap<String, &'static str>,
}

static IDS: LazyLock<Ids> = LazyLock::new(|| Ids {
    licenses: LICENSES
        .iter()
        .map(|license| (license.name.to_lowercase(), license.name))
        .collect(),
    exceptions: EXCEPTIONS
        .iter()
        .map(|exception| (exception.name.to_lowercase(), exception.name))
        .collect(),
});

/// Deprecated identifiers that stand for a license and its exception, or another identifier.
const RENAMED: &[(&str, &str)] = &[
    ("bsd-2-clause-freebsd", "BSD-2-Clause"),
    ("bsd-2-clause-netbsd", "BSD-2-Clause"),
    ("ecos-2.0", "GPL-2.0-or-later WITH eCos-exception-2.0"),
    (
        "gpl-2.0-with-autoconf-exception",
        "GPL-2.0-only WITH Autoconf-exception-2.0",
    ),
    (
        "gpl-2.0-with-bison-exception",
        "GPL-2.0-or-later WITH Bison-exception-2.2",
    ),
    (
        "gpl-2.0-with-classpath-exception",
        "GPL-2.0-only WITH Classpath-exception-2.0",
    ),
    ("gpl-2.0-with-font-exception", "GPL-2.0-only WITH Font-exception-2.0"),
    ("gpl-2.0-with-gcc-exception", "GPL-2.0-or-later WITH GCC-exception-2.0"),
    (
        "gpl-3.0-with-autoconf-exception",
        "GPL-3.0-only WITH Autoconf-exception-3.0",
    ),
    ("gpl-3.0-with-gcc-exception", "GPL-3.0-only WITH GCC-exception-3.1"),
    ("wxwindows", "LGPL-2.0-or-later WITH WxWindows-exception-3.1"),
    ("bzip2-1.0.5", "bzip2-1.0.6"),
    ("standardml-nj", "SMLNJ"),
    ("net-snmp", "Net-SNMP"),
    ("nunit", "zlib-acknowledgement"),
];

/// Short names that are no identifiers but mean one. Bare `GPL` and `BSD` are not here: they name families.
const SHORT: &[(&str, &str)] = &[
    ("apache", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    ("apache-2", "Apache-2.0"),
    ("apache2.0", "Apache-2.0"),
    ("apachev2", "Apache-2.0"),
    ("asl-2.0", "Apache-2.0"),
    ("apache-license-2.0", "Apache-2.0"),
    ("bsd-2", "BSD-2-Clause"),
    ("bsd2", "BSD-2-Clause"),
    ("2-clause-bsd", "BSD-2-Clause"),
    ("bsd-3", "BSD-3-Clause"),
    ("bsd3", "BSD-3-Clause"),
    ("3-clause-bsd", "BSD-3-Clause"),
    ("bsd", "BSD-3-Clause"),
    ("boost", "BSL-1.0"),
    ("cc0", "CC0-1.0"),
    ("expat", "MIT"),
    ("mpl", "MPL-2.0"),
    ("mpl2", "MPL-2.0"),
    ("mpl-2", "MPL-2.0"),
    ("gpl", "GPL-1.0-or-later"),
    ("gplv2", "GPL-2.0-only"),
    ("gpl2", "GPL-2.0-only"),
    ("gpl-2", "GPL-2.0-only"),
    ("gplv3", "GPL-3.0-only"),
    ("gpl3", "GPL-3.0-only"),
    ("gpl-3", "GPL-3.0-only"),
    ("lgpl", "LGPL-2.0-or-later"),
    ("lgplv2", "LGPL-2.0-only"),
    ("lgplv2.1", "LGPL-2.1-only"),
    ("lgpl2.1", "LGPL-2.1-only"),
    ("lgpl3", "LGPL-3.0-only"),
    ("agpl3", "AGPL-3.0-only"),
    ("gplv2.0", "GPL-2.0-only"),
    ("gplv3.0", "GPL-3.0-only"),
    ("lgpl-2", "LGPL-2.0-only"),
    ("lgplv3", "LGPL-3.0-only"),
    ("lgpl-3", "LGPL-3.0-only"),
    ("agpl", "AGPL-3.0-only"),
    ("agplv3", "AGPL-3.0-only"),
    ("agpl-3", "AGPL-3.0-only"),
    ("public-domain", super::PUBLIC_DOMAIN),
    ("publicdomain", super::PUBLIC_DOMAIN),
];

impl Terms {
    /// Reads an expression leniently: any case, `/`, `|`, `||` as `OR`, `&`, `&&` as `AND`, `+` for later versions,
    /// deprecated and short identifiers. `None` where a word is not known.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > EXPRESSION_BYTES {
            return None;
        }
        let tokens = tokens(text);
        let mut parser = Parser { tokens: &tokens, at: 0 };
        let terms = parser.any(0)?;
        (parser.at == tokens.len()).then_some(terms)
    }

    /// All of `terms`, without repetitions.
    pub(crate) fn all(terms: Vec<Self>) -> Option<Self> {
        Self::joined(terms, |terms| match terms {
            Self::All(parts) => Ok(parts),
            other => Err(other),
        })
        .map(|mut parts| {
            if parts.len() == 1 {
                parts.swap_remove(0)
            } else {
                Self::All(parts)
            }
        })
    }

    /// Any of `terms`, without repetitions.
    pub(crate) fn any(terms: Vec<Self>) -> Option<Self> {
        Self::joined(terms, |terms| match terms {
            Self::Any(parts) => Ok(parts),
            other => Err(other),
        })
        .map(|mut parts| {
            if parts.len() == 1 {
                parts.swap_remove(0)
            } else {
                Self::Any(parts)
            }
        })
    }

    /// Flattened with `inner`, each once; `None` where there is nothing.
    fn joined(terms: Vec<Self>, inner: fn(Self) -> Result<Vec<Self>, Self>) -> Option<Vec<Self>> {
        let mut all: Vec<Self> = Vec::new();
        for terms in terms {
            let parts = inner(terms).unwrap_or_else(|one| vec![one]);
            parts.into_iter().for_each(|part| {
                if !all.contains(&part) {
                    all.push(part);
                }
            });
        }
        (!all.is_empty()).then_some(all)
    }

    /// Every license named, in order.
    pub(crate) fn licenses(&self) -> Vec<&str> {
        match self {
            Self::One(license) => vec![license],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::licenses).collect(),
        }
    }

    /// Whether the expression can be satisfied with licenses for which `allowed` holds.
    pub(crate) fn satisfied(&self, allowed: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::One(license) => allowed(license),
            Self::All(parts) => parts.iter().all(|part| part.satisfied(allowed)),
            Self::Any(parts) => parts.iter().any(|part| part.satisfied(allowed)),
        }
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::One(license) => return f.write_str(license),
            Self::All(parts) => (parts, " AND "),
            Self::Any(parts) => (parts, " OR "),
        };
        for (i, part) in parts.iter().enumerate() {
            f.write_str(if i > 0 { word } else { "" })?;
            match part {
                Self::Any(_) => write!(f, "({part})")?,
                _ => write!(f, "{part}")?,
            }
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    And,
    Or,
    With,
    Word(&'a str),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-._+:".contains(c);
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let (word, after) = rest.split_at(length);
        rest = after;
        // `MIT/X11` is one license.
        let is_mit = matches!(tokens.last(), Some(Token::Word(last)) if last.eq_ignore_ascii_case("mit"));
        if let Some(behind) = rest.strip_prefix("X11").filter(|_| is_mit && word == "/") {
            rest = behind;
            continue;
        }
        tokens.push(match word {
            "(" => Token::Open,
            ")" => Token::Close,
            "/" | "|" => Token::Or,
            "&" => Token::And,
            _ if word.trim().is_empty() || word == "," => continue,
            _ if word.eq_ignore_ascii_case("and") => Token::And,
            _ if word.eq_ignore_ascii_case("or") => Token::Or,
            _ if word.eq_ignore_ascii_case("with") => Token::With,
            _ => Token::Word(word),
        });
    }
    tokens.dedup_by(|a, b| a == b && matches!(a, Token::Or | Token::And));
    tokens
}

/// ```text
/// any = all { OR all }     all = one { AND one }     one = ( any ) | word [ WITH word ]
/// ```
struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self, depth: usize) -> Option<Terms> {
        let mut parts = vec![self.all(depth)?];
        while self.takes(&Token::Or) {
            parts.push(self.all(depth)?);
        }
        Terms::any(parts)
    }

    fn all(&mut self, depth: usize) -> Option<Terms> {
        let mut parts = vec![self.one(depth)?];
        while self.takes(&Token::And) {
            parts.push(self.one(depth)?);
        }
        Terms::all(parts)
    }

    fn one(&mut self, depth: usize) -> Option<Terms> {
        if self.takes(&Token::Open) {
            let inner = (depth < DEPTH).then(|| self.any(depth + 1))??;
            return self.takes(&Token::Close).then_some(inner);
        }
        let license = license(self.word()?)?;
        if !self.takes(&Token::With) {
            return Some(Terms::One(license));
        }
        let exception = exception(self.word()?)?;
        Some(Terms::One(format!("{license} WITH {exception}")))
    }

    fn takes(&mut self, token: &Token<'_>) -> bool {
        let taken = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(taken);
        taken
    }

    fn word(&mut self) -> Option<&'a str> {
        let Some(Token::Word(word)) = self.tokens.get(self.at) else {
            return None;
        };
        self.at += 1;
        Some(word)
    }
}

/// The identifier that `word` means.
fn license(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    let reference = ["licenseref-", "documentref-"]
        .iter()
        .any(|prefix| lower.starts_with(prefix));
    if reference {
        return Some(word.to_owned());
    }
    let table = |list: &[(&str, &str)]| {
        list.iter()
            .find(|(name, _)| *name == lower)
            .map(|(_, id)| (*id).to_owned())
    };
    if let Some(id) = table(RENAMED).or_else(|| table(SHORT)) {
        return Some(id);
    }
    let (stem, later) = lower
        .strip_suffix('+')
        .map_or((lower.as_str(), false), |stem| (stem, true));
    let short = SHORT.iter().find(|(name, _)| later && *name == stem);
    if let Some((_, id)) = short {
        return Some(
            id.strip_suffix("-only")
                .map_or_else(|| (*id).to_owned(), |base| format!("{base}-or-later")),
        );
    }
    let id = *IDS.licenses.get(stem).or_else(|| IDS.licenses.get(&lower))?;
    let is_gnu = ["GPL-", "LGPL-", "AGPL-", "GFDL-"]
        .iter()
        .any(|family| id.starts_with(family));
    let is_exact = id.ends_with("-only") || id.ends_with("-or-later") || id.contains("variants");
    Some(match (is_gnu && !is_exact, later) {
        (true, true) => format!("{}-or-later", id.trim_end_matches('+')),
        (true, false) => format!("{}-only", id.trim_end_matches('+')),
        (false, true) if !is_exact => format!("{id}+"),
        _ => id.to_owned(),
    })
}

fn exception(word: &str) -> Option<&str> {
    match IDS.exceptions.get(&word.to_lowercase()) {
        Some(id) => Some(id),
        None => word.starts_with("AdditionRef-").then_some(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        Terms::parse(text).map(|terms| terms.to_string())
    }

    #[test]
    fn lenient_spellings() {
        for (text, expression) in [
            ("MIT", "MIT"),
            ("mit OR apache-2.0", "MIT OR Apache-2.0"),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("(MIT || Apache-2.0)", "MIT OR Apache-2.0"),
            (
                "MIT and (BSD-2-Clause or GPL-2.0+)",
                "MIT AND (BSD-2-Clause OR GPL-2.0-or-later)",
            ),
            ("MIT AND BSD-2-Clause OR ISC", "MIT AND BSD-2-Clause OR ISC"),
            ("GPL-2.0", "GPL-2.0-only"),
            ("GPL-2.0-only", "GPL-2.0-only"),
            ("LGPL-2.1-or-later", "LGPL-2.1-or-later"),
            (
                "GPL-2.0+ WITH classpath-exception-2.0",
                "GPL-2.0-or-later WITH Classpath-exception-2.0",
            ),
            (
                "GPL-2.0-with-classpath-exception",
                "GPL-2.0-only WITH Classpath-exception-2.0",
            ),
            ("Apache-2.0+", "Apache-2.0+"),
            ("GPLv2+ or LGPLv2.1+", "GPL-2.0-or-later OR LGPL-2.1-or-later"),
            ("GPL-2+", "GPL-2.0-or-later"),
            ("MIT/X11 or ISC", "MIT OR ISC"),
            ("GFDL-1.3", "GFDL-1.3-only"),
            ("LicenseRef-Mine", "LicenseRef-Mine"),
            ("MIT OR MIT", "MIT"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expression), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let deep = |n: usize| format!("{}MIT{}", "(".repeat(n), ")".repeat(n));
        for text in [
            "",
            "MIT OR",
            "OR MIT",
            "(MIT",
            "MIT)",
            "MIT MIT",
            "Frobnicate-1.0",
            "MIT WITH Nothing",
            "é",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
        assert_eq!(canonical(&deep(DEPTH)).as_deref(), Some("MIT"));
        assert_eq!(canonical(&deep(DEPTH + 1)), None);
        assert_eq!(canonical(&"MIT OR ".repeat(200)), None);
    }

    #[test]
    fn what_is_written_can_be_read_and_is_valid_spdx() {
        for text in [
            "MIT",
            "MIT AND (ISC OR Zlib)",
            "GPL-2.0+ WITH GCC-exception-2.0",
            "MIT AND ISC OR Zlib",
        ] {
            let once = canonical(text).expect("known");
            assert_eq!(canonical(&once).as_ref(), Some(&once));
            assert!(spdx::Expression::parse(&once).is_ok(), "{once}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "(?s)([ ()/|&+,]|MIT|GPL-2.0|AND|or|with|.){0,60}") {
            if let Some(once) = canonical(&text) {
                proptest::prop_assert_eq!(canonical(&once), Some(once));
            }
        }
    }
}
