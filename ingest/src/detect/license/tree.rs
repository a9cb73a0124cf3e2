//! License evidence of a whole revision: which expression each file inherits from the directories above it.
//!
//! ```text
//!   file ─► its folder ─► … ─► root ─► metadata          the nearest that says something decides
//!   a folder says: its manifest, if its license files agree with it; LICENSE-MIT beside LICENSE-APACHE: either of them;
//!                  COPYING beside COPYING.LESSER: the lesser; any others: all of them; if it has none of
//!                  these: the section about the license of its README
//! ```

use std::collections::BTreeMap;

use super::expression::Terms;
use super::{UNKNOWN, manifests, prose, scan};

/// Files of one folder that count; what more there is would not make its license any clearer.
const FILES_OF_FOLDER: usize = 32;
/// Extensions of programs and data: `license.rs` is no license.
const CODE: &[&str] = &[
    "ac", "asm", "bash", "bat", "bin", "c", "cc", "cfg", "cmake", "conf", "cpp", "cs", "css", "csv", "dart", "db",
    "ejs", "el", "erb", "ex", "exs", "gif", "go", "gradle", "groovy", "gz", "h", "hbs", "hpp", "hs", "icns", "ico",
    "in", "ini", "ipynb", "java", "jpeg", "jpg", "js", "json", "jsx", "key", "kt", "less", "lock", "lua", "m", "map",
    "mjs", "ml", "mm", "pem", "php", "pl", "plist", "png", "po", "pot", "proto", "ps1", "psd", "py", "pyc", "pyi", "r",
    "rb", "resx", "rs", "sass", "scala", "scss", "sh", "snap", "sql", "strings", "svg", "swift", "tar", "tf", "tmpl",
    "toml", "tpl", "ts", "tsx", "vb", "vue", "webp", "xaml", "xml", "yaml", "yml", "zip",
];
/// Words in the names of files about other people's licenses.
const OTHERS: &[&str] = &["third", "3rd", "party", "dependenc", "vendor", "bundle", "notices"];
/// Words that a license file's name may hold instead of `license`.
const NAMES: &[&str] = &["license", "licence", "copying", "unlicense", "unlicence", "copyright"];

/// Names of files that introduce a project.
const README: &[&str] = &[
    "readme",
    "readme.md",
    "readme.markdown",
    "readme.rst",
    "readme.txt",
    "readme.adoc",
    "readme.org",
];

/// Whether the file at `path` (raw bytes, from the repository's root) is one that [`LicenseTree::add`] wants to see: a
/// license file by its name, a text in a folder `LICENSES` (as REUSE has it), a manifest that may declare a license, or a
/// read-me file.
pub fn is_license_evidence(path: &[u8]) -> bool {
    kind(path).is_some()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `LICENSE`, `COPYING.LESSER`, `MIT-LICENSE.txt`, `LICENSES/MIT.txt`.
    Document,
    /// `Cargo.toml`, `package.json`, …
    Manifest,
    /// `README.md`: its section about the license, where nothing else in its folder says anything.
    Readme,
}

/// What kind of evidence `path` is by its name.
pub(crate) fn kind(path: &[u8]) -> Option<Kind> {
    let (folder, name) = split(path);
    let name = std::str::from_utf8(name).ok()?;
    if manifests::reader(name).is_some() {
        return Some(Kind::Manifest);
    }
    let lower = name.to_ascii_lowercase();
    let extension = lower.rsplit_once('.').map_or("", |(_, extension)| extension);
    if split(folder).1 == b"LICENSES" && extension == "txt" {
        return Some(Kind::Document);
    }
    if README.contains(&lower.as_str()) {
        return Some(Kind::Readme);
    }
    let is_document = words(&lower).any(|word| NAMES.contains(&word.trim_end_matches('s')) || word == "copying3");
    let is_short = words(&lower).count() <= 8 && !CODE.contains(&extension);
    (is_document && starts_or_ends(&lower) && is_short).then_some(Kind::Document)
}

/// `LICENSE-MIT`, `MIT-LICENSE.txt`; not `my-license-server.txt`, `update_license_headers.md`.
fn starts_or_ends(lower: &str) -> bool {
    let is_name = |word: &str| NAMES.contains(&word.trim_end_matches('s')) || word == "copying3";
    let stem = lower.split('.').next().unwrap_or(lower);
    words(stem).next().is_some_and(is_name) || words(stem).last().is_some_and(is_name) && words(stem).count() <= 3
}

fn words(lower: &str) -> impl Iterator<Item = &str> {
    lower.split(['.', '-', '_', ' ']).filter(|word| !word.is_empty())
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'/', path) {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// One file that says something.
#[derive(Clone, Debug)]
struct Evidence {
    kind: Kind,
    /// File name in lower case.
    name: String,
    path: String,
    /// `None`: a license file whose text is not known.
    terms: Option<Terms>,
}

/// License evidence of one revision.
#[derive(Clone, Debug, Default)]
pub struct LicenseTree {
    folders: BTreeMap<Vec<u8>, Vec<Evidence>>,
    decided: BTreeMap<Vec<u8>, (String, String)>,
    metadata: Option<String>,
}

impl LicenseTree {
    /// A tree whose last resort is what the source's metadata says (an expression or a name).
    pub fn new(metadata_license: Option<&str>) -> Self {
        let metadata = metadata_license
            .and_then(manifests::named)
            .map(|terms| terms.to_string());
        Self {
            metadata,
            ..Self::default()
        }
    }

    /// Adds one file for which [`is_license_evidence`] holds; others are ignored.
    pub fn add(&mut self, path: &[u8], content: &[u8]) {
        let Some(kind) = kind(path) else {
            return;
        };
        let (mut folder, name) = split(path);
        let name = String::from_utf8_lossy(name).into_owned();
        let terms = match kind {
            Kind::Manifest => manifests::declared(&name, content),
            Kind::Document => scan::document(&String::from_utf8_lossy(content)),
            Kind::Readme => prose::section(&String::from_utf8_lossy(content)),
        };
        let name = name.to_lowercase();
        // A manifest without a license says nothing, nor does a statement of copyright; an unknown license says a lot.
        if terms.is_none() && (kind != Kind::Document || name.starts_with("copyright")) {
            return;
        }
        if kind == Kind::Document && OTHERS.iter().any(|word| name.contains(word)) {
            return;
        }
        if split(folder).1 == b"LICENSES" {
            folder = split(folder).0;
        }
        let files = self.folders.entry(folder.to_vec()).or_default();
        if files.len() < FILES_OF_FOLDER {
            let path = stackmill_schemas::path::escape(path);
            files.push(Evidence {
                kind,
                name,
                path,
                terms,
            });
            files.sort_by(|a, b| a.path.cmp(&b.path));
            self.decided.insert(folder.to_vec(), decide(files));
        }
    }

    /// `(SPDX expression, path of the evidence or "metadata")` that the file at `path` inherits.
    pub fn inherited(&self, path: &[u8]) -> Option<(String, String)> {
        let mut folder = split(path).0;
        let found = loop {
            match self.decided.get(folder) {
                Some(decided) => break Some(decided),
                None if folder.is_empty() => break None,
                None => folder = split(folder).0,
            }
        };
        let metadata = || {
            self.metadata
                .clone()
                .map(|expression| (expression, "metadata".to_owned()))
        };
        match found {
            // What we do not recognise, whoever wrote the metadata may have.
            Some((expression, _)) if folder.is_empty() && expression == UNKNOWN => metadata().or(found.cloned()),
            Some(decided) => Some(decided.clone()),
            None => metadata(),
        }
    }
}

/// Projects offer a choice of two or three licenses; a folder with more is a collection, of which all terms count.
const MOST_CHOICES: usize = 4;

/// What the files of one folder say together, and which of them says it.
fn decide(files: &[Evidence]) -> (String, String) {
    let of = |kind| files.iter().filter(move |file| file.kind == kind);
    let declared = of(Kind::Manifest).find_map(|file| Some((file.terms.clone()?, file.path.clone())));
    let documents: Vec<&Evidence> = of(Kind::Document).collect();
    let written = together(&documents);
    let decided = match (declared, written) {
        (Some((declared, path)), Some((written, document))) => {
            if agree(&declared, &written) {
                Some((declared, path))
            } else {
                Terms::all(vec![written, declared]).map(|terms| (terms, document))
            }
        }
        (declared, written) => declared.or(written),
    };
    let has_documents = !documents.is_empty();
    let introduced = || of(Kind::Readme).find_map(|file| Some((file.terms.clone()?, file.path.clone())));
    match decided.or_else(|| introduced().filter(|_| !has_documents)) {
        Some((terms, path)) => (terms.to_string(), path),
        None => (
            UNKNOWN.to_owned(),
            files.first().map(|file| file.path.clone()).unwrap_or_default(),
        ),
    }
}

/// What license files side by side say.
fn together(documents: &[&Evidence]) -> Option<(Terms, String)> {
    let known: Vec<(&&Evidence, &Terms)> = documents
        .iter()
        .filter_map(|file| Some((file, file.terms.as_ref()?)))
        .collect();
    let (first, _) = known.first()?;
    let lesser = known
        .iter()
        .find(|(_, terms)| terms.licenses().iter().all(|id| id.starts_with("LGPL-")));
    let is_general = |terms: &Terms| {
        terms
            .licenses()
            .iter()
            .all(|id| id.starts_with("GPL-") || id.starts_with("LGPL-"))
    };
    let are_gnu = known.iter().all(|(_, terms)| is_general(terms));
    if let Some((file, terms)) = lesser.filter(|_| are_gnu) {
        return Some(((*terms).clone(), file.path.clone()));
    }
    let all: Vec<Terms> = known.iter().map(|(_, terms)| (*terms).clone()).collect();
    // REUSE keeps the texts of all licenses together: which file is under which, the files say themselves.
    let offers = |file: &Evidence| names_a_license(&file.name) && !file.path.contains("LICENSES/");
    let is_choice = known.len() <= MOST_CHOICES && known.iter().filter(|(file, _)| offers(file)).count() > 1;
    let terms = if is_choice { Terms::any(all) } else { Terms::all(all) };
    Some((terms?, first.path.clone()))
}

/// `license-mit`, `license.apache2`, `mit-license.txt`: who puts several of these side by side offers a choice.
fn names_a_license(name: &str) -> bool {
    let stem = ["txt", "md", "rst", "html"]
        .iter()
        .fold(name, |name, end| name.trim_end_matches(&format!(".{end}")));
    words(stem).count() > 1 || stem.starts_with("unlicense")
}

/// Whether a manifest and license files mean the same: some license is in both, whatever the version's suffix.
fn agree(declared: &Terms, written: &Terms) -> bool {
    let base = |id: &str| {
        id.trim_end_matches("-only")
            .trim_end_matches("-or-later")
            .trim_end_matches('+')
            .to_owned()
    };
    let written: Vec<String> = written.licenses().into_iter().map(base).collect();
    declared
        .licenses()
        .into_iter()
        .map(base)
        .any(|id| written.contains(&id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: &str) -> &'static [u8] {
        spdx::license_id(id).map_or("", spdx::LicenseId::text).as_bytes()
    }

    fn tree(files: &[(&str, &[u8])]) -> LicenseTree {
        let mut tree = LicenseTree::new(None);
        files
            .iter()
            .for_each(|(path, content)| tree.add(path.as_bytes(), content));
        tree
    }

    fn inherited(tree: &LicenseTree, path: &str) -> Option<(String, String)> {
        tree.inherited(path.as_bytes())
    }

    fn found(expression: &str, evidence: &str) -> Option<(String, String)> {
        Some((expression.to_owned(), evidence.to_owned()))
    }

    #[test]
    fn evidence_by_name() {
        for path in [
            "LICENSE",
            "License.md",
            "licence.txt",
            "LICENSE-MIT",
            "LICENSE.APACHE2",
            "MIT-LICENSE.txt",
            "mit_license",
            "COPYING",
            "COPYING.LESSER",
            "COPYING3",
            "a/b/UNLICENSE",
            "LICENSES/MIT.txt",
            "x/LICENSES/Apache-2.0.txt",
            "Cargo.toml",
            "x/package.json",
            "a.gemspec",
            "pom.xml",
            "COPYRIGHT",
            "README.md",
            "setup.py",
            "LICENSE-2.0.txt",
            "LICENSE-Apache-2.0_WITH_LLVM-exception",
        ] {
            assert!(is_license_evidence(path.as_bytes()), "{path}");
        }
        for path in [
            "license.rs",
            "src/license/mod.rs",
            "LICENSE.json",
            "my-license-server.txt",
            "README.de.md",
            "NOTICE",
            "licenses/x.rs",
            "",
            "Cargo.lock",
            "licenser.txt",
        ] {
            assert!(!is_license_evidence(path.as_bytes()), "{path}");
        }
        assert!(!is_license_evidence(b"LICENSE\xff"));
    }

    #[test]
    fn the_nearest_folder_decides() {
        let tree = tree(&[("LICENSE", text("MIT")), ("vendor/x/COPYING", text("GPL-2.0-only"))]);
        assert_eq!(inherited(&tree, "src/a.c"), found("MIT", "LICENSE"));
        assert_eq!(
            inherited(&tree, "vendor/x/deep/b.c"),
            found("GPL-2.0-only", "vendor/x/COPYING")
        );
        assert_eq!(inherited(&tree, "vendor/xy/b.c"), found("MIT", "LICENSE"));
    }

    #[test]
    fn files_side_by_side() {
        let both = tree(&[("LICENSE-MIT", text("MIT")), ("LICENSE-APACHE", text("Apache-2.0"))]);
        assert_eq!(inherited(&both, "a"), found("Apache-2.0 OR MIT", "LICENSE-APACHE"));
        let lesser = tree(&[
            ("COPYING", text("GPL-3.0-only")),
            ("COPYING.LESSER", text("LGPL-3.0-only")),
        ]);
        assert_eq!(inherited(&lesser, "a"), found("LGPL-3.0-only", "COPYING.LESSER"));
        let all = tree(&[("LICENSE", text("MIT")), ("COPYING", text("GPL-2.0-only"))]);
        assert_eq!(inherited(&all, "a"), found("GPL-2.0-only AND MIT", "COPYING"));
        let third = tree(&[("LICENSE", text("MIT")), ("LICENSE-THIRD-PARTY", text("GPL-2.0-only"))]);
        assert_eq!(inherited(&third, "a"), found("MIT", "LICENSE"));
        let ids = ["MIT", "ISC", "Zlib", "BSD-2-Clause", "GPL-2.0-only"];
        let names = ids.map(|id| format!("LICENSE-{id}"));
        let collection: Vec<(&str, &[u8])> = names
            .iter()
            .zip(ids)
            .map(|(name, id)| (name.as_str(), text(id)))
            .collect();
        let found_all = inherited(&tree(&collection), "a").map(|(expression, _)| expression);
        assert_eq!(
            found_all.as_deref(),
            Some("BSD-2-Clause AND GPL-2.0-only AND ISC AND MIT AND Zlib")
        );
        let reuse = tree(&[
            ("LICENSES/Apache-2.0.txt", text("Apache-2.0")),
            ("LICENSES/BSD-2-Clause.txt", text("BSD-2-Clause")),
        ]);
        assert_eq!(
            inherited(&reuse, "src/a"),
            found("Apache-2.0 AND BSD-2-Clause", "LICENSES/Apache-2.0.txt")
        );
    }

    #[test]
    fn manifests_are_preferred_where_files_agree() {
        let manifest: &[u8] = b"[package]\nlicense = \"MIT OR Apache-2.0\"\n";
        let agreed = tree(&[("Cargo.toml", manifest), ("LICENSE-MIT", text("MIT"))]);
        assert_eq!(inherited(&agreed, "a"), found("MIT OR Apache-2.0", "Cargo.toml"));
        let differs = tree(&[("Cargo.toml", manifest), ("LICENSE", text("GPL-2.0-only"))]);
        assert_eq!(
            inherited(&differs, "a"),
            found("GPL-2.0-only AND (MIT OR Apache-2.0)", "LICENSE")
        );
        let later: &[u8] = b"{\"license\": \"GPL-2.0-or-later\"}";
        let precise = tree(&[("package.json", later), ("LICENSE", text("GPL-2.0-only"))]);
        assert_eq!(inherited(&precise, "a"), found("GPL-2.0-or-later", "package.json"));
        let silent = tree(&[("LICENSE", text("MIT")), ("x/package.json", b"{}")]);
        assert_eq!(inherited(&silent, "x/a.js"), found("MIT", "LICENSE"));
    }

    #[test]
    fn a_readme_speaks_where_nothing_else_does() {
        let readme: &[u8] = b"# A\n\n## License\n\nMIT\n";
        let alone = tree(&[("README.md", readme), ("b/COPYING", text("ISC"))]);
        assert_eq!(inherited(&alone, "a"), found("MIT", "README.md"));
        assert_eq!(inherited(&alone, "b/a"), found("ISC", "b/COPYING"));
        let beside = tree(&[("README.md", readme), ("LICENSE", text("ISC"))]);
        assert_eq!(inherited(&beside, "a"), found("ISC", "LICENSE"));
        let unknown = tree(&[("README.md", readme), ("LICENSE", b"You owe us a beer.")]);
        assert_eq!(inherited(&unknown, "a"), found(UNKNOWN, "LICENSE"));
        let silent = tree(&[
            ("LICENSE", text("ISC")),
            ("b/README.md", b"# B\nSee the MIT license of A.\n"),
        ]);
        assert_eq!(inherited(&silent, "b/a"), found("ISC", "LICENSE"));
    }

    #[test]
    fn metadata_comes_last_and_unknown_licenses_count() {
        let mut tree = LicenseTree::new(Some("mit"));
        assert_eq!(inherited(&tree, "a"), found("MIT", "metadata"));
        tree.add(b"x/LICENSE", b"You owe us a beer every time you look at this.");
        assert_eq!(inherited(&tree, "x/a"), found(UNKNOWN, "x/LICENSE"));
        tree.add(b"LICENSE", b"Nothing that anybody knows.");
        assert_eq!(inherited(&tree, "a"), found("MIT", "metadata"));
        tree.add(b"COPYING", text("ISC"));
        assert_eq!(inherited(&tree, "a"), found("ISC", "COPYING"));
        assert_eq!(inherited(&LicenseTree::new(Some("other")), "a"), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(path in "(LICENSE|Cargo.toml|package.json|pom.xml|x.gemspec|setup.cfg|a/COPYING)", content in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let mut tree = LicenseTree::new(None);
            tree.add(path.as_bytes(), &content);
            let _ = tree.inherited(b"a/b");
            let _ = tree.inherited(&content);
        }
    }
}
