//! The `linguist-*` attributes of a repository's `.gitattributes` files.
//!
//! ```text
//!   folder ─► lines, in order of the file
//!              ├─ names and paths without wildcards, by hash: lists of thousands of files are common
//!              └─ patterns, tried one by one: their number is limited
//!   of(path): from the file's folder upwards, in each from the last line to the first; the first that speaks decides
//! ```

use std::collections::{BTreeMap, HashMap};

use gix::attrs::StateRef;
use gix::attrs::parse::Kind;
use gix::bstr::ByteSlice;
use gix::glob::pattern::{Case, Mode};
use gix::glob::{Pattern, wildmatch};

/// Bytes of one `.gitattributes` file that are read.
const FILE_BYTES: usize = 1 << 20;
/// Longest line: git itself ignores longer ones. Source: gitattributes(5), since git 2.39.1.
const LINE_BYTES: usize = 2048;
/// Lines of one revision that are kept.
const LINES: usize = 100_000;
/// Lines with wildcards of one revision that are kept: each is tried on every file below its folder.
const WILDCARD_LINES: usize = 1024;
/// Longest name of a language: no language has a longer one.
const LANGUAGE_BYTES: usize = 128;
/// Wildcards in one pattern: matching may take time exponential in them.
const WILDCARDS: usize = 8;

/// What `.gitattributes` says of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileAttributes {
    /// `linguist-vendored`.
    pub vendored: Option<bool>,
    /// `linguist-generated`.
    pub generated: Option<bool>,
    /// `linguist-documentation`.
    pub documentation: Option<bool>,
    /// `linguist-language`, as written.
    pub language: Option<String>,
}

/// One `linguist-*` assignment; an inner `None` takes back what lines before it said.
#[derive(Clone, Debug)]
enum Assignment {
    Vendored(Option<bool>),
    Generated(Option<bool>),
    Documentation(Option<bool>),
    Language(Option<String>),
}

/// The lines of one `.gitattributes` file that matter.
#[derive(Clone, Debug, Default)]
struct Folder {
    lines: Vec<Vec<Assignment>>,
    names: HashMap<Vec<u8>, Vec<usize>>,
    paths: HashMap<Vec<u8>, Vec<usize>>,
    patterns: Vec<(usize, Pattern)>,
}

/// All `.gitattributes` files of one revision.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    folders: BTreeMap<Vec<u8>, Folder>,
    macros: BTreeMap<String, Vec<Assignment>>,
    lines: usize,
    wildcard_lines: usize,
}

impl Attributes {
    /// No attributes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `path` (raw bytes, from the repository's root) is a file that [`Attributes::add`] wants to see.
    pub fn is_attributes(path: &[u8]) -> bool {
        split(path).1 == b".gitattributes"
    }

    /// Adds one `.gitattributes` file. Lines beyond the limits of this module are ignored.
    pub fn add(&mut self, path: &[u8], content: &[u8]) {
        let mut folder = Folder::default();
        let content = &content[..content.len().min(FILE_BYTES)];
        let short = content
            .split(|&byte| byte == b'\n')
            .filter(|line| line.len() <= LINE_BYTES);
        for line in short {
            if memchr::memmem::find(line, b"linguist-").is_some() || !self.macros.is_empty() {
                self.add_line(&mut folder, line);
            }
        }
        if !folder.lines.is_empty() {
            self.folders.insert(split(path).0.to_vec(), folder);
        }
    }

    fn add_line(&mut self, folder: &mut Folder, line: &[u8]) {
        for (kind, assignments, _) in gix::attrs::parse(line).flatten() {
            let mut found = Vec::new();
            for assignment in assignments.flatten() {
                let name = assignment.name.as_str();
                match self.macros.get(name) {
                    Some(expanded) if assignment.state == StateRef::Set => {
                        expanded.iter().for_each(|assignment| assignment.join(&mut found));
                    }
                    _ => Assignment::new(name, assignment.state)
                        .iter()
                        .for_each(|assignment| assignment.join(&mut found)),
                }
            }
            match kind {
                Kind::Macro(name) => _ = self.macros.insert(name.as_str().to_owned(), found),
                Kind::Pattern(pattern) if !found.is_empty() => self.add_pattern(folder, pattern, found),
                Kind::Pattern(_) => {}
            }
        }
    }

    fn add_pattern(&mut self, folder: &mut Folder, pattern: Pattern, assignments: Vec<Assignment>) {
        let wildcards = pattern
            .text
            .iter()
            .filter(|&byte| matches!(byte, b'*' | b'?' | b'['))
            .count();
        let has_wildcard = wildcards > 0 || pattern.text.contains(&b'\\');
        let fits = self.lines < LINES && (!has_wildcard || self.wildcard_lines < WILDCARD_LINES);
        // A pattern that only matches folders says nothing of the files in them.
        if !fits || wildcards > WILDCARDS || pattern.mode.contains(Mode::MUST_BE_DIR) {
            return;
        }
        let line = folder.lines.len();
        folder.lines.push(assignments);
        self.lines += 1;
        if has_wildcard {
            self.wildcard_lines += 1;
            folder.patterns.push((line, pattern));
        } else if pattern.mode.contains(Mode::NO_SUB_DIR) && !pattern.mode.contains(Mode::ABSOLUTE) {
            folder.names.entry(pattern.text.to_vec()).or_default().push(line);
        } else {
            folder.paths.entry(pattern.text.to_vec()).or_default().push(line);
        }
    }

    /// What holds for the file at `path`.
    pub fn of(&self, path: &[u8]) -> FileAttributes {
        let mut said = Said::default();
        if !self.folders.is_empty() {
            let mut folder = split(path).0;
            loop {
                if let Some(lines) = self.folders.get(folder) {
                    lines.say(&path[folder.len()..], &mut said);
                }
                if folder.is_empty() {
                    break;
                }
                folder = split(folder).0;
            }
        }
        FileAttributes {
            vendored: said.vendored.flatten(),
            generated: said.generated.flatten(),
            documentation: said.documentation.flatten(),
            language: said.language.flatten(),
        }
    }
}

/// The folder, without the slash at its end, and the name in it.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'/', path) {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// What has been decided so far; the outer `None` is "nothing yet".
#[derive(Default)]
struct Said {
    vendored: Option<Option<bool>>,
    generated: Option<Option<bool>>,
    documentation: Option<Option<bool>>,
    language: Option<Option<String>>,
}

impl Folder {
    /// Adds what this file's lines say of `path` (below its folder, perhaps with a slash before it).
    fn say(&self, path: &[u8], said: &mut Said) {
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let name = split(path).1;
        let literal = self
            .names
            .get(name)
            .into_iter()
            .chain(self.paths.get(path))
            .flatten()
            .copied();
        let matching = |(_, pattern): &&(usize, Pattern)| {
            let start = Some(path.len() - name.len()).filter(|&start| start > 0);
            let mode = wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
            pattern.matches_repo_relative_path(path.as_bstr(), start, Some(false), Case::Sensitive, mode)
        };
        let wild = self.patterns.iter().filter(matching).map(|(line, _)| *line);
        let mut lines: Vec<usize> = literal.chain(wild).collect();
        lines.sort_unstable();
        let assignments = lines.iter().rev().flat_map(|&line| self.lines[line].iter().rev());
        assignments.for_each(|assignment| assignment.say(said));
    }
}

impl Assignment {
    fn new(name: &str, state: StateRef<'_>) -> Option<Self> {
        Some(match name {
            "linguist-vendored" => Self::Vendored(flag(state)),
            "linguist-generated" => Self::Generated(flag(state)),
            "linguist-documentation" => Self::Documentation(flag(state)),
            "linguist-language" => Self::Language(match state {
                StateRef::Value(value) if value.as_bstr().len() <= LANGUAGE_BYTES => {
                    Some(value.as_bstr().to_str_lossy().into_owned())
                }
                _ => None,
            }),
            _ => return None,
        })
    }

    /// Joins those of one line, of which the last of each kind counts: macros of macros would be without end.
    fn join(&self, line: &mut Vec<Self>) {
        line.retain(|other| std::mem::discriminant(other) != std::mem::discriminant(self));
        line.push(self.clone());
    }

    /// Stands unless a stronger line has spoken.
    fn say(&self, said: &mut Said) {
        match self {
            Self::Vendored(flag) => _ = said.vendored.get_or_insert(*flag),
            Self::Generated(flag) => _ = said.generated.get_or_insert(*flag),
            Self::Documentation(flag) => _ = said.documentation.get_or_insert(*flag),
            Self::Language(name) => _ = said.language.get_or_insert_with(|| name.clone()),
        }
    }
}

/// As in Linguist: set, or the word `true`; any other word is false.
fn flag(state: StateRef<'_>) -> Option<bool> {
    match state {
        StateRef::Set => Some(true),
        StateRef::Unset => Some(false),
        StateRef::Value(value) => Some(value.as_bstr() == "true"),
        StateRef::Unspecified => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(files: &[(&str, &str)]) -> Attributes {
        let mut all = Attributes::new();
        files
            .iter()
            .for_each(|(path, content)| all.add(path.as_bytes(), content.as_bytes()));
        all
    }

    fn vendored(all: &Attributes, path: &str) -> Option<bool> {
        all.of(path.as_bytes()).vendored
    }

    #[test]
    fn every_spelling_of_a_flag() {
        for (words, value) in [
            ("linguist-vendored", Some(true)),
            ("linguist-vendored=true", Some(true)),
            ("-linguist-vendored", Some(false)),
            ("linguist-vendored=false", Some(false)),
            ("linguist-vendored=1", Some(false)),
            ("!linguist-vendored", None),
            ("text eol=lf", None),
        ] {
            let all = attributes(&[(".gitattributes", &format!("*.c {words}\r\n"))]);
            assert_eq!(vendored(&all, "a/b.c"), value, "{words}");
        }
    }

    #[test]
    fn deeper_files_and_later_lines_win() {
        let all = attributes(&[
            (".gitattributes", "*.c linguist-vendored\na.c -linguist-vendored\n"),
            (
                "deep/.gitattributes",
                "# comment\nb.c -linguist-vendored\nc.c !linguist-vendored\n",
            ),
        ]);
        assert_eq!(vendored(&all, "x/a.c"), Some(false));
        assert_eq!(vendored(&all, "x/b.c"), Some(true));
        assert_eq!(vendored(&all, "deep/b.c"), Some(false));
        assert_eq!(vendored(&all, "deep/er/b.c"), Some(false));
        assert_eq!(vendored(&all, "deep/c.c"), None);
        assert_eq!(vendored(&all, "deeper/b.c"), Some(true));
    }

    #[test]
    fn patterns_are_those_of_gitattributes() {
        let lines = "lib/** linguist-vendored\n/top.c linguist-vendored\nsub/x.c linguist-vendored\nflat/* linguist-vendored\nfolder/ linguist-vendored\n\"with space.c\" linguist-vendored\n";
        let all = attributes(&[(".gitattributes", lines)]);
        for (path, value) in [
            ("lib/a/b.c", true),
            ("x/lib/a.c", false),
            ("top.c", true),
            ("x/top.c", false),
            ("sub/x.c", true),
            ("y/sub/x.c", false),
            ("flat/a.c", true),
            ("flat/a/b.c", false),
            ("folder/a.c", false),
            ("with space.c", true),
        ] {
            assert_eq!(vendored(&all, path).unwrap_or(false), value, "{path}");
        }
    }

    #[test]
    fn macros_of_macros_do_not_grow() {
        let mut lines = "[attr]m0 linguist-vendored linguist-language=C\n".to_owned();
        for i in 1..200 {
            lines += &format!("[attr]m{i} m{0} m{0} -linguist-vendored m{0}\n", i - 1);
        }
        let all = attributes(&[(".gitattributes", &(lines + "*.c m199\n*.d m199 -linguist-vendored\n"))]);
        assert_eq!(
            (vendored(&all, "a.c"), vendored(&all, "a.d")),
            (Some(true), Some(false))
        );
        assert_eq!(all.of(b"a.d").language.as_deref(), Some("C"));
    }

    #[test]
    fn a_language_has_a_name_of_limited_length() {
        for (length, known) in [(LANGUAGE_BYTES, true), (LANGUAGE_BYTES + 1, false)] {
            let line = format!("* linguist-language={}\n", "x".repeat(length));
            assert_eq!(
                attributes(&[(".gitattributes", &line)]).of(b"a").language.is_some(),
                known
            );
        }
    }

    #[test]
    fn languages_and_macros() {
        let lines = "[attr]ours linguist-generated linguist-language=Rust\n*.gen ours\n*.h linguist-language=C++\n";
        let all = attributes(&[(".gitattributes", lines)]);
        assert_eq!(all.of(b"a.h").language.as_deref(), Some("C++"));
        let generated = all.of(b"a.gen");
        assert_eq!(
            (generated.generated, generated.language.as_deref()),
            (Some(true), Some("Rust"))
        );
        assert_eq!(all.of(b"a.x"), FileAttributes::default());
        assert!(Attributes::is_attributes(b"a/.gitattributes") && !Attributes::is_attributes(b"a/x.gitattributes"));
    }

    #[test]
    fn too_many_wildcards_are_ignored() {
        let many = |count: usize| format!("{}x linguist-vendored\n", "a*".repeat(count));
        let path = "a".repeat(20) + "x";
        assert_eq!(
            vendored(&attributes(&[(".gitattributes", &many(WILDCARDS))]), &path),
            Some(true)
        );
        assert_eq!(
            vendored(&attributes(&[(".gitattributes", &many(WILDCARDS + 1))]), &path),
            None
        );
        let all = attributes(&[(".gitattributes", &"*.c linguist-vendored\n".repeat(WILDCARD_LINES + 9))]);
        assert_eq!(all.wildcard_lines, WILDCARD_LINES);
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(content in proptest::collection::vec(proptest::num::u8::ANY, 0..300), path in "[a-z/*.]{0,30}") {
            let mut all = Attributes::new();
            all.add(path.as_bytes(), &content);
            all.add(b".gitattributes", &[b"* linguist-vendored\n", &content[..]].concat());
            let _ = all.of(path.as_bytes());
        }
    }
}
