//! Licenses that package manifests declare.

use serde::Deserialize;

use super::expression::Terms;
use super::scan;

/// Bytes of the longest manifest that is read.
const MANIFEST_BYTES: usize = 1 << 20;

/// Reads one kind of manifest.
type Reader = fn(&str) -> Option<Terms>;

/// The reader for a manifest of this file name.
pub(crate) fn reader(file_name: &str) -> Option<Reader> {
    Some(match file_name {
        "Cargo.toml" => cargo,
        "package.json" | "composer.json" | "bower.json" | "elm.json" | "deno.json" | "jsr.json" | "codemeta.json"
        | "haxelib.json" | "vcpkg.json" | "META6.json" => json,
        "pyproject.toml" => pyproject,
        "setup.cfg" => setup_cfg,
        "setup.py" => setup_py,
        "pom.xml" => pom,
        "DESCRIPTION" => r_package,
        "package.yaml" | "CITATION.cff" | "META.yml" => field,
        "mix.exs" => mix,
        "dune-project" => dune,
        _ => return by_extension(file_name.rsplit_once('.')?.1),
    })
}

fn by_extension(extension: &str) -> Option<Reader> {
    Some(match extension {
        "gemspec" | "podspec" => gemspec,
        "cabal" | "opam" => field,
        "rockspec" => assigned,
        "nuspec" | "csproj" | "fsproj" | "vbproj" => nuget,
        _ => return None,
    })
}

/// What a manifest declares, if it can be read and declares a license.
pub(crate) fn declared(file_name: &str, content: &[u8]) -> Option<Terms> {
    let text = std::str::from_utf8(content)
        .ok()
        .filter(|text| text.len() <= MANIFEST_BYTES)?;
    reader(file_name)?(text)
}

/// A license as people name it in a manifest or in metadata: an expression, or words that name one.
pub(crate) fn named(name: &str) -> Option<Terms> {
    let name = name.trim().trim_matches(['"', '\'']);
    // npm's word for "no license is granted".
    if name.eq_ignore_ascii_case("unlicensed") {
        return Some(Terms::One(super::PROPRIETARY.to_owned()));
    }
    scan::named(name)
}

/// One word or several of them; anything else is nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Object(Object),
    Several(Vec<Names>),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Object {
    #[serde(alias = "type", alias = "text")]
    name: Option<String>,
}

impl Names {
    /// Several licenses in a list are a choice, as npm and Composer define it.
    fn terms(&self) -> Option<Terms> {
        match self {
            Self::One(name) => named(name),
            Self::Object(object) => named(object.name.as_deref()?),
            Self::Several(several) => Terms::any(several.iter().filter_map(Self::terms).collect()),
            Self::Other(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct Licensed {
    license: Option<Names>,
    licenses: Option<Names>,
}

/// `License :: OSI Approved :: MIT License`: all that are named hold.
fn classified<'a>(classifiers: impl Iterator<Item = &'a str>) -> Option<Terms> {
    let licenses = classifiers.filter_map(|line| line.trim().strip_prefix("License ::"));
    let last = licenses.filter_map(|license| license.rsplit("::").next());
    Terms::all(last.filter_map(named).collect())
}

fn json(text: &str) -> Option<Terms> {
    let manifest: Licensed = serde_json::from_str(text).ok()?;
    manifest.license.or(manifest.licenses)?.terms()
}

fn cargo(text: &str) -> Option<Terms> {
    license_of(text, "package").or_else(|| license_of(text, "workspace.package"))
}

fn pyproject(text: &str) -> Option<Terms> {
    let table = || value_of(text, "project.license", "text").and_then(|value| named(quoted(value).next()?));
    let project = license_of(text, "project")
        .or_else(table)
        .or_else(|| license_of(text, "tool.poetry"));
    project.or_else(|| classified(section(text, "project").flat_map(quoted)))
}

/// Lines of one section of a TOML file. Only plain keys and strings are understood: licenses are written so.
fn section<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let is_head =
        move |line: &&str| line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next()) == Some(name);
    let lines = text.lines().skip_while(move |line| !is_head(line)).skip(1);
    lines.take_while(|line| !line.starts_with('['))
}

fn value_of<'a>(text: &'a str, section_name: &'a str, wanted: &str) -> Option<&'a str> {
    let mut pairs = section(text, section_name).filter_map(|line| line.split_once('='));
    pairs.find_map(|(key, value)| (key.trim() == wanted).then(|| value.trim()))
}

/// `license = "MIT"` or `license = { text = "MIT" }`; a file that is named instead is found by its own name.
fn license_of(text: &str, section_name: &str) -> Option<Terms> {
    let value = value_of(text, section_name, "license")?;
    let value = match value.strip_prefix('{') {
        Some(table) => table.split_once("text")?.1,
        None => value,
    };
    named(quoted(value).next()?)
}

/// What stands between quotation marks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split(['"', '\'']).skip(1).step_by(2)
}

/// `license = MIT` and `classifiers` of the section `[metadata]`.
fn setup_cfg(text: &str) -> Option<Terms> {
    let mut lines = text.lines().skip_while(|line| line.trim() != "[metadata]").skip(1);
    let section: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with('[')).collect();
    let license = section.iter().find_map(|line| {
        let (key, value) = line.split_once(['=', ':'])?;
        (key.trim() == "license").then(|| named(value))?
    });
    license.or_else(|| classified(section.into_iter()))
}

/// `spec.license = 'MIT'`, `s.licenses = ['MIT', 'Ruby']`: a list is a choice.
fn gemspec(text: &str) -> Option<Terms> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let key = key.trim();
        if !(key.ends_with(".license") || key.ends_with(".licenses")) {
            return None;
        }
        Terms::any(quoted(value).filter_map(named).collect())
    })
}

/// `license="MIT"` among the arguments of `setup()`, else the classifiers in it.
fn setup_py(text: &str) -> Option<Terms> {
    let text = &text[text.find("setup(")?..];
    let argument = text.lines().find_map(|line| {
        let (_, value) = line.trim_start_matches(['(', ' ', '\t']).rsplit_once("license")?;
        let value = value.trim_start().strip_prefix('=')?.trim_start();
        named(value.starts_with(['"', '\'']).then(|| quoted(value).next())??)
    });
    argument.or_else(|| classified(text.lines().flat_map(quoted)))
}

/// `license: MIT` at the start of a line, in any case and perhaps in quotation marks.
fn field(text: &str) -> Option<Terms> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(key, _)| key.trim_end().eq_ignore_ascii_case("license"))?;
    named(value.trim().trim_start_matches('['))
}

/// `license = "MIT"`.
fn assigned(text: &str) -> Option<Terms> {
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim() == "license")?;
    named(quoted(value).next()?)
}

/// `License: GPL (>= 2) | MIT + file LICENSE` of a package of R: versions stand in parentheses, `|` is a choice.
fn r_package(text: &str) -> Option<Terms> {
    let value = text.lines().find_map(|line| line.strip_prefix("License:"))?;
    let one = |name: &str| {
        let name = name
            .split("+ file")
            .next()?
            .trim()
            .replace("_clause", "-clause")
            .replace('_', "-");
        let Some((stem, version)) = name.split_once('(') else {
            return named(&name);
        };
        let version = version.trim_end_matches([')', ' ']);
        let later = if version.starts_with('>') { " or later" } else { "" };
        let number = version.trim_start_matches(['>', '=', ' ']);
        named(&format!("{} version {number}{later}", stem.trim()))
    };
    Terms::any(value.split('|').filter_map(one).collect())
}

/// `licenses: ["MIT"]` of a project in Elixir.
fn mix(text: &str) -> Option<Terms> {
    let (_, value) = text.split_once("licenses:")?;
    let list = value.trim_start().strip_prefix('[')?.split(']').next()?;
    Terms::any(quoted(list).filter_map(named).collect())
}

/// `(license MIT)` of a project in OCaml; several are all of them.
fn dune(text: &str) -> Option<Terms> {
    let list = text.split_once("(license ")?.1.split(')').next()?;
    Terms::all(list.split_whitespace().filter_map(named).collect())
}

/// `<license type="expression">MIT</license>`, or the address of one.
fn nuget(text: &str) -> Option<Terms> {
    let heads = [
        "<license type=\"expression\">",
        "<PackageLicenseExpression>",
        "<licenseUrl>",
        "<PackageLicenseUrl>",
    ];
    let inside = |head: &str| text.split_once(head)?.1.split('<').next();
    heads.iter().find_map(|head| named(inside(head)?))
}

/// Names inside `<licenses>`; several are a choice, as Maven defines it.
fn pom(text: &str) -> Option<Terms> {
    let (_, after) = text.split_once("<licenses>")?;
    let (licenses, _) = after.split_once("</licenses>")?;
    let inside = |license: &str, head: &str| Some(named(license.split_once(head)?.1.split('<').next()?))?;
    let one = |license: &str| inside(license, "<name>").or_else(|| inside(license, "<url>"));
    Terms::any(licenses.split("<license>").filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, &str, &str)]) {
        for (file_name, text, expression) in cases {
            let found = declared(file_name, text.as_bytes()).map(|terms| terms.to_string());
            assert_eq!(found.as_deref(), Some(*expression), "{file_name}: {text}");
        }
    }

    #[test]
    fn common_manifests() {
        check(&[
            (
                "Cargo.toml",
                "[package]\nname = \"a\"\nlicense = \"MIT/Apache-2.0\"\n",
                "MIT OR Apache-2.0",
            ),
            (
                "Cargo.toml",
                "[workspace.package]\nlicense = \"ISC\"\n[package]\nlicense.workspace = true\n",
                "ISC",
            ),
            (
                "package.json",
                "{\"license\": \"(MIT OR GPL-3.0)\"}",
                "MIT OR GPL-3.0-only",
            ),
            (
                "package.json",
                "{\"licenses\": [{\"type\": \"MIT\", \"url\": \"x\"}, {\"type\": \"BSD\"}]}",
                "MIT OR BSD-3-Clause",
            ),
            ("package.json", "{\"license\": {\"type\": \"ISC\"}}", "ISC"),
            (
                "package.json",
                "{\"license\": \"UNLICENSED\"}",
                "LicenseRef-scancode-proprietary-license",
            ),
            (
                "composer.json",
                "{\"license\": [\"LGPL-2.1-only\", \"GPL-3.0-or-later\"]}",
                "LGPL-2.1-only OR GPL-3.0-or-later",
            ),
            (
                "pyproject.toml",
                "[project]\nlicense = {text = \"BSD 3-Clause License\"}\n",
                "BSD-3-Clause",
            ),
            (
                "pyproject.toml",
                "[project]\nclassifiers = [\"License :: OSI Approved :: MIT License\"]\n",
                "MIT",
            ),
            (
                "pyproject.toml",
                "[tool.black]\nline-length = 1\n[tool.poetry]\nlicense = \"Apache-2.0\"\n",
                "Apache-2.0",
            ),
            (
                "setup.cfg",
                "[metadata]\nname = a\nlicense = MIT\n[options]\nlicense = GPL\n",
                "MIT",
            ),
            (
                "setup.cfg",
                "[metadata]\nclassifiers =\n    License :: OSI Approved :: Apache Software License\n",
                "Apache-2.0",
            ),
            ("a.gemspec", "  spec.licenses = [\"MIT\", 'Ruby']\n", "MIT OR Ruby"),
            (
                "pom.xml",
                "<licenses><license><name>The Apache License, Version 2.0</name></license></licenses>",
                "Apache-2.0",
            ),
            (
                "pom.xml",
                "<licenses><license><name>x</name><url>http://www.apache.org/licenses/LICENSE-2.0.txt</url></license><license><name>MIT</name></license></licenses>",
                "Apache-2.0 OR MIT",
            ),
            ("bower.json", "{\"license\": \"MIT\"}", "MIT"),
            (
                "codemeta.json",
                "{\"license\": \"https://spdx.org/licenses/ISC\"}",
                "ISC",
            ),
        ]);
    }

    #[test]
    fn manifests_of_other_languages() {
        check(&[
            (
                "setup.py",
                "from x import setup\nsetup(name='a', license='BSD',\n)",
                "BSD-3-Clause",
            ),
            (
                "setup.py",
                "setup(\n  license=read(),\n  classifiers=['License :: OSI Approved :: MIT License'])",
                "MIT",
            ),
            (
                "DESCRIPTION",
                "Package: a\nLicense: GPL (>= 2) | MIT + file LICENSE\n",
                "GPL-2.0-or-later OR MIT",
            ),
            ("DESCRIPTION", "License: BSD_3_clause + file LICENSE\n", "BSD-3-Clause"),
            ("DESCRIPTION", "License: Apache License (== 2.0)\n", "Apache-2.0"),
            ("a.cabal", "name: a\nLicense:   BSD3\n", "BSD-3-Clause"),
            (
                "a.opam",
                "license: \"LGPL-2.1-or-later WITH OCaml-LGPL-linking-exception\"\n",
                "LGPL-2.1-or-later WITH OCaml-LGPL-linking-exception",
            ),
            ("CITATION.cff", "title: a\nlicense: Apache-2.0\n", "Apache-2.0"),
            ("a-1.rockspec", "description = {\n  license = \"MIT/X11\"\n}", "MIT"),
            ("a.podspec", "s.license = { :type => 'MIT', :file => 'LICENSE' }", "MIT"),
            ("mix.exs", "  licenses: [\"MIT\", \"ISC\"],", "MIT OR ISC"),
            ("dune-project", "(lang dune 3)\n(license ISC)", "ISC"),
            (
                "a.nuspec",
                "<license type=\"expression\">MIT OR ISC</license>",
                "MIT OR ISC",
            ),
            (
                "a.csproj",
                "<PackageLicenseUrl>https://opensource.org/licenses/MIT</PackageLicenseUrl>",
                "MIT",
            ),
        ]);
    }

    #[test]
    fn what_declares_nothing() {
        for (file_name, text) in [
            ("Cargo.toml", "[package]\nname = \"a\"\n"),
            ("Cargo.toml", "not toml ["),
            (
                "Cargo.toml",
                "[package]\nlicense.workspace = true\nlicense-file = \"MIT\"\n[other]\nlicense = \"MIT\"\n",
            ),
            ("pyproject.toml", "[project]\nlicense = { file = \"LICENSE\" }\n"),
            ("package.json", "{\"license\": 7}"),
            ("package.json", "{\"license\": \"SEE LICENSE IN x\"}"),
            ("pyproject.toml", "[tool]\nx = 1\n"),
            ("setup.cfg", "[options]\nlicense = MIT\n"),
            ("pom.xml", "<licenses>"),
            ("x.gemspec", "s.name = 'MIT'"),
            ("README", "MIT"),
        ] {
            assert_eq!(declared(file_name, text.as_bytes()), None, "{file_name}: {text}");
        }
        let deep = format!("{{\"license\": {}1{}}}", "[".repeat(500), "]".repeat(500));
        assert_eq!(declared("package.json", deep.as_bytes()), None);
        assert_eq!(declared("package.json", b"\xff"), None);
    }
}
