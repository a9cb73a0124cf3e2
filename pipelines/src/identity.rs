//! What identifies the data in a folder, and the refusal of another run's, saying what differs.

use serde::{Deserialize, Serialize};
use stackmill_schemas::lock::Lock;
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, Result, fingerprint};

use crate::exchange::Carriage;
use crate::output::Output;
use crate::place::RUN;
use crate::workdir::Workdir;
use crate::{lock, publish};

/// The name in scratch of who carries rows.
const CARRIAGE: &str = "carriage";

/// What identifies the data in a folder; another one's is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Fingerprint of everything below.
    pub fingerprint: String,
    /// The program's own version.
    pub version: String,
    /// Fingerprint of the lock.
    pub lock: String,
    /// The recipe, resolved.
    pub config: serde_json::Value,
}

impl Identity {
    /// Of a resolved recipe over a lock.
    pub fn new(config: serde_json::Value, lock: &Lock) -> Result<Self> {
        let version = format!(
            "{} columns {}",
            env!("CARGO_PKG_VERSION"),
            stackmill_schemas::columns::VERSION
        );
        let lock = fingerprint::of(lock)?;
        let fingerprint = fingerprint::of(&(&version, &lock, &config))?;
        Ok(Self {
            fingerprint,
            version,
            lock,
            config,
        })
    }

    /// What differs from `other`, in words.
    fn differences(&self, other: &Self) -> Vec<String> {
        let mut words = Vec::new();
        if self.version != other.version {
            words.push(format!(
                "program version: {} there, {} now",
                other.version, self.version
            ));
        }
        if self.lock != other.lock {
            words.push("sources.lock: the sources are not the same".to_owned());
        }
        differing(&other.config, &self.config, "", &mut words);
        words
    }
}

/// Adds the settings that differ, by their full names.
fn differing(there: &serde_json::Value, now: &serde_json::Value, at: &str, words: &mut Vec<String>) {
    match (there, now) {
        (serde_json::Value::Object(a), serde_json::Value::Object(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let null = serde_json::Value::Null;
                let below = if at.is_empty() {
                    key.clone()
                } else {
                    format!("{at}.{key}")
                };
                differing(a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null), &below, words);
            }
        }
        (a, b) if a != b => words.push(format!("{at}: {a} there, {b} now")),
        _ => {}
    }
}

/// The manifest, if this very run is complete; another run's data set is refused.
pub fn already_done(out: &Output, identity: &Identity) -> Result<Option<Manifest>> {
    let Some(manifest) = out.load::<Manifest>(publish::MANIFEST)? else {
        return Ok(None);
    };
    if manifest.fingerprint == identity.fingerprint {
        return Ok(Some(manifest));
    }
    let lock = lock::read(out)?.map_or(Ok(String::new()), |lock| fingerprint::of(&lock))?;
    let there = Identity {
        fingerprint: manifest.fingerprint,
        config: manifest.config,
        lock,
        version: identity.version.clone(),
    };
    Err(refuse(out, &identity.differences(&there)))
}

fn refuse(out: &Output, differences: &[String]) -> Error {
    let listed = match differences {
        [] => "  another version of the program or of the sources".to_owned(),
        some => format!("  {}", some.join("\n  ")),
    };
    Error::config(format!("{} holds the data of another run:\n{listed}", out.uri()))
        .hint("choose another --out, or start over there with --replace")
}

/// Makes sure that no other run's data is in scratch, and none that whoever carries rows now cannot go on with.
pub fn identify(workdir: &Workdir, identity: &Identity, carriage: Carriage) -> Result<()> {
    let there = is_identified(workdir, identity)?;
    // Nothing is done yet: whoever comes may begin.
    if !there || workdir.place.files("done")?.is_empty() {
        workdir.save(CARRIAGE, &carriage)?;
    }
    check_carriage(workdir, carriage)?;
    match there {
        true => Ok(()),
        false => workdir.save(RUN, identity),
    }
}

/// Refuses to go on with a run whose rows on their way another engine has lost, or never had.
pub fn check_carriage(workdir: &Workdir, carriage: Carriage) -> Result<()> {
    let there = workdir.load::<Carriage>(CARRIAGE)?.unwrap_or(Carriage::Files);
    if there == carriage {
        return Ok(());
    }
    let (message, engines) = match there {
        Carriage::Files => (
            "its rows between steps are in files",
            "`stackmill run` or `stackmill task`",
        ),
        Carriage::Engine => ("its rows between steps are not in files", "the cluster engine"),
    };
    Err(Error::config(format!("another engine has begun this run: {message}"))
        .context(workdir.out.uri().to_string())
        .hint(format!("finish it with {engines}, or start over here with --replace")))
}

/// Whether this run's data is in scratch; another one's is refused.
pub fn is_identified(workdir: &Workdir, identity: &Identity) -> Result<bool> {
    match workdir.load::<Identity>(RUN)? {
        Some(there) if there.fingerprint != identity.fingerprint => {
            Err(refuse(&workdir.out, &identity.differences(&there)))
        }
        there => Ok(there.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_carried_by_one_kind_of_engine_once_a_task_is_done() {
        let folder = std::env::temp_dir().join(format!("stackmill-identity-{}", std::process::id()));
        let workdir = Workdir::create(&folder, &folder.join(".work"), u64::MAX).expect("a temporary folder");
        let identity = Identity {
            fingerprint: "f".to_owned(),
            version: "v".to_owned(),
            lock: "l".to_owned(),
            config: serde_json::Value::Null,
        };
        for carriage in [Carriage::Files, Carriage::Engine] {
            identify(&workdir, &identity, carriage).expect("nothing is done yet");
            check_carriage(&workdir, carriage).expect("the one that was identified");
        }
        workdir.save("done/list-00000", &1).expect("saved");
        identify(&workdir, &identity, Carriage::Engine).expect("the same again");
        let error = identify(&workdir, &identity, Carriage::Files).expect_err("rows are not in files");
        assert!(
            error
                .hint_text()
                .is_some_and(|hint| hint.contains("the cluster engine"))
        );
        let other = Identity {
            fingerprint: "g".to_owned(),
            ..identity
        };
        assert!(identify(&workdir, &other, Carriage::Engine).is_err(), "another run");
        std::fs::remove_dir_all(folder).expect("deleted");
    }
}
