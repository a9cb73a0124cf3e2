//! Issues of GitHub as BigCode collected them: an issue a row, its events a list; each becomes one conversation.
//!
//! ```text
//!   repo issue_number issue_id events[]{action author title comment description}
//!     ─► <issue_start>Title: …⏎username_0: …<issue_comment>username_1: …<issue_closed>     path: issues/12
//! ```
//! Before that, in this order: quoted mail is taken out, long texts are cut in their middle, events of bots go, and what is
//! left is counted for rules.
//!
//! Source: card of `bigcode/the-stack-github-issues`; `preprocessing/filtering_issues.py` with `utils/utils_issues.py` of
//! `bigcode-project/bigcode-dataset`; for the marks Lozhkov et al. 2024, arXiv 2402.19173, section 5.3.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stackmill_schemas::columns as ours;

use super::super::columns::EVENTS as CONTENT_EVENTS;
use super::super::events::Event;
use super::super::record::Record;
use super::{Format, PLAIN, Settings, mail, names};
use crate::sources::told::Told;

pub(super) const FORMAT: Format = Format {
    names: names! {
        EVENTS: "events";
        PATH: "issue_number";
        REPO_NAME: "repo" | "repo_name";
        REVISION_ID: "issue_id";
        LICENSE: "license" | "licenses";
    },
    describe,
    content: CONTENT_EVENTS,
    is_conversation: true,
    ..PLAIN
};

/// Lines at the end of a long text that stay.
const LAST_LINES: u32 = 20;

/// Stands for the middle of a text.
const TRUNCATED: &str = "[Truncated]";

/// What becomes of the conversation in an issue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Conversation {
    /// Most lines of one comment: of a longer one the first and the last 20 stay, with `[Truncated]` between. 80 is what
    /// BigCode's code has; the paper says 100.
    pub lines: u32,
    /// Whether users become `username_0`, `username_1`, … where their names stand alone.
    pub anonymous: bool,
    /// Whether text before a quotation without an end is there twice, a call of a bot goes only after another bot's event,
    /// and bots called `…-Service-Account` stay, as in BigCode's code.
    pub compat: bool,
}

impl Default for Conversation {
    fn default() -> Self {
        Self {
            lines: 80,
            anonymous: true,
            compat: false,
        }
    }
}

impl Conversation {
    /// Refuses a limit that has no room for the end of a text.
    pub(in crate::sources) fn check(&self) -> stackmill_schemas::Result<()> {
        match self.lines >= LAST_LINES {
            true => Ok(()),
            false => Err(
                stackmill_schemas::Error::config(format!("source: `conversation.lines` is {}", self.lines))
                    .hint(format!("the last {LAST_LINES} lines stay: give at least as many")),
            ),
        }
    }
}

/// Users whose events go.
const BOTS: [&str; 15] = [
    "Apache-HBase",
    "AutorestCI",
    "CLAassistant",
    "cmsbuild",
    "codecov-io",
    "codecov-commenter",
    "coveralls",
    "danger-public",
    "dnfclas",
    "msftclas",
    "PyDocTeur",
    "SparkQA",
    "karma-pr-reporter",
    "claassistantio",
    "probot-stale",
];
/// Parts of such users' names, in any case.
const BOT_PARTS: [&str; 7] = ["[bot]", "botmanager", "bors-", "jenkins", "k8s-", "-test-", "travis"];
/// Ends of such users' names, in any case.
const BOT_ENDS: [&str; 12] = [
    "-automaton",
    "-automation",
    "-benchmark",
    "-build",
    "-deployer",
    "-cloud",
    "bot",
    "-ci",
    "-linter",
    "-teamcity",
    "-test",
    "-testing",
];
/// One more, which the original never finds: it is compared with names in lower case.
const BOT_END: &str = "-service-account";

fn describe(record: &mut Record<'_>, settings: &Settings) {
    let Some(mut events) = record.events.take() else {
        return;
    };
    let title = events
        .iter()
        .find_map(|event| event.title.clone().filter(|title| !title.is_empty()));
    let said = said(&mut events, &settings.conversation);
    let users: BTreeSet<&str> = said.iter().map(|said| said.author.as_str()).collect();
    let characters = said.iter().map(|said| said.text.chars().count()).sum();
    let told = Told::default()
        .number(ours::CONVERSATION_CHARACTERS, characters)
        .number(ours::CONVERSATION_EVENTS, said.len())
        .number(ours::CONVERSATION_USERS, users.len());
    record.told = Some(told);
    record.path = record
        .path
        .take()
        .map(|number| Cow::Owned([b"issues/", &*number].concat()));
    let content = rendered(&title.unwrap_or_default(), &said, settings.conversation.anonymous);
    record.content = Some(Cow::Owned(content.into_bytes()));
}

/// What somebody wrote or did.
struct Said {
    author: String,
    text: String,
    closes: bool,
}

/// What is left of the events.
fn said(events: &mut [Event], settings: &Conversation) -> Vec<Said> {
    let mut all = Vec::with_capacity(events.len());
    for event in events {
        let text = mail::stripped(&event.take_text(), settings.compat);
        all.push(Said {
            author: event.author.take().unwrap_or_default(),
            text: shortened(text, settings.lines as usize, TRUNCATED),
            closes: event.action.as_deref() == Some("closed"),
        });
    }
    without_bots(all, settings.compat)
}

/// A text of more than `most` lines with `mark` for its middle.
pub(super) fn shortened(text: String, most: usize, mark: &str) -> String {
    let ends = || memchr::memchr_iter(b'\n', text.as_bytes());
    if ends().count() < most {
        return text;
    }
    let last = ends().rev().nth(LAST_LINES as usize - 1).unwrap_or_default();
    // With no line at the front, only its end is there.
    let first = match most - LAST_LINES as usize {
        0 => 0,
        lines => ends().nth(lines - 1).unwrap_or_default(),
    };
    format!("{}\n{mark}\n{}", &text[..first], &text[last + 1..])
}

/// Whether a user is a bot, by name.
pub(super) fn is_bot(author: &str, compat: bool) -> bool {
    let lower = author.to_lowercase();
    BOT_PARTS.iter().any(|part| lower.contains(part))
        || BOT_ENDS.iter().any(|end| lower.ends_with(end))
        || BOTS.contains(&author)
        || (!compat && lower.ends_with(BOT_END))
}

/// Without events of bots, and without the comment before one that calls it.
fn without_bots(all: Vec<Said>, compat: bool) -> Vec<Said> {
    let mut kept: Vec<Said> = Vec::with_capacity(all.len());
    // The last event of a bot, by its number.
    let mut last: Option<usize> = None;
    for (i, said) in all.into_iter().enumerate() {
        if !is_bot(&said.author, compat) {
            kept.push(said);
            continue;
        }
        let follows_a_person = i > 0 && last.is_none_or(|last| last + 1 < i);
        let is_sought = !compat || last.is_some_and(|last| last > 0);
        let calls = |before: &Said| before.text.contains(&said.author) || before.text.starts_with('/');
        if follows_a_person && is_sought && kept.last().is_some_and(calls) {
            kept.pop();
        }
        last = Some(i);
    }
    kept
}

fn rendered(title: &str, said: &[Said], anonymous: bool) -> String {
    let mut users = BTreeMap::new();
    for said in said {
        let next = users.len();
        users.entry(said.author.as_str()).or_insert(next);
    }
    let masked = |text: &str| match anonymous {
        true => masked(text, &users),
        false => text.to_owned(),
    };
    let mut content = format!("<issue_start>Title: {}", masked(title));
    let mut mark = "\n";
    for said in said {
        if said.closes {
            content.push_str("<issue_closed>");
            mark = "<issue_comment>";
        }
        if !said.text.is_empty() {
            let name = match users.get(said.author.as_str()) {
                Some(number) if anonymous => format!("username_{number}"),
                _ => said.author.clone(),
            };
            content.extend([mark, &name, ": ", &masked(&said.text)]);
            mark = "<issue_comment>";
        }
    }
    content
}

/// A text with the names of users replaced where they stand alone: in runs of letters, digits, `-` and `_`, of which the
/// last two may be around a name.
pub(super) fn masked(text: &str, users: &BTreeMap<&str, usize>) -> String {
    let is_name = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_');
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_name) {
        let end = rest[start..]
            .find(|character| !is_name(character))
            .map_or(rest.len(), |length| start + length);
        let run = &rest[start..end];
        let bare = run.trim_matches(['-', '_']);
        let name = if users.contains_key(run) { run } else { bare };
        done.push_str(&rest[..start]);
        match users.get(name).filter(|_| !name.is_empty()) {
            Some(number) => done.push_str(&run.replacen(name, &format!("username_{number}"), 1)),
            None => done.push_str(run),
        }
        rest = &rest[end..];
    }
    done.push_str(rest);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(author: &str, comment: &str) -> Event {
        Event {
            author: Some(author.to_owned()),
            comment: Some(comment.to_owned()),
            ..Event::default()
        }
    }

    fn content(events: Vec<Event>, settings: Conversation) -> (String, Option<Told>) {
        let mut record = Record {
            events: Some(events),
            path: Some(Cow::Borrowed(b"12")),
            ..Record::default()
        };
        let settings = Settings {
            conversation: settings,
            ..Settings::default()
        };
        describe(&mut record, &settings);
        assert_eq!(record.path.as_deref(), Some(&b"issues/12"[..]));
        let content = record.content.unwrap_or_default().into_owned();
        (String::from_utf8(content).expect("text"), record.told)
    }

    fn told(characters: usize, events: usize, users: usize) -> Option<Told> {
        let told = Told::default().number(ours::CONVERSATION_CHARACTERS, characters);
        let told = told.number(ours::CONVERSATION_EVENTS, events);
        Some(told.number(ours::CONVERSATION_USERS, users))
    }

    #[test]
    fn an_issue_is_written_as_the_paper_has_it() {
        let opened = Event {
            title: Some("It fails, ann".to_owned()),
            description: Some("see @bob".to_owned()),
            ..event("ann", "")
        };
        let closed = Event {
            action: Some("closed".to_owned()),
            ..event("bob", "")
        };
        let events = vec![opened, event("bob", "ann: _ann_, bobsled"), closed, event("ann", "ok")];
        let (text, counts) = content(events.clone(), Conversation::default());
        assert_eq!(
            text,
            "<issue_start>Title: It fails, username_0\nusername_0: see @username_1<issue_comment>username_1: username_0: \
             _username_0_, bobsled<issue_closed><issue_comment>username_0: ok"
        );
        assert_eq!(counts, told(8 + 19 + 2, 4, 2));
        let named = Conversation {
            anonymous: false,
            ..Conversation::default()
        };
        assert!(content(events, named).0.ends_with("<issue_comment>ann: ok"));
    }

    #[test]
    fn long_texts_lose_their_middle() {
        let lines = |count: usize| (0..count).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(shortened(lines(80), 80, TRUNCATED), lines(80));
        let cut = shortened(lines(81), 80, TRUNCATED);
        assert!(cut.contains("\n59\n[Truncated]\n61\n") && cut.ends_with("\n80"));
        assert!(shortened(lines(21), 20, TRUNCATED).starts_with("\n[Truncated]\n1\n"));
        let config = |lines| Conversation {
            lines,
            ..Conversation::default()
        };
        assert!(config(20).check().is_ok() && config(19).check().is_err());
    }

    #[test]
    fn bots_go_and_so_do_calls_of_them() {
        for (name, bot) in [
            ("dependabot", true),
            ("K8s-robot", true),
            ("x-CI", true),
            ("coveralls", true),
            ("Coveralls", false),
            ("a-Service-Account", true),
            ("robert", false),
            ("", false),
        ] {
            assert_eq!(is_bot(name, false), bot, "{name}");
        }
        assert!(!is_bot("a-Service-Account", true));
        let events = || {
            vec![
                event("ann", "hello"),
                event("ann", "/retest"),
                event("x-bot", "done"),
                event("ann", "thank you"),
                event("bob", "@x-bot again"),
                event("x-bot", "done"),
            ]
        };
        let (_, counts) = content(events(), Conversation::default());
        assert_eq!(counts, told(5 + 9, 2, 1));
        let compat = Conversation {
            compat: true,
            ..Conversation::default()
        };
        assert_eq!(
            content(events(), compat).1,
            told(5 + 7 + 9, 3, 1),
            "the first call stays"
        );
        let (text, counts) = content(vec![event("x-bot", "a")], Conversation::default());
        assert_eq!((text.as_str(), counts), ("<issue_start>Title: ", told(0, 0, 0)));
    }
}
