//! Table: how texts name licenses. Patterns see the normal text: lower case, single spaces, no punctuation.

/// A phrase and the license it names.
pub(crate) struct Phrase {
    /// What to look for; its first group is the version.
    pub(crate) pattern: &'static str,
    /// The expression; `{}` stands for the version.
    pub(crate) id: &'static str,
    /// The version where the phrase has none, or none that exists; empty: then the phrase says nothing.
    pub(crate) default: &'static str,
    /// Whether the phrase names a family only.
    pub(crate) is_vague: bool,
}

/// What stands before an identifier that is meant as one.
pub(crate) const ID_PREFIX: &str = r"(?-u:\b)(?:spdx license identifier|spdx|licenses?(?: (?:is|are|type|expression|name|id|identifier|osi approved|under|under the|the|url http www opensource.org licenses|https? opensource.org licenses?|https? spdx.org licenses))*|licensed under(?: the)?|under the(?: terms of(?: the)?)?|licenses nuget.org|opensource.org licenses?|spdx.org licenses|choosealicense.com licenses) ";

const fn one(pattern: &'static str, id: &'static str) -> Phrase {
    Phrase {
        pattern,
        id,
        default: "",
        is_vague: false,
    }
}

const fn vague(pattern: &'static str, id: &'static str) -> Phrase {
    Phrase {
        pattern,
        id,
        default: "",
        is_vague: true,
    }
}

const fn versioned(pattern: &'static str, id: &'static str, default: &'static str) -> Phrase {
    Phrase {
        pattern,
        id,
        default,
        is_vague: false,
    }
}

/// All phrases but those of the GNU family, whose versions stand far from their names.
pub(crate) const PHRASES: &[Phrase] = &[
    // Apache.
    versioned(
        r"apache (?:software )?license(?: asl| al)?(?: version| ver| v)? ?(2\.0|2|1\.1|1\.0)",
        "Apache-{}",
        "2.0",
    ),
    versioned(r"apache ?(?:version |v)?(2\.0|2)(?: license)?", "Apache-{}", "2.0"),
    versioned(
        r"version (2\.0|1\.1) of the apache(?: software)? license",
        "Apache-{}",
        "2.0",
    ),
    versioned(r"apache.org licenses license (2\.0|1\.1)", "Apache-{}", "2.0"),
    versioned(r"(?:asl|alv|apl) ?(2\.0|2)", "Apache-{}", "2.0"),
    vague(r"apache(?: software)? license", "Apache-2.0"),
    // MIT and its kin.
    one(
        r"mit (?:open source )?licen[cs]ed?|mit license[ds]?|mit expat(?: license)?|expat license|expat mit|license[ds]?(?: is| under| under the| type)? mit|licensed under(?: the)? (?:terms of the )?mit|opensource.org licenses? mit(?: license)?(?: php| html)?|mit x11(?: license)?|x11 mit(?: license)?|osi approved mit|mit style license|mit (?:x11|x) style",
        "MIT",
    ),
    one(
        r"isc license[ds]?|opensource.org licenses isc|internet systems consortium license|isc style license",
        "ISC",
    ),
    one(
        r"zlib(?: libpng)? license|opensource.org licenses zlib|zlib png license|libpng zlib license",
        "Zlib",
    ),
    one(r"boost software license|boost.org license 1 0|boost license", "BSL-1.0"),
    one(
        r"university of illinois ncsa|ncsa open source license|illinois open source license",
        "NCSA",
    ),
    one(r"postgresql license", "PostgreSQL"),
    one(r"universal permissive license", "UPL-1.0"),
    one(
        r"(?:bsd )?zero clause(?: bsd)?(?: license)?|0bsd|free public license 1\.0",
        "0BSD",
    ),
    one(r"mit no attribution|mit 0 license", "MIT-0"),
    one(r"blue oak model license", "BlueOak-1.0.0"),
    // BSD.
    one(
        r"(?:3|three) clause (?:new |modified |revised )?bsd(?: license)?|bsd (?:3|three) clause|new bsd(?: style)?(?: license)?|modified bsd(?: license)?|revised bsd(?: license)?|bsd new(?: license)?|opensource.org licenses bsd 3 clause|bsd 3 license",
        "BSD-3-Clause",
    ),
    one(
        r"(?:2|two) clause (?:simplified )?bsd(?: license)?|bsd (?:2|two) clause|simplified bsd(?: license)?|freebsd license|bsd simplified|opensource.org licenses bsd 2 clause|bsd 2 license",
        "BSD-2-Clause",
    ),
    one(
        r"(?:4|four) clause bsd(?: license)?|bsd (?:4|four) clause|original bsd license",
        "BSD-4-Clause",
    ),
    vague(
        r"bsd license[ds]?|bsd style(?: license[ds]?)?|bsd like license|license[ds]?(?: under| under the)? bsd|licensed under(?: the)? (?:terms of the )?bsd|opensource.org licenses bsd license(?: php)?|berkeley (?:software distribution )?license|osi approved bsd",
        "BSD-3-Clause",
    ),
    // Weak copyleft.
    versioned(
        r"mozilla public license(?: mpl| the license| as published)?(?: version| ver| v)? ?(2\.0|2|1\.1|1\.0)",
        "MPL-{}",
        "2.0",
    ),
    versioned(r"mpl ?(?:version |v)?(2\.0|2|1\.1|1\.0)", "MPL-{}", "2.0"),
    versioned(r"mozilla.org mpl(?: mpl)? (2\.0|1\.1|1\.0)", "MPL-{}", "2.0"),
    vague(r"mozilla public license", "MPL-2.0"),
    versioned(
        r"eclipse public license(?: epl)?(?: version| ver| v)? ?(2\.0|1\.0)",
        "EPL-{}",
        "1.0",
    ),
    versioned(r"epl ?(?:version |v)?(2\.0|1\.0)", "EPL-{}", "1.0"),
    versioned(r"eclipse.org legal epl (?:v|v )?(2\.0|2 0|1\.0|10)", "EPL-{}", "1.0"),
    vague(r"eclipse public license", "EPL-1.0"),
    one(
        r"eclipse distribution license(?: edl)?(?: version| v)?(?: 1\.0)?|eclipse.org org documents edl v10",
        "BSD-3-Clause",
    ),
    versioned(
        r"common development and distribution license(?: the license| cddl)?(?: version| ver| v)? ?(1\.1|1\.0)",
        "CDDL-{}",
        "1.0",
    ),
    versioned(r"cddl ?(?:version |v)?(1\.1|1\.0)", "CDDL-{}", "1.0"),
    vague(
        r"common development and distribution license|cddl(?: license)?",
        "CDDL-1.0",
    ),
    versioned(
        r"common public license(?: cpl)?(?: version| ver| v)? ?(1\.0)",
        "CPL-{}",
        "1.0",
    ),
    vague(r"common public license", "CPL-1.0"),
    one(r"ibm public license", "IPL-1.0"),
    versioned(
        r"european union public license(?: eupl)?(?: version| v)? ?(1\.[012])",
        "EUPL-{}",
        "1.2",
    ),
    versioned(r"eupl(?: version| v)? ?(1\.[012])", "EUPL-{}", "1.2"),
    vague(r"european union public license|eupl", "EUPL-1.2"),
    versioned(
        r"cecill(?: free software)? (b|c) license|licence cecill (b|c)|cecill (b|c)",
        "CECILL-{}",
        "",
    ),
    versioned(
        r"cecill(?: free software)?(?: license)?(?: agreement)?(?: version| v)? ?(2\.1|2\.0|2|1\.1|1\.0)",
        "CECILL-{}",
        "2.0",
    ),
    one(r"microsoft public license|ms pl", "MS-PL"),
    one(r"microsoft reciprocal license|ms rl", "MS-RL"),
    versioned(
        r"open software license(?: osl)?(?: version| v)? ?(3\.0|2\.1|2\.0|1\.1|1\.0)",
        "OSL-{}",
        "3.0",
    ),
    versioned(
        r"academic free license(?: afl)?(?: version| v)? ?(3\.0|2\.1|2\.0|1\.2|1\.1)",
        "AFL-{}",
        "3.0",
    ),
    versioned(r"artistic license(?: version| v)? ?(2\.0|1\.0)", "Artistic-{}", "1.0"),
    versioned(r"artistic (2\.0|1\.0)", "Artistic-{}", "1.0"),
    vague(r"(?:perl )?artistic license", "Artistic-1.0-Perl"),
    one(
        r"same terms as (?:the )?perl(?: 5)?(?: itself| programming language| system itself)?|same license as perl|perl license",
        "Artistic-1.0-Perl OR GPL-1.0-or-later",
    ),
    versioned(
        r"(?:latex project public license|lppl)(?: version| v)? ?(1\.3[ac]|1\.[012])",
        "LPPL-{}",
        "1.3c",
    ),
    vague(r"latex project public license|lppl", "LPPL-1.3c"),
    one(r"q public license|qpl license", "QPL-1.0"),
    one(r"sleepycat license", "Sleepycat"),
    versioned(
        r"netscape public license(?: npl)?(?: version| v)? ?(1\.[01])",
        "NPL-{}",
        "1.1",
    ),
    versioned(r"sun public license(?: version| v)? ?(1\.0)", "SPL-{}", "1.0"),
    versioned(
        r"apple public source license(?: version| v)? ?(1\.[012]|2\.0)",
        "APSL-{}",
        "2.0",
    ),
    versioned(r"reciprocal public license(?: version| v)? ?(1\.[15])", "RPL-{}", "1.5"),
    // Languages and their libraries.
    one(
        r"python software foundation license|psf license|psf 2\.0|psfl",
        "PSF-2.0",
    ),
    versioned(r"php license(?: version| v)? ?(3\.01|3\.0)", "PHP-{}", "3.01"),
    vague(r"php license", "PHP-3.01"),
    one(r"ruby(?: s)? license|same (?:terms|license) as ruby", "Ruby"),
    one(r"openssl license", "OpenSSL"),
    versioned(
        r"(?:zope public license|zpl)(?: zpl)?(?: version| v)? ?(2\.1|2\.0|1\.1)",
        "ZPL-{}",
        "2.1",
    ),
    one(r"w3c software (?:notice and )?license|w3c license", "W3C"),
    versioned(
        r"unicode license(?: agreement)?(?: version| v)? ?(3\.0|3)",
        "Unicode-{}",
        "3.0",
    ),
    versioned(
        r"sil open font license(?: ofl)?(?: version| ver| v)? ?(1\.[01])",
        "OFL-{}",
        "1.1",
    ),
    versioned(
        r"(?:scripts.sil.org|openfontlicense.org) ofl|ofl (1\.[01])",
        "OFL-{}",
        "1.1",
    ),
    vague(r"(?:sil )?open font license", "OFL-1.1"),
    versioned(
        r"do what the fuck you want(?: to)?(?: public license)?(?: version)?(?: 2)?|wtfpl(?: license)?(?: version| v)?(?: 2)?",
        "WTFPL",
        "",
    ),
    one(r"beer ?ware(?: license)?", "Beerware"),
    one(
        r"unlicense(?: license)?|unlicense.org|licensed under the unlicense",
        "Unlicense",
    ),
    one(r"vim license", "Vim"),
    one(r"json license|shall be used for good not evil", "JSON"),
    one(r"server side public license|sspl(?: v1| 1\.0)?", "SSPL-1.0"),
    one(r"elastic license(?: version| v)? ?2(?:\.0)?", "Elastic-2.0"),
    one(
        r"business source license(?: version| v)?(?: 1\.1)?|busl 1\.1",
        "BUSL-1.1",
    ),
    one(r"commons clause", "LicenseRef-scancode-commons-clause"),
    versioned(
        r"polyform (noncommercial|small business)(?: license)?(?: 1\.0\.0)?",
        "PolyForm-{}-1.0.0",
        "",
    ),
    // Creative Commons.
    versioned(
        r"(?:cc|creative commons(?: attribution)?|creativecommons.org licenses) (by(?: nc)?(?: sa| nd)? [1234]\.[05])",
        "CC-{}",
        "",
    ),
    versioned(
        r"creative commons attribution(?: license)?(?: version)? ?([1234]\.[05])(?: international| unported| license| generic)?",
        "CC-BY-{}",
        "4.0",
    ),
    versioned(
        r"creative commons attribution share ?alike(?: license)?(?: version)? ?([1234]\.[05])",
        "CC-BY-SA-{}",
        "4.0",
    ),
    versioned(
        r"creative commons attribution non ?commercial(?: license)?(?: version)? ?([1234]\.[05])",
        "CC-BY-NC-{}",
        "4.0",
    ),
    versioned(
        r"creative commons attribution no ?derivs?(?:atives)?(?: works)?(?: license)?(?: version)? ?([1234]\.[05])",
        "CC-BY-ND-{}",
        "4.0",
    ),
    versioned(
        r"creative commons attribution non ?commercial share ?alike(?: license)?(?: version)? ?([1234]\.[05])",
        "CC-BY-NC-SA-{}",
        "4.0",
    ),
    versioned(
        r"creative commons attribution non ?commercial no ?derivs?(?:atives)?(?: works)?(?: license)?(?: version)? ?([1234]\.[05])",
        "CC-BY-NC-ND-{}",
        "4.0",
    ),
    one(
        r"cc0(?: 1\.0)?(?: universal)?|cc 0 1\.0|creative commons (?:zero|0)|creativecommons.org publicdomain zero",
        "CC0-1.0",
    ),
    // The public domain.
    one(
        r"(?:released|placed|put|dedicated|donated|contributed|given|falls|is|are|been|hereby) (?:in|into|to|under)(?: the)? public domain|this (?:file|code|program|software|work|source|module|library) is public domain|license[ds]?(?: is| under)?(?: the)? public domain|is public domain|no copyright is claimed|author disclaims copyright|disclaims? (?:all )?copyright to",
        super::PUBLIC_DOMAIN,
    ),
    // What is not open.
    one(
        r"proprietary and confidential|confidential and proprietary|proprietary license|proprietary software|license unlicensed|license proprietary|unauthorized copying of this file|all rights reserved no part of this",
        "LicenseRef-scancode-proprietary-license",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::license::expression::Terms;

    #[test]
    fn every_phrase_names_a_known_license() {
        for phrase in PHRASES {
            assert!(regex::Regex::new(phrase.pattern).is_ok(), "{}", phrase.pattern);
            let versions = ["", "B", "1.0", "1.0.0", "BY 4.0", "Noncommercial", phrase.default];
            let known = |version: &&str| Terms::parse(&phrase.id.replace("{}", &version.replace(' ', "-"))).is_some();
            assert!(versions.iter().any(known), "{}", phrase.id);
        }
    }
}
