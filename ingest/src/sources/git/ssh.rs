//! What the user's `ssh` is started with: fixed settings, the host, and git's own command; nothing that could be taken
//! for another setting.

use gix::bstr::ByteSlice;
use stackmill_schemas::{Error, Result};

/// Settings that a clone needs, whatever the user's own settings say: no question is asked, nothing else is opened.
const SETTINGS: [&str; 8] = [
    "BatchMode=yes",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RequestTTY=no",
    "SendEnv=GIT_PROTOCOL",
    "ServerAliveInterval=15",
];

/// The arguments of `ssh` for the repository at `url`; names that it could take for settings are refused.
pub(super) fn arguments(url: &gix::Url, timeout_seconds: u64) -> Result<Vec<String>> {
    let refused = |what: &str| Err(Error::input(format!("the {what} of an ssh URL cannot be used")));
    let host = match url.host() {
        Some(host) if is_plain(host) => host,
        _ => return refused("host"),
    };
    let place = match url.user() {
        Some(user) if is_plain(user) => format!("{user}@{host}"),
        Some(_) => return refused("user"),
        None => host.to_owned(),
    };
    let path = match url.path.to_str() {
        // As git has it: `/~user/x` is the home of a user of the server.
        Ok(path) => path.strip_prefix('/').filter(|path| path.starts_with('~')).unwrap_or(path),
        Err(_) => return refused("path"),
    };
    if path.is_empty() || path.starts_with('-') || path.chars().any(char::is_control) {
        return refused("path");
    }
    let settings = SETTINGS.iter().map(|setting| (*setting).to_owned());
    let settings = settings.chain([format!("ConnectTimeout={timeout_seconds}")]);
    let mut arguments: Vec<String> = settings.flat_map(|setting| ["-o".to_owned(), setting]).collect();
    arguments.extend(url.port.map(|port| format!("-p{port}")));
    arguments.extend(["--".to_owned(), place, format!("git-upload-pack {}", quoted(path))]);
    Ok(arguments)
}

/// Whether a name is nothing but a name.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:+".contains(c);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(plain)
}

/// A path as the shell of the server takes it for one word.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''").replace('!', "'\\!'"))
}

/// Whether what `ssh` complains about may go away by itself.
pub(super) fn is_transient(complaint: &str) -> bool {
    const PASSING: [&str; 8] = [
        "Connection closed",
        "Connection refused",
        "Connection reset",
        "Connection timed out",
        "Could not resolve hostname",
        "Network is unreachable",
        "No route to host",
        "Operation timed out",
    ];
    PASSING.iter().any(|words| complaint.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Option<Vec<String>> {
        let url = gix::url::parse(url).ok()?;
        arguments(&url, 60).ok()
    }

    #[test]
    fn a_command_is_made_of_nothing_but_the_url() {
        for (url, port, place, command) in [
            ("ssh://h/o/n.git", None, "h", "git-upload-pack '/o/n.git'"),
            ("ssh://me@h:2222/o/n", Some("-p2222"), "me@h", "git-upload-pack '/o/n'"),
            ("git@h:o/n", None, "git@h", "git-upload-pack 'o/n'"),
            ("ssh://h/~me/n", None, "h", "git-upload-pack '~me/n'"),
            ("git@h:o'$(x)!/n", None, "git@h", "git-upload-pack 'o'\\''$(x)'\\!'/n'"),
        ] {
            let found = of(url).unwrap_or_else(|| panic!("{url}"));
            let rest: Vec<&str> = found[18..].iter().map(String::as_str).collect();
            let expected: Vec<&str> = port.into_iter().chain(["--", place, command]).collect();
            assert_eq!(rest, expected, "{url}");
            assert_eq!(found[..2], ["-o", "BatchMode=yes"]);
        }
    }

    #[test]
    fn names_that_look_like_settings_are_refused() {
        for url in [
            "ssh://-oProxyCommand=x/o/n",
            "-oProxyCommand=x:o/n",
            "me@-oProxyCommand=x:o/n",
            "-lme@h:o/n",
            "ssh://-lme@h/o/n",
            "git@h:-o/n",
            "git@h:o\n/n",
            "git@h%00:o/n",
            "ssh://h$(x)/o/n",
        ] {
            assert_eq!(of(url), None, "{url}");
        }
    }

    #[test]
    fn complaints_are_passing_or_final() {
        for (words, passing) in [
            ("ssh: connect to host h port 22: Connection refused", true),
            ("ssh: Could not resolve hostname h: Temporary failure in name resolution", true),
            ("git@h: Permission denied (publickey).", false),
            ("Host key verification failed.", false),
        ] {
            assert_eq!(is_transient(words), passing, "{words}");
        }
    }
}
