//! Tokens of made-up texts in many languages, and texts that are cut anywhere.

use proptest::prelude::*;

use super::languages::LANGUAGES;
use super::*;

/// The tokens that `language` sees, a letter for each kind and the token itself.
fn tokens(language: &str, text: &str) -> Vec<String> {
    let lexer = Lexer::new(Family::of(language).unwrap_or(Family::any()));
    let letter = |kind| match kind {
        Kind::Word => 'w',
        Kind::Keyword => 'k',
        Kind::Number => 'n',
        Kind::Text => 't',
        Kind::Mark => 'm',
    };
    let shown = |token: Token| format!("{}{}", letter(token.kind), &text[token.start..token.end]);
    lexer.tokens(text.as_bytes()).map(shown).collect()
}

#[test]
fn families_have_their_own_signs() {
    for (language, text, expected) in [
        ("C", "int a = 1; /* b */ // c\nx", "kint wa m= n1 m; wx"),
        (
            "C",
            "u8\"a\\\"b\" L'x' R\"q(a\"b)q\" 0x1Fu 1.5e-3f",
            "tu8\"a\\\"b\" tL'x' tR\"q(a\"b)q\" n0x1Fu n1.5e-3f",
        ),
        (
            "Rust",
            "&'a str 'x' '\\n' r#\"a\"b\"# b\"c\"",
            "m& m' wa kstr t'x' t'\\n' tr#\"a\"b\"# tb\"c\"",
        ),
        ("Rust", "a /* b /* c */ d */ e ..= 1..2", "wa we m. m. m= n1 m. m. n2"),
        (
            "Python",
            "def f(x):\n    \"\"\"What\n    it does.\"\"\"\n    return x",
            "kdef wf m( wx m) m: kreturn wx",
        ),
        ("Python", "x = f(\n\"\"\"a\"\"\")\n# c", "wx m= wf m( t\"\"\"a\"\"\" m)"),
        (
            "Python",
            "rb'a' 'b\\'c' f\"{d}\" 1_000 1.real",
            "trb'a' t'b\\'c' tf\"{d}\" n1_000 n1 m. wreal",
        ),
        (
            "JavaScript",
            "a = /x\\/y/g; b / c / d",
            "wa m= t/x\\/y/ wg m; wb m/ wc m/ wd",
        ),
        ("JavaScript", "`a\n${b}` $c", "t`a\n${b}` w$c"),
        ("Go", "x := `a\nb`", "wx m: m= t`a\nb`"),
        ("Haskell", "f' x = {- a {- b -} c -} 'y' -- z", "wf' wx m= t'y'"),
        ("Ruby", "a\n=begin\nx\n=end\n@b ? c! : d", "wa w@b w? wc! m: wd"),
        ("SQL", "SELECT a FROM 'it''s' -- b", "kSELECT wa kFROM t'it' t's'"),
        ("Lua", "--[[ a\nb ]] x = [[c\nd]]", "wx m= t[[c\nd]]"),
        (
            "Scheme",
            "(define (f x) #| a |# (+ x 1)) ; b",
            "m( kdefine m( wf wx m) m( w+ wx n1 m) m)",
        ),
        ("Shell", "echo \"a\nb\" 'c\\' # d", "kecho t\"a\nb\" t'c\\'"),
        (
            "Kotlin",
            "val a = \"\"\"b\n\"c\"\"\"\"",
            "kval wa m= t\"\"\"b\n\"c\"\"\" t\"",
        ),
        ("nobody's", "a # b\nc // d\ne", "wa wc we"),
    ] {
        assert_eq!(tokens(language, text).join(" "), expected, "{language}");
    }
}

#[test]
fn what_does_not_end_ends_with_the_line_or_the_file() {
    for (language, text, expected) in [
        ("C", "a = \"b\nc", "wa m= t\"b wc"),
        ("C", "a /* b", "wa"),
        ("Rust", "a /* b /* */ c", "wa"),
        ("Python", "x = '''a\nb", "wx m= t'''a\nb"),
        ("C", "R\"(a", "tR\"(a"),
        ("C", "'ab 'c", "m' wab m' wc"),
        ("Rust", "r##\"a\"#", "tr##\"a\"#"),
        ("JavaScript", "a = /b\nc", "wa m= m/ wb wc"),
    ] {
        assert_eq!(tokens(language, text).join(" "), expected, "{language} {text:?}");
    }
}

#[test]
fn keywords_are_those_of_the_language() {
    assert_eq!(tokens("Python", "def fn DEF").join(" "), "kdef wfn wDEF");
    assert_eq!(tokens("Rust", "def fn").join(" "), "wdef kfn");
    assert_eq!(
        tokens("Pascal", "BEGIN Begin begins").join(" "),
        "kBEGIN kBegin wbegins"
    );
}

#[test]
fn a_language_is_named_once() {
    let mut names: Vec<&str> = LANGUAGES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

proptest! {
    /// Whatever the bytes are, tokens are in order, not empty, and apart.
    #[test]
    fn any_bytes_become_tokens(
        family in 0..LANGUAGES.len(),
        pieces in prop::collection::vec(prop::sample::select(vec![
            "/*", "*/", "//", "\"", "'", "'''", "\"\"\"", "\\", "\n", " ", "a", "r#\"", "R\"(", ")\"", "#", "--[[", "]]",
            "{-", "-}", "(*", "*)", "1.5e", "+", "`", "=begin", "\n=end", "é", "if", "/", "$@\"", "%{\n",
        ]), 0..60),
        cut in 0usize..4,
    ) {
        let text = pieces.concat().into_bytes();
        let text = &text[cut.min(text.len())..];
        let lexer = Lexer::new(&LANGUAGES[family].0);
        let mut end = 0;
        for token in lexer.tokens(text) {
            prop_assert!(token.start >= end && token.end > token.start && token.end <= text.len());
            end = token.end;
        }
    }
}
