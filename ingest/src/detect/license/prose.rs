//! What documents say of licenses besides their headers: a section about the license, whole license texts further down.

use super::expression::Terms;
use super::scan;

/// Extensions of documents; files without any are documents too, mostly.
const EXTENSIONS: &[&str] = &[
    "txt", "text", "md", "markdown", "mkd", "rst", "adoc", "asciidoc", "org", "pod", "rdoc", "textile", "html", "htm",
    "license",
];
/// Headings of a section about the license of a project.
const HEADINGS: &[&str] = &[
    "license",
    "licence",
    "licenses",
    "licensing",
    "license and copyright",
    "copyright and license",
    "copyright license",
    "license information",
];
/// Lines of such a section that are read.
const SECTION_LINES: usize = 24;
/// Words of which a license text holds one of each pair's: it disclaims, and it permits.
const DISCLAIMS: &[&str] = &["arrant", "ARRANT"];
const PERMITS: &[&str] = &["icens", "ICENS", "ermission", "edistribut"];

/// Whether the file of this name is a document.
pub(crate) fn is_document(file_name: &str) -> bool {
    let extension = file_name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_none_or(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// What a document says of its own license: whole texts wherever they stand, its header, its section about the license.
pub(crate) fn document(text: &str) -> Option<Terms> {
    let has = |words: &[&str]| {
        words
            .iter()
            .any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
    };
    let whole = (has(DISCLAIMS) && has(PERMITS)).then(|| scan::texts_and_notices(text));
    whole.flatten().or_else(|| scan::header(text)).or_else(|| section(text))
}

/// What the section about the license says.
pub(crate) fn section(text: &str) -> Option<Terms> {
    let hinted = ["icen", "ICEN"]
        .iter()
        .any(|hint| memchr::memmem::find(text.as_bytes(), hint.as_bytes()).is_some());
    let mut lines = hinted
        .then(|| text.lines())?
        .skip_while(|line| !is_heading(line))
        .skip(1)
        .peekable();
    // The line under a heading may be a rule.
    let _ = lines.next_if(|line| line.chars().all(|c| "=-~^# ".contains(c)));
    let section: Vec<&str> = lines
        .take(SECTION_LINES)
        .take_while(|line| !line.starts_with('#'))
        .collect();
    scan::named(&section.join("\n"))
}

/// `## License`, `License:`, `<h2>License</h2>`.
fn is_heading(line: &str) -> bool {
    if line.len() > 60 || !(line.contains("icen") || line.contains("ICEN")) {
        return false;
    }
    let line = line
        .to_ascii_lowercase()
        .replace("<h2>", "")
        .replace("</h2>", "")
        .replace('&', "and");
    let words = line.trim_matches(|c: char| !c.is_ascii_alphabetic());
    HEADINGS.contains(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> Option<String> {
        document(text).map(|terms| terms.to_string())
    }

    #[test]
    fn sections_and_texts_anywhere() {
        let long = "It prints numbers.\n".repeat(100);
        for (end, expression) in [
            ("## License\n\nMIT\n\n# Thanks\nApache-2.0 license", Some("MIT")),
            (
                "License\n=======\n\nThis project is licensed under the BSD license.\n",
                Some("BSD-3-Clause"),
            ),
            ("License:\nMIT or Apache-2.0\n", Some("MIT OR Apache-2.0")),
            ("## License\nSee the file.\n", None),
            ("## Install\nThe Apache license is a license.\n", None),
        ] {
            assert_eq!(says(&format!("{long}{end}")).as_deref(), expression, "{end}");
        }
        let text = spdx::license_id("Zlib").map_or("", spdx::LicenseId::text);
        assert_eq!(says(&format!("{long}{text}")).as_deref(), Some("Zlib"));
    }

    #[test]
    fn documents_by_name() {
        assert!(["README", "a.md", "b.TXT"].iter().all(|name| is_document(name)));
        assert!(["a.rs", "b.json", "c.tar.gz"].iter().all(|name| !is_document(name)));
    }
}
