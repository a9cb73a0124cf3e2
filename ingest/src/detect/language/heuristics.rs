//! Linguist's content rules for extensions that several languages share, compiled as they are first needed.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use linguist::definitions::HEURISTICS;
use linguist_types::HeuristicRule;
use regex::bytes::{Regex, RegexBuilder};

use super::tables::Name;

/// Bytes of a file that rules look at. Source: Linguist.
pub(crate) const CONSIDERED_BYTES: usize = 50 * 1024;

/// The rules of one group of extensions, in order.
struct Disambiguation {
    rules: Vec<Rule>,
}

/// Names `languages` where the condition holds.
struct Rule {
    languages: Vec<Name>,
    condition: Condition,
}

enum Condition {
    Always,
    All(Vec<Condition>),
    Match(Pattern),
    NoMatch(Pattern),
}

/// Alternatives, compiled into one expression at first use.
struct Pattern {
    alternatives: &'static [String],
    compiled: OnceLock<Option<Regex>>,
}

static BY_EXTENSION: LazyLock<HashMap<&'static str, Vec<Disambiguation>>> = LazyLock::new(|| {
    let mut index: HashMap<&'static str, Vec<Disambiguation>> = HashMap::new();
    for group in &HEURISTICS.disambiguations {
        for extension in &group.extensions {
            let rules = group.rules.iter().map(Rule::new).collect();
            index
                .entry(extension.as_str())
                .or_default()
                .push(Disambiguation { rules });
        }
    }
    index
});

/// The languages that the first matching rule for `extension` names; none where no rule matches or there are no rules.
pub(crate) fn disambiguate(extension: &str, content: &[u8]) -> &'static [Name] {
    let groups: &'static [Disambiguation] = BY_EXTENSION.get(extension).map_or(&[], Vec::as_slice);
    let rule = groups
        .iter()
        .flat_map(|group| &group.rules)
        .find(|rule| rule.condition.holds(content));
    rule.map_or(&[], |rule| rule.languages.as_slice())
}

impl Rule {
    fn new(rule: &'static HeuristicRule) -> Self {
        let languages = rule.language.iter().flatten().map(String::as_str).collect();
        Self {
            languages,
            condition: Condition::new(rule),
        }
    }
}

impl Condition {
    /// A rule may have several conditions: all of them must hold.
    fn new(rule: &'static HeuristicRule) -> Self {
        let named = rule
            .named_pattern
            .as_ref()
            .and_then(|name| HEURISTICS.named_patterns.get(name));
        let nested = rule.and.iter().flatten().map(Self::new);
        let positive = named
            .into_iter()
            .chain(&rule.pattern)
            .map(|p| Self::Match(Pattern::new(p)));
        let negative = rule.negative_pattern.iter().map(|p| Self::NoMatch(Pattern::new(p)));
        let mut all: Vec<Self> = nested.chain(positive).chain(negative).collect();
        match all.len() {
            0 => Self::Always,
            1 => all.swap_remove(0),
            _ => Self::All(all),
        }
    }

    fn holds(&self, content: &[u8]) -> bool {
        match self {
            Self::Always => true,
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(content)),
            Self::Match(pattern) => pattern.is_match(content),
            Self::NoMatch(pattern) => !pattern.is_match(content),
        }
    }
}

impl Pattern {
    fn new(alternatives: &'static [String]) -> Self {
        Self {
            alternatives,
            compiled: OnceLock::new(),
        }
    }

    /// A pattern that does not compile never matches; a test compiles them all.
    fn is_match(&self, content: &[u8]) -> bool {
        let compiled = self
            .compiled
            .get_or_init(|| compile(self.alternatives.iter().map(String::as_str)));
        compiled.as_ref().is_some_and(|regex| regex.is_match(content))
    }
}

/// One expression for all alternatives. Lines are anchors as in Ruby, whose `(?m)` means something else: there it lets
/// a dot match line ends, which no rule relies on.
pub(crate) fn compile<'a>(alternatives: impl Iterator<Item = &'a str>) -> Option<Regex> {
    let parts: Vec<String> = alternatives
        .map(|alternative| format!("(?:{})", alternative.trim_start_matches("(?-m)")))
        .collect();
    RegexBuilder::new(&parts.join("|"))
        .unicode(false)
        .multi_line(true)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_compiles() {
        fn check(condition: &Condition) {
            match condition {
                Condition::Always => {}
                Condition::All(conditions) => conditions.iter().for_each(check),
                Condition::Match(pattern) | Condition::NoMatch(pattern) => {
                    let alternatives = pattern.alternatives.iter().map(String::as_str);
                    assert!(compile(alternatives).is_some(), "{:?}", pattern.alternatives);
                }
            }
        }
        let rules = BY_EXTENSION.values().flatten().flat_map(|group| &group.rules);
        assert!(rules.clone().count() > 200);
        rules.for_each(|rule| check(&rule.condition));
    }

    #[test]
    fn the_first_matching_rule_names_the_languages() {
        assert_eq!(disambiguate(".h", b"@interface A\n"), ["Objective-C"]);
        assert_eq!(disambiguate(".h", b"int a;\nstd::string b;\n"), ["C++"]);
        assert_eq!(disambiguate(".h", b""), ["C"]);
        assert_eq!(disambiguate(".mod", b"?"), ["Linux Kernel Module", "AMPL"]);
        assert_eq!(disambiguate(".nosuch", b"?").len(), 0);
    }

    #[test]
    fn all_conditions_of_a_rule_must_hold() {
        // `.b` names B by one pattern and the absence of another.
        assert_eq!(disambiguate(".b", b"  extrn a;\n"), ["B"]);
        assert_eq!(disambiguate(".b", b"  extrn a;\n  load A;\n").len(), 0);
    }
}
