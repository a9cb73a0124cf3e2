//! Pull requests of GitHub as BigCode's code joins them: a pull request a row, its events a list, its changed files another.
//!
//! ```text
//!   pull_request.guid repo_name pr_count_per_repo events[]{type action actor.login title text …}
//!   head_base_files[]{base_path base_language base_content head_content}
//!     ─► <pr>Title: …⏎username_0: …<pr_status>opened<repo_name>o/n
//!        <pr_base><pr_file>a.py<pr_base_code>…<pr_diff><pr_file>a.py<pr_diff_hunk>@@ … @@…
//!        <pr_comment>username_1: …<pr_event_id>7<pr>username_0<pr_status>closed<pr_is_merged>True     path: pull/12
//! ```
//! One set of changed files a row, one hunk a file: from its first changed line to its last. Events of bots go.
//!
//! Source: Lozhkov et al. 2024, arXiv 2402.19173, sections 2.3 and 5.2; `pull_requests_and_issues/{render,process_pr_events,
//! process_commit_pairs}.py` of `bigcode-project/the-stack-v2`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use stackmill_schemas::columns as ours;

use super::super::columns::PULL_EVENTS as CONTENT_EVENTS;
use super::super::pulls::PullEvent;
use super::super::record::Record;
use super::github_issues::{is_bot, masked, shortened};
use super::pull_files::{Shown, files_of};
use super::{Format, PLAIN, Settings, mail, names};
use crate::sources::told::Told;

pub(super) const FORMAT: Format = Format {
    names: names! {
        PULL_EVENTS: "events";
        CHANGED_FILES: "head_base_files";
        PATH: "pull_request.guid";
        REPO_NAME: "repo_name";
        SIBLINGS: "pr_count_per_repo";
        LICENSE: "license" | "licenses";
    },
    describe,
    content: CONTENT_EVENTS,
    is_conversation: true,
    is_change: true,
    ..PLAIN
};

/// Most characters of a title, of a text, and of the hunk that a comment on code quotes; of the first two the rest is cut.
const LONGEST_TITLE: usize = 500;
const LONGEST_TEXT: usize = 1000;
const LONGEST_HUNK: usize = 10_000;
/// Fewest characters of a title and of a text.
const SHORTEST_TITLE: usize = 10;
const SHORTEST_TEXT: usize = 20;
/// Stands for what is left out.
const OMITTED: &str = "[OMITTED]";

fn describe(record: &mut Record<'_>, settings: &Settings) {
    let (Some(events), Some(files)) = (record.pull_events.take(), record.changed_files.take()) else {
        return;
    };
    let guid = String::from_utf8_lossy(record.path.as_deref().unwrap_or_default()).into_owned();
    let (repository, number) = guid.rsplit_once("/pull/").unwrap_or(("", &guid));
    if record.repo_name.is_none() && !repository.is_empty() {
        record.repo_name = Some(Cow::Owned(repository.as_bytes().to_vec()));
    }
    let repository = String::from_utf8_lossy(record.repo_name.as_deref().unwrap_or_default()).into_owned();
    record.path = Some(Cow::Owned(format!("pull/{number}").into_bytes()));
    let pull = Pull {
        repository: &repository,
        files: files_of(&files, &settings.change),
        users: users(&events),
        settings,
    };
    let (content, told) = (pull.rendered(&events), told(&events, &pull));
    record.told = Some(match record.siblings.and_then(|count| usize::try_from(count).ok()) {
        Some(count) => told.number(ours::PULL_SIBLINGS, count),
        None => told,
    });
    record.content = Some(Cow::Owned(content.into_bytes()));
}

/// What rules are told.
fn told(events: &[PullEvent], pull: &Pull<'_>) -> Told {
    let is_pull = |event: &&PullEvent| event.is("PullRequestEvent");
    let by_bot = events
        .iter()
        .filter(is_pull)
        .any(|event| event.does("opened") && event.by_bot());
    let merged = events.iter().any(|event| event.merged == Some(true));
    let approved = events.iter().any(|event| event.state.as_deref() == Some("approved"));
    let bases: BTreeSet<&str> = events
        .iter()
        .filter_map(|event| event.base_commit_id.as_deref())
        .collect();
    let comments = events
        .iter()
        .filter(|event| !event.by_bot() && !event.is("PullRequestEvent"));
    let opening = opening(events).map(|at| &events[at]);
    let title = opening.and_then(|event| event.title.as_deref()).unwrap_or_default();
    let description = opening.and_then(|event| event.text.as_deref()).unwrap_or_default();
    Told::default()
        .number(ours::PULL_BY_BOT, usize::from(by_bot))
        .number(ours::PULL_ACCEPTED, usize::from(merged || approved))
        .number(ours::PULL_REBASES, bases.len().saturating_sub(1 + usize::from(merged)))
        .number(ours::PULL_COMMENTS, comments.count())
        .number(ours::PULL_FILES, pull.files.len())
        .text(ours::PULL_TITLE, title)
        .text(
            ours::PULL_DESCRIPTION,
            &without_hidden(&mail::stripped(description, pull.settings.conversation.compat)),
        )
}

/// The event that opens a pull request; there may be others before it.
fn opening(events: &[PullEvent]) -> Option<usize> {
    let is_pull = |event: &PullEvent| event.is("PullRequestEvent");
    let opened = events.iter().position(|event| is_pull(event) && event.does("opened"));
    opened.or_else(|| events.iter().position(is_pull))
}

/// People by name, with the order in which they come.
fn users(events: &[PullEvent]) -> BTreeMap<&str, usize> {
    let mut users = BTreeMap::new();
    for event in events.iter().filter(|event| !event.by_bot()) {
        let next = users.len();
        users.entry(event.user()).or_insert(next);
    }
    users
}

impl PullEvent {
    fn is(&self, kind: &str) -> bool {
        self.kind.as_deref() == Some(kind)
    }

    fn does(&self, action: &str) -> bool {
        self.action.as_deref() == Some(action)
    }

    fn user(&self) -> &str {
        self.author.as_deref().unwrap_or_default()
    }

    fn by_bot(&self) -> bool {
        self.is_bot.unwrap_or_else(|| is_bot(self.user(), false))
    }
}

/// What a pull request is written from.
struct Pull<'a> {
    repository: &'a str,
    files: Vec<Shown<'a>>,
    users: BTreeMap<&'a str, usize>,
    settings: &'a Settings,
}

impl Pull<'_> {
    fn rendered(&self, events: &[PullEvent]) -> String {
        let Some(first) = opening(events) else {
            return String::new();
        };
        let mut content = self.headed(&events[first], true).unwrap_or_default();
        content.extend(["<pr_status>opened<repo_name>", self.repository, "<pr_base>"]);
        for file in &self.files {
            content.extend(["<pr_file>", file.path, "<pr_base_code>", &file.base]);
        }
        content.push_str("<pr_diff>");
        for file in &self.files {
            content.extend(["<pr_file>", file.path, "<pr_diff_hunk>", &file.hunk]);
        }
        for event in events[first + 1..].iter().filter(|event| !event.by_bot()) {
            let part = match event.kind.as_deref() {
                Some("PullRequestEvent") => self.turn(event),
                Some("IssueCommentEvent") => self.comment(event),
                Some("PullRequestReviewEvent") => Some(self.review(event)),
                Some("PullRequestReviewCommentEvent") => self.remark(event),
                _ => None,
            };
            content.push_str(&part.unwrap_or_default());
        }
        content
    }

    fn name(&self, event: &PullEvent) -> String {
        match self.users.get(event.user()) {
            Some(number) if self.settings.conversation.anonymous => format!("username_{number}"),
            _ => event.user().to_owned(),
        }
    }

    fn masked(&self, text: &str) -> String {
        match self.settings.conversation.anonymous {
            true => masked(text, &self.users),
            false => text.to_owned(),
        }
    }

    /// Title and description; none where one of them is too short, unless they open the pull request: then rules decide.
    fn headed(&self, event: &PullEvent, opens: bool) -> Option<String> {
        let title = event.title.as_deref().unwrap_or_default();
        let text = self.text(event, if opens { 0 } else { SHORTEST_TEXT });
        if !opens && (title.chars().count() < SHORTEST_TITLE || text.is_none()) {
            return None;
        }
        let (title, name) = (self.masked(cut(title, LONGEST_TITLE)), self.name(event));
        let text = text
            .filter(|text| !text.is_empty())
            .map_or_else(String::new, |text| format!(": {text}"));
        Some(format!("<pr>Title: {title}\n{name}{text}"))
    }

    /// What was written; none where it is shorter than `least`, or an advertisement.
    fn text(&self, event: &PullEvent, least: usize) -> Option<String> {
        let settings = &self.settings.conversation;
        let text = mail::stripped(event.text.as_deref().unwrap_or_default(), settings.compat);
        if text.contains("Qwiet") {
            return None;
        }
        if text.to_lowercase().contains("codecov") {
            return Some(format!("{OMITTED}CodeCov"));
        }
        let text = shortened(without_hidden(&text), settings.lines as usize, "[TRUNCATED]");
        (text.chars().count() >= least).then(|| self.masked(cut(&text, LONGEST_TEXT)))
    }

    /// A pull request that is edited, closed or opened again.
    fn turn(&self, event: &PullEvent) -> Option<String> {
        let action = event.action.as_deref().unwrap_or_default();
        let mut content = match action {
            "edited" | "opened" | "reopened" => self.headed(event, false)?,
            _ => format!("<pr>{}", self.name(event)),
        };
        content.extend(["<pr_status>", &action.to_lowercase()]);
        if action == "closed" {
            let merged = if event.merged == Some(true) { "True" } else { "False" };
            content.extend(["<pr_is_merged>", merged]);
        }
        Some(content)
    }

    fn comment(&self, event: &PullEvent) -> Option<String> {
        let text = self.text(event, SHORTEST_TEXT)?;
        let id = numbered("<pr_event_id>", event.id());
        Some(format!("<pr_comment>{}: {text}{id}", self.name(event)))
    }

    fn review(&self, event: &PullEvent) -> String {
        let text = self.text(event, 1).map_or_else(String::new, |text| format!(": {text}"));
        let id = numbered("<pr_event_id>", event.id());
        let state = event.state.as_deref().unwrap_or_default();
        format!("<pr_review>{}{text}{id}<pr_review_state>{state}", self.name(event))
    }

    /// A comment on code.
    fn remark(&self, event: &PullEvent) -> Option<String> {
        let text = self.text(event, SHORTEST_TEXT)?;
        let hunk = event.hunk.as_deref().unwrap_or_default();
        let hunk = if hunk.chars().count() > LONGEST_HUNK {
            OMITTED
        } else {
            hunk
        };
        let head = [
            numbered("<pr_event_id>", event.id()),
            numbered("<pr_in_reply_to_review_id>", event.in_review()),
            numbered("<pr_in_reply_to_comment_id>", event.in_reply()),
        ];
        let path = event.path.as_deref().unwrap_or_default();
        let line = numbered("<pr_diff_hunk_comment_line>", event.line());
        let (head, name) = (head.concat(), self.name(event));
        Some(format!(
            "<pr_review_comment>{head}<pr_file>{path}{line}<pr_diff_hunk>{hunk}<pr_comment>{name}: {text}"
        ))
    }
}

/// A mark with its number; nothing where there is none.
fn numbered(mark: &str, number: Option<i64>) -> String {
    number.map_or_else(String::new, |number| format!("{mark}{number}"))
}

/// The first `most` characters.
fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// Markdown without comments of HTML; one that does not end goes to the end of the text or the next one.
fn without_hidden(text: &str) -> String {
    let parts = text.split("<!--").enumerate();
    let shown = parts.map(|(i, part)| match part.rsplit_once("-->") {
        Some((_, after)) => after,
        None if i == 0 => part,
        None => "",
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::pulls::ChangedFile;
    use super::super::{Change, Conversation};
    use super::*;

    fn record(events: &str, files: &[(&str, &str, &str)]) -> Record<'static> {
        let files = files.iter().map(|(path, before, after)| ChangedFile {
            path: Some((*path).to_owned()),
            before: Some((*before).to_owned()),
            after: Some((*after).to_owned()),
            language: None,
        });
        let mut record = Record {
            pull_events: Some(serde_json::from_str(events).expect("events")),
            changed_files: Some(files.collect()),
            path: Some(Cow::Borrowed(b"o/n/pull/12")),
            siblings: Some(3),
            ..Record::default()
        };
        let settings = Settings {
            conversation: Conversation::default(),
            change: Change { whole: 1.0, context: 0 },
        };
        describe(&mut record, &settings);
        record
    }

    const EVENTS: &str = r#"[
        {"type": "PullRequestEvent", "action": "opened", "actor.login": "ann", "title": "Mend the parser",
         "text": "It failed on <!-- what? -->empty files.", "base_commit_id": "a"},
        {"type": "IssueCommentEvent", "actor.login": "x-bot", "text": "Thank you for your contribution!"},
        {"type": "IssueCommentEvent", "actor.login": "bob", "text": "short"},
        {"type": "IssueCommentEvent", "actor.login": "bob", "text": "Looks good to me, ann, mostly", "comment_id": 5.0},
        {"type": "PullRequestReviewCommentEvent", "actor.login": "bob", "text": "Could this be made shorter?",
         "review_comment.id": 7, "comment.path": "a.py", "comment.original_position": 1, "comment.diff_hunk": "@@ h",
         "base_commit_id": "a"},
        {"type": "PullRequestReviewEvent", "actor.login": "bob", "review_comment.id": 8, "review.state": "approved"},
        {"type": "PullRequestEvent", "action": "closed", "actor.login": "ann", "pull_request.merged": true,
         "base_commit_id": "b"}
    ]"#;

    #[test]
    fn a_pull_request_is_written_as_the_paper_has_it() {
        let record = record(EVENTS, &[("a.py", "one = 1\ntwo = 2", "one = 1\ntwo = 3")]);
        assert_eq!(
            String::from_utf8_lossy(&record.content.unwrap_or_default()),
            "<pr>Title: Mend the parser\nusername_0: It failed on empty files.<pr_status>opened<repo_name>o/n<pr_base>\
             <pr_file>a.py<pr_base_code>one = 1\ntwo = 2<pr_diff><pr_file>a.py<pr_diff_hunk>@@ -1,2 +1,2 @@\n one = 1\n-two = 2\n\
             +two = 3<pr_comment>username_1: Looks good to me, username_0, mostly<pr_event_id>5<pr_review_comment>\
             <pr_event_id>7<pr_file>a.py<pr_diff_hunk_comment_line>1<pr_diff_hunk>@@ h<pr_comment>username_1: Could this be \
             made shorter?<pr_review>username_1<pr_event_id>8<pr_review_state>approved<pr>username_0<pr_status>closed\
             <pr_is_merged>True"
        );
        let told = Told::default()
            .number(ours::PULL_BY_BOT, 0)
            .number(ours::PULL_ACCEPTED, 1)
            .number(ours::PULL_REBASES, 0)
            .number(ours::PULL_COMMENTS, 4)
            .number(ours::PULL_FILES, 1)
            .number(ours::PULL_SIBLINGS, 3)
            .text(ours::PULL_TITLE, "Mend the parser")
            .text(ours::PULL_DESCRIPTION, "It failed on empty files.");
        assert_eq!(
            (record.told, record.repo_name.as_deref()),
            (Some(told), Some(&b"o/n"[..]))
        );
        assert_eq!(record.path.as_deref(), Some(&b"pull/12"[..]));
    }

    #[test]
    fn texts_are_cleaned_and_cut() {
        assert_eq!(without_hidden("a<!-- b -->c<!-- d --> e <!-- f"), "ac e ");
        assert_eq!((cut("éab", 2), cut("ab", 2)), ("éa", "ab"));
        let lone = record("[]", &[]);
        assert_eq!(lone.content.as_deref(), Some(&b""[..]));
        let told = record(
            r#"[{"type": "PullRequestEvent", "action": "opened", "actor.login": "x-bot"}]"#,
            &[],
        )
        .told;
        let by_bot = Told::default()
            .number(ours::PULL_BY_BOT, 1)
            .number(ours::PULL_ACCEPTED, 0);
        let rest = by_bot.number(ours::PULL_REBASES, 0).number(ours::PULL_COMMENTS, 0);
        let rest = rest.number(ours::PULL_FILES, 0).number(ours::PULL_SIBLINGS, 3);
        assert_eq!(
            told,
            Some(rest.text(ours::PULL_TITLE, "").text(ours::PULL_DESCRIPTION, ""))
        );
    }
}
