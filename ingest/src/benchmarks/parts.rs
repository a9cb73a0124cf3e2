//! What readers share: an item put together part by part, and the parts of prompts that are not published alone.

use serde::Deserialize;
use stackmill_schemas::benchmark::{BenchmarkItem, Field};
use stackmill_schemas::error::{Error, Result};

/// Names of languages in benchmarks, in lower case, and what the language detector calls them.
const LANGUAGES: &[(&str, &str)] = &[
    ("c++", "C++"),
    ("cpp", "C++"),
    ("cs", "C#"),
    ("csharp", "C#"),
    ("d", "D"),
    ("go", "Go"),
    ("java", "Java"),
    ("javascript", "JavaScript"),
    ("jl", "Julia"),
    ("js", "JavaScript"),
    ("julia", "Julia"),
    ("kotlin", "Kotlin"),
    ("lua", "Lua"),
    ("perl", "Perl"),
    ("php", "PHP"),
    ("pl", "Perl"),
    ("python", "Python"),
    ("r", "R"),
    ("racket", "Racket"),
    ("rb", "Ruby"),
    ("rkt", "Racket"),
    ("rs", "Rust"),
    ("ruby", "Ruby"),
    ("rust", "Rust"),
    ("scala", "Scala"),
    ("sh", "Shell"),
    ("swift", "Swift"),
    ("ts", "TypeScript"),
    ("typescript", "TypeScript"),
];

/// An item on its way.
pub(super) struct Parts(BenchmarkItem);

impl Parts {
    /// An item that is its own family, without any field.
    pub(super) fn of(id: String, language: Option<&'static str>) -> Self {
        Self(BenchmarkItem {
            family: id.clone(),
            id,
            language: language.map(str::to_owned),
            fields: Vec::new(),
        })
    }

    /// The problem that it was made from.
    pub(super) fn family(mut self, family: String) -> Self {
        self.0.family = family;
        self
    }

    /// One more field, if there is any text, and none like it yet.
    pub(super) fn with(mut self, field: Field, text: impl Into<Option<String>>) -> Self {
        if let Some(text) = text.into().filter(|text| !text.trim().is_empty())
            && !self.0.fields.contains(&(field, text.clone()))
        {
            self.0.fields.push((field, text));
        }
        self
    }

    /// The item.
    pub(super) fn item(self) -> BenchmarkItem {
        self.0
    }
}

/// What the language detector calls a language.
pub(super) fn language_of(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let at = LANGUAGES.binary_search_by_key(&name.as_str(), |(name, _)| name).ok()?;
    Some(LANGUAGES[at].1)
}

/// `CPP/12` in two.
pub(super) fn numbered(id: &str) -> Result<(&str, u64)> {
    let parts = id.split_once('/');
    let parts = parts.and_then(|(name, number)| Some((name, number.parse().ok()?)));
    parts.ok_or_else(|| Error::input(format!("`{id}` is no name with a number")))
}

/// Tests that call the function by a word of their own: once so, and once by its name.
pub(super) fn called(tests: &str, word: &str, name: &str) -> String {
    match tests.contains(word) {
        true => format!("{tests}\n{}", tests.replace(word, name)),
        false => tests.to_owned(),
    }
}

/// The `def` line of function `name`, up to its docstring: a solution is found by it where the docstring was removed.
pub(super) fn python_signature<'a>(prompt: &'a str, name: &str) -> &'a str {
    let Some(start) = prompt.rfind(&format!("def {name}(")) else {
        return "";
    };
    let rest = &prompt[start..];
    let end = QUOTES.iter().filter_map(|quote| rest.find(quote)).min();
    rest[..end.unwrap_or(rest.len())].trim_end()
}

const QUOTES: [&str; 2] = ["\"\"\"", "'''"];

/// The last docstring of a prompt.
pub(super) fn python_docstring(prompt: &str) -> Option<String> {
    let (end, quote) = QUOTES
        .iter()
        .filter_map(|quote| Some((prompt.rfind(quote)?, *quote)))
        .max()?;
    let begin = prompt[..end].rfind(quote)? + quote.len();
    Some(prompt[begin..end].to_owned())
}

/// Inputs and outputs that belong together, a pair a line.
pub(super) fn paired(inputs: &[String], outputs: &[String]) -> String {
    let words = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = inputs.iter().zip(outputs).take(MOST_PAIRS);
    let lines = lines.map(|(input, output)| format!("{} {}", words(input), words(output)));
    lines
        .filter(|line| line.len() <= LONGEST_PAIR)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Pairs that are taken, and bytes of one: contests have them by the megabyte.
const MOST_PAIRS: usize = 16;
const LONGEST_PAIR: usize = 1000;

/// The pairs of `{"inputs": […], "outputs": […]}`; none of what is written otherwise.
pub(super) fn pairs(text: &str) -> String {
    #[derive(Deserialize)]
    struct Pairs {
        inputs: Vec<serde_json::Value>,
        outputs: Vec<serde_json::Value>,
    }
    let word = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let Ok(Pairs { inputs, outputs }) = serde_json::from_str(text) else {
        return String::new();
    };
    let [inputs, outputs] = [inputs, outputs].map(|list| list.into_iter().map(word).collect::<Vec<_>>());
    paired(&inputs, &outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_sorted_and_known() {
        assert!(LANGUAGES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(
            [language_of("CPP"), language_of("Go"), language_of("cobol")],
            [Some("C++"), Some("Go"), None]
        );
    }

    #[test]
    fn the_signature_ends_at_the_docstring_or_with_the_prompt() {
        assert_eq!(
            python_signature("def f(x):\n    \"\"\" '''x''' \"\"\"", "f"),
            "def f(x):"
        );
        assert_eq!(python_signature("def f(x):\n    pass\n", "f"), "def f(x):\n    pass");
        assert_eq!(python_signature("def fg(x):\n", "f"), "");
    }

    #[test]
    fn the_last_docstring_counts() {
        let prompt = "def f():\n  '''one'''\ndef g():\n  \"\"\"two\"\"\"\n";
        assert_eq!(python_docstring(prompt).as_deref(), Some("two"));
        assert_eq!(python_docstring("def f(): '''"), None);
        assert_eq!(python_docstring("def f()"), None);
    }

    #[test]
    fn what_is_no_pair_is_left_out() {
        assert_eq!(
            pairs(r#"{"inputs": [[1, 2], "a\nb"], "outputs": [3, "c"]}"#),
            "[1,2] 3\na b c"
        );
        assert_eq!(pairs("[]"), "");
        assert_eq!(paired(&["x".repeat(2000)], &["y".into()]), "");
    }
}
