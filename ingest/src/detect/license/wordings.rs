//! Table: the wordings of each license, as [`Phrase`]s.

use super::phrases::Phrase;

const fn one(id: &'static str, names: &'static [&'static str]) -> Phrase {
    Phrase {
        id,
        versions: "",
        default: "",
        names,
        short: &[],
        is_vague: false,
    }
}

const fn vague(id: &'static str, names: &'static [&'static str]) -> Phrase {
    Phrase {
        is_vague: true,
        ..one(id, names)
    }
}

/// A license with versions: id, versions, default; names; names that need their version.
const fn versioned(
    (id, versions, default): (&'static str, &'static str, &'static str),
    names: &'static [&'static str],
    short: &'static [&'static str],
) -> Phrase {
    Phrase {
        id,
        versions,
        default,
        names,
        short,
        is_vague: false,
    }
}

/// All phrases but those of the GNU family, whose versions stand far from their names, and the full names of SPDX's list.
pub(crate) const PHRASES: &[Phrase] = &[
    // Apache.
    versioned(
        ("Apache-{}", r"2[. ]0|2|1[. ]1|1[. ]0", "2.0"),
        &[
            "apache(?: software| public)? licenses?",
            "apache style(?: software)? license",
        ],
        &[
            "apache",
            "version {} of the apache(?: software)? license",
            "apache org licenses license",
            "opensource org licenses? apache",
            "asl",
            "alv",
            "apl",
        ],
    ),
    vague("Apache-2.0", &["apache org licenses?", "licensed? asl"]),
    // MIT and its kin.
    one(
        "MIT",
        &[
            "mit (?:open source |public )?licen[cs]e[ds]?",
            "mit expat",
            "expat license",
            "expat mit",
            "license[ds]?(?: is| under| under the| type| information)? (?:mit|expat)",
            "licensed under(?: the)? (?:terms of the )?mit",
            "opensource org licenses? mit",
            "mit x11",
            "x11 mit",
            "osi approved mit",
            "jquery org license",
            "bouncy castle license",
        ],
    ),
    vague(
        "MIT",
        &[
            "mit (?:x11 |x )?(?:style|like|type)(?: open source)? license[ds]?",
            "mit x(?:11)? style",
        ],
    ),
    one(
        "ISC",
        &[
            "isc license[ds]?",
            "opensource org licenses? isc",
            "internet (?:systems|software) consortium license",
            "isc style license",
        ],
    ),
    one(
        "Zlib",
        &[
            "(?:the )?(?:zlib|libpng)(?: libpng| png| zlib)? license",
            "opensource org licenses? zlib",
            "zlib net zlib license",
        ],
    ),
    one(
        "BSL-1.0",
        &[
            "boost software license",
            "boost org license 1 0",
            "boost license",
            "opensource org licenses? bsl 1[. ]0",
        ],
    ),
    one(
        "NCSA",
        &[
            "university of illinois(?: open source license)?(?: ncsa)?",
            "ncsa open source license",
            "illinois open source license",
        ],
    ),
    one(
        "0BSD",
        &[
            "(?:bsd )?zero clause(?: bsd)?(?: license)?",
            "0bsd",
            "free public license 1[. ]0",
        ],
    ),
    one("MIT-0", &["mit no attribution", "mit 0(?: license)?"]),
    one("MIT-open-group", &["mit open group"]),
    one(
        "BlueOak-1.0.0",
        &["blue oak model license", "blueoakcouncil org license 1[. ]0[. ]0"],
    ),
    // BSD.
    one(
        "BSD-3-Clause",
        &[
            "(?:3|three) (?:clause|term) (?:new |modified |revised )?bsd",
            "bsd (?:license )?(?:3|three) clause",
            "(?:new|modified|revised) bsd",
            "bsd (?:new|modified|revised)",
            "bsd ?v?3(?:cl)?",
            "opensource org licenses? bsd 3 clause",
            "(?:golang org|go dev) license",
            "eclipse distribution license(?: edl)?(?: version| v)?(?: 1[. ]0)?",
            "eclipse org org documents edl v10",
            "edl 1[. ]0",
            "(?:numpy|scipy) license",
        ],
    ),
    one(
        "BSD-2-Clause",
        &[
            "(?:2|two) (?:clause|term) (?:simplified |freebsd )?bsdl?",
            "bsd (?:license )?(?:2|two) clause",
            "simplified bsd",
            "bsd simplified",
            "bsd ?v?2(?:cl)?",
            "freebsd license",
            "freebsd org copyright freebsd license",
            "opensource org licenses? bsd 2 clause",
        ],
    ),
    one(
        "BSD-4-Clause",
        &[
            "(?:4|four) clause bsd",
            "bsd (?:4|four) clause",
            "original bsd license",
            "bsd original",
        ],
    ),
    vague(
        "BSD-3-Clause",
        &[
            "bsd (?:open source )?license[ds]?",
            "bsd (?:style|like|type)(?: open source)? license[ds]?",
            "license[ds]? bsd (?:style|like|type)",
            "(?:license[ds]?|distributed|released|governed)(?: is| are| under| by| under the| under a| by a)? bsd",
            "licensed under(?: the)? (?:terms of the )?bsd",
            "opensource org licenses bsd license",
            "linfo org bsdlicense",
            "berkeley (?:software distribution )?license",
            "osi approved bsd",
        ],
    ),
    // Weak copyleft.
    versioned(
        ("MPL-{}", r"2[. ]0|2|1[. ]1|1[. ]0", "2.0"),
        &["mozilla public license", "mozilla org mpl"],
        &[
            "mpl",
            "mozilla org (?:en us )?mpl(?: mpl)?",
            "opensource org licenses? mpl",
        ],
    ),
    versioned(
        ("EPL-{}", r"2[. ]?0|2|1[. ]?0|1", "1.0"),
        &["eclipse public license", "eclipse org legal epl"],
        &[
            "epl",
            "eclipse org (?:legal|org documents) epl",
            "opensource org licenses? (?:eclipse|epl)",
        ],
    ),
    one(
        "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
        &[
            r"cddl\+gpl 1 1",
            r"cddl 1\.1(?: and| or)? gplv?2 with(?: the)? classpath exception",
        ],
    ),
    one(
        "CDDL-1.0 OR GPL-2.0-only WITH Classpath-exception-2.0",
        &[
            r"cddl\+gpl",
            r"cddl(?: license)?\+? ?(?:and |or )?gplv?2 with(?: the)? classpath exception",
        ],
    ),
    versioned(
        ("CDDL-{}", r"1[. ]1|1[. ]0", "1.0"),
        &[
            "common development and distribution license(?: the license)?",
            "cddl license",
            "license[ds]?(?: under| under the)? cddl",
        ],
        &["cddl", "opensource org licenses? cddl"],
    ),
    versioned(
        ("CPL-{}", r"1[. ]0", "1.0"),
        &["common public license"],
        &["cpl", "opensource org licenses cpl"],
    ),
    vague("CPL-1.0", &["opensource org licenses cpl"]),
    one("IPL-1.0", &["ibm public license"]),
    versioned(
        ("EUPL-{}", r"1[. ][012]", "1.2"),
        &["european union public license", "european union public licence", "eupl"],
        &[],
    ),
    versioned(
        ("CECILL-{}", "b|c", ""),
        &[],
        &["cecill(?: free software)? {} license", "license cecill", "cecill"],
    ),
    versioned(
        ("CECILL-{}", r"2[. ]1|2[. ]0|2|1[. ]1|1[. ]0", "2.0"),
        &["cecill(?: free software)? license(?: agreement)?"],
        &["cecill(?: free software)?"],
    ),
    one("MS-PL", &["(?:microsoft|ms) public license", "ms pl"]),
    one("MS-RL", &["(?:microsoft|ms) reciprocal license", "ms rl"]),
    versioned(
        ("OSL-{}", r"3[. ]0|2[. ]1|2[. ]0|1[. ]1|1[. ]0", "3.0"),
        &["open software license"],
        &["opensource org licenses? osl"],
    ),
    versioned(
        ("AFL-{}", r"3[. ]0|2[. ]1|2[. ]0|1[. ]2|1[. ]1", "3.0"),
        &["academic free license"],
        &["opensource org licenses? afl"],
    ),
    versioned(("Artistic-{}", r"2[. ]0|1[. ]0", ""), &[], &["artistic(?: license)?"]),
    one("ClArtistic", &["clarified artistic license"]),
    vague("Artistic-1.0-Perl", &["(?:perl )?artistic license"]),
    one(
        "Artistic-1.0-Perl OR GPL-1.0-or-later",
        &[
            "same (?:terms|license) as (?:the )?perl(?: 5)?(?: itself| programming language| system itself)?",
            "perl license",
        ],
    ),
    versioned(
        ("LPPL-{}", r"1[. ]3[ac]?|1[. ][012]", "1.3c"),
        &["latex project public license", "lppl"],
        &[],
    ),
    one("QPL-1.0", &["q public license", "qpl license"]),
    one("Sleepycat", &["sleepycat license"]),
    versioned(("NPL-{}", r"1[. ][01]", "1.1"), &["netscape public license"], &[]),
    versioned(("SPL-{}", r"1[. ]0", "1.0"), &["sun public license"], &[]),
    versioned(
        ("APSL-{}", r"2[. ]0|1[. ][012]", "2.0"),
        &["apple public source license"],
        &["apsl"],
    ),
    versioned(("RPL-{}", r"1[. ][15]", "1.5"), &["reciprocal public license"], &[]),
    versioned(("ErlPL-{}", r"1[. ]1", "1.1"), &["erlang public license"], &[]),
    versioned(
        ("OLDAP-{}", r"2[. ][0-9](?:[. ][0-9])?|1[. ][0-9]", "2.8"),
        &["open ?ldap public license"],
        &["oldap"],
    ),
    // Languages and their libraries.
    one(
        "PSF-2.0",
        &[
            "python software foundation license",
            "psf license",
            "psf 2[. ]0",
            "psfl",
        ],
    ),
    one(
        "Python-2.0",
        &[
            "python license",
            "same (?:terms|license) as (?:the )?python(?: itself)?",
        ],
    ),
    one("TCL", &["same (?:terms|license) as tcl(?: tk)?(?: itself)?"]),
    one(
        "Vim",
        &["vim license", "same (?:terms|license) as (?:the )?vim(?: itself)?"],
    ),
    versioned(
        ("PHP-{}", r"3[. ]01|3[. ]0", "3.01"),
        &["php license"],
        &["php net license"],
    ),
    one(
        "Ruby",
        &[
            "ruby(?: s)? license",
            "same (?:terms|license) as ruby",
            "ruby lang org en about license",
        ],
    ),
    one("OpenSSL", &["openssl license", "openssl org source license"]),
    one("PostgreSQL", &["postgresql license", "postgresql org about license"]),
    versioned(
        ("ZPL-{}", r"2[. ]1|2[. ]0|1[. ]1", "2.1"),
        &["zope public license"],
        &["zpl"],
    ),
    one(
        "W3C",
        &[
            "w3c software (?:and document |notice and (?:document )?)?license",
            "w3c license",
        ],
    ),
    versioned(
        ("Unicode-{}", r"3[. ]0|3", "3.0"),
        &[],
        &["unicode license(?: agreement)?"],
    ),
    versioned(
        ("OFL-{}", r"1[. ][01]", "1.1"),
        &[
            "(?:sil )?open font license",
            "scripts sil org ofl",
            "openfontlicense org",
        ],
        &["ofl"],
    ),
    one(
        "WTFPL",
        &[
            "do what the fuck you want(?: to)?(?: public license)?(?: version)?(?: 2)?",
            "wtfpl",
        ],
    ),
    one("Beerware", &["beer ?ware(?: license)?"]),
    one("Unlicense", &["unlicen[cs]e(?: license)?"]),
    one("JSON", &["json license", "shall be used for good not evil"]),
    one("SSPL-1.0", &["server side public license", "sspl(?: v1| 1[. ]0)?"]),
    one("Elastic-2.0", &["elastic license(?: version| v)? ?v?2(?:[. ]0)?"]),
    vague("Elastic-2.0", &["elastic license"]),
    one(
        "BUSL-1.1",
        &["business source license(?: version| v)?(?: 1[. ]1)?", "busl 1[. ]1"],
    ),
    one("LicenseRef-scancode-commons-clause", &["commons clause"]),
    versioned(
        ("PolyForm-{}-1.0.0", "noncommercial|small business", ""),
        &[],
        &[r"polyform {}(?: license)?(?: 1[. ]0[. ]0)?"],
    ),
    one(
        "ODbL-1.0",
        &[
            "(?:open data commons )?open database license",
            "opendatacommons org licenses odbl",
        ],
    ),
    // Creative Commons.
    versioned(
        (
            "CC-{}",
            r"(?:by|attribution)(?: nc| non ?commercial)?(?: sa| nd| share ?alike| no ?deriv(?:ative)?s)?(?: works)?(?: international| public)*(?: license)?(?: version)?(?: v?[1234]\.[05])?",
            "4.0",
        ),
        &[],
        &["cc", "creative commons", "creativecommons org licenses"],
    ),
    one(
        "CC0-1.0",
        &[
            "cc ?0(?: 1[. ]0)?(?: universal)?",
            "creative commons (?:zero|0)",
            "creativecommons org (?:publicdomain|licenses) zero",
        ],
    ),
    one("CC-PDDC", &["creativecommons org licenses publicdomain"]),
    // The public domain.
    vague(
        super::PUBLIC_DOMAIN,
        &[
            "(?:released|placed|put|dedicated|donated|contributed|given|falls|is|are|been|hereby|work) (?:in|into|to|under|as)(?: the)? public domain",
            "(?:this (?:file|code|program|software|work|source|module|library|script|document) |is )(?:is )?(?:hereby )?public domain",
            "license[ds]?(?: is| under)?(?: the)? public domain",
            "public domain (?:software|code|dedication)",
            "no copyright is claimed",
            "author disclaims copyright",
            "disclaims? (?:all )?copyright to",
        ],
    ),
    // What is not open.
    vague(
        super::PROPRIETARY,
        &[
            "proprietary and confidential",
            "confidential and proprietary",
            "(?:confidential|unpublished) proprietary (?:source code|information|software)",
            "unpublished (?:proprietary )?source code",
            "proprietary license",
            "proprietary software",
            "(?:confidential|trade secret) information of",
            "license (?:unlicensed|proprietary)",
            "unauthorized copying of this file",
            "all rights reserved no part of this",
            "licensed materials property of",
            "(?:non ?commercial|personal)(?: research)? (?:use|usage|purposes?) only",
            "only for (?:personal and |personal or )?non ?commercial (?:use|purposes)",
            "not (?:to be |be )?used for commercial purposes",
            "free for (?:personal )?(?:and |or )?non ?commercial (?:use|usage)",
            "do not (?:copy|distribute|redistribute)(?: or (?:copy|distribute|redistribute))? without",
            "redistribution(?: [a-z]+){0,4} is (?:not permitted|(?:strictly )?prohibited)",
            "not in the public domain",
            "may not be (?:copied|reproduced|disclosed|used)(?: [a-z]+){0,8} without(?: the)?(?: express| prior)? (?:written )?(?:permission|consent)",
        ],
    ),
];
