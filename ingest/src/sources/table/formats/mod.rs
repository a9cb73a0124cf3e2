//! Published data sets as they are: what their columns are called, what has to be taken off, and where contents are.
//!
//! One file and one word a format. A format's names are the only ones that are looked for, unless a recipe maps others.
//!
//! ```text
//!   Layout ─┬─ names      whose column is which; `meta.pile_set_name` lies in an object or a struct
//!           ├─ format     what this data set does in its own way
//!           ├─ sets       which of its parts are wanted
//!           └─ elsewhere  where contents are, if not in the table
//! ```

mod elsewhere;
mod mail;
mod pull_files;

use std::borrow::Cow;

use stackmill_schemas::{Error, Result};

pub use self::commitpack::Change;
use self::elsewhere::Elsewhere;
pub use self::github_issues::Conversation;
use super::super::Setup;
use super::super::config::SourceConfig;
use super::super::contents::{Contents, Wanted};
use super::columns::{CONTENT, KEY, Names};
use super::record::Record;

/// What a published data set does in its own way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    /// The names of our columns, by their places in [`super::columns`].
    names: fn(usize) -> &'static [&'static str],
    /// Bytes in front of a content that are none of it.
    prefix: fn(&[u8]) -> usize,
    /// Fills in what is said of a row in one piece.
    describe: fn(&mut Record<'_>, &Settings),
    /// The column without which a table is none, by its place in [`super::columns`]: of contents, of the keys of those
    /// elsewhere, or of what contents are made of.
    content: usize,
    /// The column that lists the files of a repository, where a row is one.
    pub(super) files: Option<&'static str>,
    /// Sets that are wanted where a recipe names none; empty where there are no sets.
    sets: &'static [&'static str],
    /// Whether a row is an issue, for which there are settings.
    is_conversation: bool,
    /// Whether a row is a commit, for which there are settings.
    is_change: bool,
}

/// Settings of what contents are made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Settings {
    conversation: Conversation,
    change: Change,
}

impl Settings {
    fn of(config: &SourceConfig) -> Result<Self> {
        let settings = Self {
            conversation: config.conversation.clone().unwrap_or_default(),
            change: config.change.clone().unwrap_or_default(),
        };
        settings.conversation.check()?;
        settings.change.check()?;
        Ok(settings)
    }
}

/// A table with one file a row and nothing peculiar.
const PLAIN: Format = Format {
    names: super::columns::in_use,
    prefix: |_| 0,
    describe: |_, _| {},
    content: CONTENT,
    files: None,
    sets: &[],
    is_conversation: false,
    is_change: false,
};

macro_rules! formats {
    ($($module:ident: $name:literal;)*) => {
        $(mod $module;)*

        /// The formats that a recipe can name.
        const FORMATS: &[(&str, Format)] = &[$(($name, $module::FORMAT)),*];
    };
}
formats! {
    codeparrot: "codeparrot";
    commitpack: "commitpack";
    github_issues: "github-issues";
    github_pull_requests: "github-pull-requests";
    roots: "roots";
    starcoderdata: "starcoderdata";
    the_pile: "the-pile";
    the_stack_v1: "the-stack-v1";
    the_stack_v2: "the-stack-v2";
    the_stack_v3: "the-stack-v3";
}

/// How the rows of a source's tables become files.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) names: Names,
    pub(super) format: Format,
    sets: Vec<String>,
    elsewhere: Option<Elsewhere>,
    settings: Settings,
}

impl Layout {
    /// The layout that the settings of a source ask for.
    pub(super) fn new(setup: &Setup) -> Result<Self> {
        let config = &setup.config;
        let format = match &config.format {
            None => PLAIN,
            Some(name) => find(name)?,
        };
        refuse_what_it_has_not(config, &format)?;
        let sets = match config.sets.is_empty() {
            true => format.sets.iter().map(|&set| set.to_owned()).collect(),
            false => config.sets.clone(),
        };
        Ok(Self {
            names: Names::new(&config.columns, format.names, (config.format.is_some(), format.content))?,
            format,
            sets,
            elsewhere: config
                .contents
                .as_deref()
                .map(|place| Elsewhere::new(setup, place))
                .transpose()?,
            settings: Settings::of(config)?,
        })
    }

    /// Whether contents are not in the table.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// Whether contents are made of several columns.
    pub(super) fn is_made(&self) -> bool {
        self.format.is_conversation || self.format.is_change
    }

    /// A row as a file: without what is put in front of contents, and passed over where its set is not wanted.
    pub(super) fn file<'a>(&self, mut record: Record<'a>) -> Record<'a> {
        (self.format.describe)(&mut record, &self.settings);
        record.content = record.content.map(|content| self.without_prefix(content));
        if !self.sets.is_empty() {
            let set = String::from_utf8_lossy(record.set.as_deref().unwrap_or_default()).into_owned();
            if !self.sets.contains(&set) {
                record.passed_over = Some(format!("set `{}` is not wanted", set.escape_default()));
            }
        }
        record
    }

    fn without_prefix<'a>(&self, content: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
        match (content, (self.format.prefix)) {
            (Cow::Borrowed(bytes), prefix) => Cow::Borrowed(&bytes[prefix(bytes)..]),
            (Cow::Owned(mut bytes), prefix) => {
                bytes.drain(..prefix(&bytes));
                Cow::Owned(bytes)
            }
        }
    }

    /// Answers for row `i` of what is wanted: `cell` is its content, or the key of a content elsewhere.
    pub(super) fn answer(
        &self,
        cell: Option<&[u8]>,
        wanted: &Wanted<'_>,
        i: usize,
        contents: &mut Contents<'_, '_>,
    ) -> Result<()> {
        match (cell, &self.elsewhere) {
            (None, _) => contents.trouble(wanted.file_id(i), "no content"),
            (Some(content), None) => contents.checked(wanted, i, &content[(self.format.prefix)(content)..]),
            (Some(key), Some(elsewhere)) => match elsewhere.bring(key, wanted, i)? {
                Ok(content) => contents.checked(wanted, i, &content),
                Err(trouble) => contents.trouble(wanted.file_id(i), &trouble),
            },
        }
    }
}

fn find(name: &str) -> Result<Format> {
    let found = FORMATS.iter().find(|(known, _)| *known == name);
    found.map(|(_, format)| *format).ok_or_else(|| {
        let known: Vec<&str> = FORMATS.iter().map(|(known, _)| *known).collect();
        Error::config(format!("source: there is no format `{name}`"))
            .hint(format!("the formats are `{}`", known.join("`, `")))
    })
}

fn refuse_what_it_has_not(config: &SourceConfig, format: &Format) -> Result<()> {
    let name = config.format.as_deref().unwrap_or("none");
    for (key, is_set, has) in [
        ("conversation", config.conversation.is_some(), format.is_conversation),
        ("change", config.change.is_some(), format.is_change),
    ] {
        if is_set && !has {
            return Err(Error::config(format!("source: format `{name}` has no `{key}`"))
                .hint("`conversation` is a setting of `github-issues`, `change` of `commitpack`, both of `github-pull-requests`"));
        }
    }
    let is_without_contents = format.content == KEY;
    if is_without_contents != config.contents.is_some() {
        let error = Error::config(format!("source: format `{name}` and `contents` do not go together"));
        return Err(error.hint(match is_without_contents {
            true => {
                "its tables hold no contents: say where they are, as in `contents = \"s3://bucket/content/{blob_id}\"`"
            }
            false => "its tables hold their contents: leave `contents` out",
        }));
    }
    match !config.sets.is_empty() && format.sets.is_empty() {
        true => Err(Error::config(format!("source: format `{name}` has no `sets`"))
            .hint("`sets` is a setting of the formats that have some, as `the-pile`")),
        false => Ok(()),
    }
}

/// The names of a format's columns, from pairs of a place and the names there; ours that are not among them are nowhere.
macro_rules! names {
    ($($ours:ident: $($name:literal)|+;)*) => {
        |ours| match ours {
            $($crate::sources::table::columns::$ours => &[$($name),+],)*
            _ => &[],
        }
    };
}
use names;

#[cfg(test)]
mod tests;
