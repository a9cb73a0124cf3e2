//! The only place that reads the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use stackmill_ingest::network::{self, Login, Network};
use stackmill_ingest::store::{Settings, Stores};
use stackmill_schemas::{Error, Result, ResultExt};

use crate::runner::Waiters;
use crate::ssh::UserSsh;

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

/// The name beside a token, which hosts do not look at.
const ANY_USER: &str = "x-access-token";

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

/// The ways to servers of repositories, with the logins that the environment names.
pub fn network() -> Result<Network> {
    Ok(Network::new(network::Settings {
        ssh: Some(Arc::new(UserSsh)),
        crew: Some(Arc::new(Waiters)),
        logins: logins()?,
    }))
}

/// Logins by host: of the netrc file that `STACKMILL_NETRC` names, then tokens of the variables that
/// `STACKMILL_GIT_LOGINS` names, as in `github.com=GITHUB_TOKEN,git.example.com:8443=me:MY_TOKEN`.
fn logins() -> Result<BTreeMap<String, Login>> {
    let mut logins = match variable("STACKMILL_NETRC") {
        Some(path) => netrc(&std::fs::read_to_string(&path).with_context(|| format!("STACKMILL_NETRC: {path}"))?),
        None => BTreeMap::new(),
    };
    for item in variable("STACKMILL_GIT_LOGINS").iter().flat_map(|text| text.split(',')) {
        let (host, login) = item.trim().split_once('=').ok_or_else(|| {
            Error::config("STACKMILL_GIT_LOGINS cannot be read")
                .hint("write it as github.com=GITHUB_TOKEN,host=user:NAME")
        })?;
        let (user, name) = login.split_once(':').unwrap_or((ANY_USER, login));
        let (user, password) = (user.to_owned(), named(name)?);
        logins.insert(host.to_owned(), Login { user, password });
    }
    Ok(logins)
}

/// The logins of a netrc file; a default for all hosts is passed over.
fn netrc(text: &str) -> BTreeMap<String, Login> {
    let mut logins = BTreeMap::new();
    let mut host = None;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut words = lines.flat_map(str::split_whitespace);
    while let Some(word) = words.next() {
        match (word, &host) {
            ("machine", _) => host = words.next().map(str::to_owned),
            ("default" | "macdef", _) => host = None,
            ("login" | "password" | "account", Some(machine)) => {
                let Some(value) = words.next() else { break };
                let login: &mut Login = logins.entry(machine.clone()).or_insert_with(|| Login {
                    user: ANY_USER.to_owned(),
                    password: String::new(),
                });
                match word {
                    "login" => login.user = value.to_owned(),
                    "password" => login.password = value.to_owned(),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    logins
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
    fn netrc_files_name_logins_by_host() {
        let text = "# mine\nmachine a.example login me password one\nmachine b.example\n  password two # x\n\
                    default login anonymous password three\n";
        let logins = netrc(text);
        let of = |host: &str| {
            logins
                .get(host)
                .map(|login| (login.user.as_str(), login.password.as_str()))
        };
        assert_eq!(of("a.example"), Some(("me", "one")));
        assert_eq!(of("b.example"), Some((ANY_USER, "two")));
        assert_eq!(logins.len(), 2, "nothing is sent to all hosts");
    }

    #[test]
    fn variables_are_filled_in() {
        let home = variable("HOME").unwrap_or_default();
        assert_eq!(expand("~/a").ok(), Some(format!("{home}/a")));
        assert_eq!(expand("${STACKMILL_NOT_SET:-x}/b").ok().as_deref(), Some("x/b"));
        assert_eq!(expand("a/~/b").ok().as_deref(), Some("a/~/b"));
        assert!(expand("${STACKMILL_NOT_SET}").is_err() && expand("${OPEN").is_err());
    }
}
