//! Tells licenses of the BSD family apart by their clauses: everyone puts other names into them, and edits them.
//!
//! ```text
//!   grant  "redistribution and use in source and binary forms …"       starts a license, up to its disclaimer or the next grant
//!   clause keep the notice in source · in binary · advertise us · do not endorse with our name · do not use our name
//! ```

use super::texts::Found;

/// What every license of the family starts with.
const GRANT: &str = "redistribution and use in source and binary forms";
/// Bytes from its start in which some of its words are found again; the first line may be one of copyright, which is not.
const FIRST: usize = 300;
/// Where it ends.
const END: &str = "possibility of such damage";
/// Bytes of the longest license of the family.
const LONGEST: usize = 5000;
/// Share of what only a variant says that makes it certain, in percent.
const CERTAIN: u32 = 80;
/// Bytes behind a license in which its last words may stand.
const BEHIND: usize = 300;
/// Licenses of the family that are told apart by their clauses alone.
pub(crate) const PLAIN: &[&str] = &[
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD-4-Clause",
    "BSD-4-Clause-UC",
    "BSD-Source-Code",
];

/// The clauses of one license, by words that each of them holds.
struct Clauses {
    source: bool,
    binary: bool,
    advertising: bool,
    acknowledgement: bool,
    endorsement: bool,
    name: bool,
}

impl Clauses {
    fn of(text: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|words| text.contains(words));
        Self {
            source: has(&[
                "of source code must",
                "of the source code must",
                "in source code must",
                "of source must",
            ]),
            binary: has(&["in binary form", "in binary forms must", "in compiled form"]),
            advertising: has(&["all advertising materials", "advertising materials mentioning"]),
            acknowledgement: has(&["end user documentation included with"]),
            endorsement: has(&["to endorse or promote", "endorse or promote products"]),
            name: has(&["may not be called", "nor may"]),
        }
    }

    /// The license that has these clauses, if there is one.
    fn license(&self, text: &str, behind: &str) -> Option<&'static str> {
        let Self { source, binary, .. } = *self;
        Some(match (source, binary) {
            (true, true) if self.acknowledgement && self.name => "Apache-1.1",
            (true, true) if self.advertising && self.name => "Apache-1.0",
            (true, true) if self.advertising && text.contains("university of california") => "BSD-4-Clause-UC",
            (true, true) if self.advertising => "BSD-4-Clause",
            (true, true) if self.endorsement => "BSD-3-Clause",
            (true, true) if behind.contains("views and conclusions contained") => "BSD-2-Clause-Views",
            (true, true) => "BSD-2-Clause",
            (true, false) if self.endorsement => "BSD-Source-Code",
            (true, false) => "BSD-1-Clause",
            _ => return None,
        })
    }
}

/// Whether a license text is of the family.
pub(crate) fn is_one(normal: &str) -> bool {
    normal.contains(GRANT) && normal.len() < LONGEST
}

/// Corrects what was found of the family in a normal text, and adds what was overlooked.
pub(crate) fn settle(text: &str, found: &mut Vec<Found>) {
    let starts: Vec<usize> = memchr::memmem::find_iter(text.as_bytes(), GRANT).collect();
    let nexts = starts.iter().skip(1).copied().chain([text.len()]);
    for (start, next) in starts.iter().copied().zip(nexts) {
        let limit = text.floor_char_boundary(next.min(start + LONGEST));
        let end = text[start..limit].find(END).map(|at| start + at + END.len());
        let license = &text[start..end.unwrap_or(limit)];
        let behind =
            &text[end.unwrap_or(limit)..text.floor_char_boundary(end.map_or(limit, |end| next.min(end + BEHIND)))];
        let Some(id) = Clauses::of(license).license(license, behind) else {
            continue;
        };
        match found.iter_mut().find(|found| found.touches(start, start + FIRST)) {
            Some(known) if known.is_bsd && known.own_percent < CERTAIN => known.id = id,
            Some(_) => {}
            // Without its disclaimer it is a stub, or another license.
            None => found.extend(end.map(|end| Found {
                id,
                is_exception: false,
                is_bsd: true,
                own_percent: 0,
                spans: vec![(start, end)],
            })),
        }
    }
    found.sort_by_key(|found| (found.start(), found.end()));
}

#[cfg(test)]
mod tests {
    use super::super::scan;

    fn says(text: &str) -> Option<String> {
        scan::document(text).map(|terms| terms.to_string())
    }

    fn text(id: &str) -> &'static str {
        spdx::license_id(id).map_or("", spdx::LicenseId::text)
    }

    #[test]
    fn clauses_decide_whatever_the_names() {
        let three = text("BSD-3-Clause");
        let names = "Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote";
        assert!(three.contains(names));
        let edited = three.replace(
            names,
            "The names Hewlett, Packard and Company must not be used to endorse or promote",
        );
        assert_eq!(says(&edited).as_deref(), Some("BSD-3-Clause"));
        assert_eq!(says(text("BSD-3-Clause-Clear")).as_deref(), Some("BSD-3-Clause-Clear"));
        assert_eq!(says(text("BSD-3-Clause-LBNL")).as_deref(), Some("BSD-3-Clause-LBNL"));
    }

    #[test]
    fn a_second_license_of_the_family_is_seen() {
        let both = format!("{}\n\n{}", text("BSD-3-Clause"), text("BSD-2-Clause"));
        assert_eq!(says(&both).as_deref(), Some("BSD-3-Clause AND BSD-2-Clause"));
        let twice = format!("{0}\n\n{0}", text("BSD-2-Clause"));
        assert_eq!(says(&twice).as_deref(), Some("BSD-2-Clause"));
    }
}
