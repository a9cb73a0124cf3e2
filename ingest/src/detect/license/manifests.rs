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
        "package.json" => package_json,
        "composer.json" => composer_json,
        "pyproject.toml" => pyproject,
        "setup.cfg" => setup_cfg,
        "pom.xml" => pom,
        _ if file_name.ends_with(".gemspec") => gemspec,
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
    Terms::parse(name).or_else(|| scan::document(name))
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

fn package_json(text: &str) -> Option<Terms> {
    let manifest: Licensed = serde_json::from_str(text).ok()?;
    manifest.license.or(manifest.licenses)?.terms()
}

fn composer_json(text: &str) -> Option<Terms> {
    package_json(text)
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

/// Names inside `<licenses>`; several are a choice, as Maven defines it.
fn pom(text: &str) -> Option<Terms> {
    let (_, after) = text.split_once("<licenses>")?;
    let (licenses, _) = after.split_once("</licenses>")?;
    let names = licenses
        .split("<name>")
        .skip(1)
        .filter_map(|rest| rest.split('<').next());
    Terms::any(names.filter_map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_manifest() {
        for (file_name, text, expression) in [
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
        ] {
            let found = declared(file_name, text.as_bytes()).map(|terms| terms.to_string());
            assert_eq!(found.as_deref(), Some(expression), "{file_name}: {text}");
        }
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
