//! The only place that reads the environment.

use std::ffi::OsString;
use std::path::PathBuf;

use stackmill_ingest::store::{Settings, Stores};
use stackmill_schemas::{Error, Result};

/// The command line, the program's name first.
pub fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os()
}
use crate::units::parse_bytes;

/// A variable's value, if it is set and not empty.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Fills in a leading `~` and every `${NAME}` or `${NAME:-default}`.
pub fn expand(text: &str) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let end = rest[start..]
            .find('}')
            .ok_or_else(|| Error::config(format!("`{text}`: `${{` without `}}`")))?;
        out.push_str(&rest[..start]);
        out.push_str(&named(&rest[start + 2..start + end])?);
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    match out.strip_prefix("~/") {
        Some(below) => Ok(format!("{}/{below}", named("HOME")?)),
        None => Ok(out),
    }
}

fn named(name: &str) -> Result<String> {
    let (name, default) = name
        .split_once(":-")
        .map_or((name, None), |(name, default)| (name, Some(default)));
    variable(name).or_else(|| default.map(str::to_owned)).ok_or_else(|| {
        Error::config(format!("environment variable `{name}` is not set")).hint(format!("write ${{{name}:-default}}"))
    })
}

/// Least bytes of a part of an upload, as S3 has it.
const LEAST_PART: u64 = 5 << 20;

/// Object stores with the credentials and endpoints that the environment names.
pub fn stores() -> Result<Stores> {
    let ours = |name: &str| Settings::PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let texts =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut settings = Settings {
        variables: texts.filter(|(name, value)| ours(name) && !value.is_empty()).collect(),
        ..Settings::default()
    };
    if let Some(text) = variable("STACKMILL_STORE_ATTEMPTS") {
        let attempts = text.parse().ok().filter(|attempts| (1..=100).contains(attempts));
        settings.attempts = attempts.ok_or_else(|| {
            Error::config(format!("STACKMILL_STORE_ATTEMPTS is `{text}`")).hint("give a number from 1 to 100")
        })?;
    }
    if let Some(text) = variable("STACKMILL_STORE_PART") {
        let bytes = parse_bytes(&text)?;
        if !(LEAST_PART..=1 << 30).contains(&bytes) {
            return Err(Error::config(format!("STACKMILL_STORE_PART is `{text}`")).hint("give a size from 5M to 1G"));
        }
        settings.part_bytes = bytes;
    }
    Ok(Stores::new(settings))
}

/// Where clones are kept between runs: `--cache`, else below the user's cache folder.
pub fn cache_folder() -> PathBuf {
    let base = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".cache")));
    base.unwrap_or_else(std::env::temp_dir).join("stackmill")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let home = variable("HOME").unwrap_or_default();
        assert_eq!(expand("~/a").ok(), Some(format!("{home}/a")));
        assert_eq!(expand("${STACKMILL_NOT_SET:-x}/b").ok().as_deref(), Some("x/b"));
        assert_eq!(expand("a/~/b").ok().as_deref(), Some("a/~/b"));
        assert!(expand("${STACKMILL_NOT_SET}").is_err() && expand("${OPEN").is_err());
    }
}
