//! What the rows of a table of pull requests are made of: events, and changed files.

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, StructArray};
use arrow_schema::DataType;
use serde::Deserialize;

use super::events::{Item, text_in};
use super::parquet::number_at;

/// One event, in the columns that BigCode's code gives all of them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct PullEvent {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) action: Option<String>,
    #[serde(rename = "actor.login")]
    pub(super) author: Option<String>,
    #[serde(rename = "actor.is_bot")]
    pub(super) is_bot: Option<bool>,
    pub(super) title: Option<String>,
    pub(super) text: Option<String>,
    #[serde(rename = "pull_request.merged")]
    pub(super) merged: Option<bool>,
    #[serde(rename = "review.state")]
    pub(super) state: Option<String>,
    pub(super) base_commit_id: Option<String>,
    /// Of a comment; numbers may be fractions, as pandas writes them.
    comment_id: Option<f64>,
    /// Of a review, or of a comment on code.
    #[serde(rename = "review_comment.id")]
    review_id: Option<f64>,
    #[serde(rename = "comment.pull_request_review_id")]
    in_review: Option<f64>,
    #[serde(rename = "comment.in_reply_to_id")]
    in_reply: Option<f64>,
    #[serde(rename = "comment.path")]
    pub(super) path: Option<String>,
    #[serde(rename = "comment.original_position")]
    line: Option<f64>,
    #[serde(rename = "comment.diff_hunk")]
    pub(super) hunk: Option<String>,
}

impl PullEvent {
    /// Number of the comment or review.
    pub(super) fn id(&self) -> Option<i64> {
        whole(self.review_id).or_else(|| whole(self.comment_id))
    }

    /// Number of the review that a comment on code is part of.
    pub(super) fn in_review(&self) -> Option<i64> {
        whole(self.in_review)
    }

    /// Number of the comment that a comment on code answers.
    pub(super) fn in_reply(&self) -> Option<i64> {
        whole(self.in_reply)
    }

    /// Line of the hunk that a comment on code is about.
    pub(super) fn line(&self) -> Option<i64> {
        whole(self.line)
    }
}

fn whole(number: Option<f64>) -> Option<i64> {
    super::columns::whole(number?)
}

impl Item for PullEvent {
    const TEXTS: &'static [&'static str] = &[
        "actor.login",
        "type",
        "action",
        "title",
        "text",
        "review.state",
        "base_commit_id",
        "comment.path",
        "comment.diff_hunk",
    ];

    fn of(items: &StructArray, at: usize) -> Self {
        let text = |name: &str| text_in(items, at, name);
        let number = |name: &str| number_at(items.column_by_name(name)?, at).map(|number| number as f64);
        let flag = |name: &str| {
            let array = items.column_by_name(name)?;
            (array.data_type() == &DataType::Boolean && array.is_valid(at)).then(|| array.as_boolean().value(at))
        };
        Self {
            kind: text("type"),
            action: text("action"),
            author: text("actor.login"),
            is_bot: flag("actor.is_bot"),
            title: text("title"),
            text: text("text"),
            merged: flag("pull_request.merged"),
            state: text("review.state"),
            base_commit_id: text("base_commit_id"),
            comment_id: number("comment_id"),
            review_id: number("review_comment.id"),
            in_review: number("comment.pull_request_review_id"),
            in_reply: number("comment.in_reply_to_id"),
            path: text("comment.path"),
            line: number("comment.original_position"),
            hunk: text("comment.diff_hunk"),
        }
    }
}

/// A file as the base and the head of a pull request have it; added and deleted ones lack one of the two.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct ChangedFile {
    #[serde(rename = "base_path")]
    pub(super) path: Option<String>,
    #[serde(rename = "base_language")]
    pub(super) language: Option<String>,
    #[serde(rename = "base_content")]
    pub(super) before: Option<String>,
    #[serde(rename = "head_content")]
    pub(super) after: Option<String>,
}

impl Item for ChangedFile {
    const TEXTS: &'static [&'static str] = &["base_path", "base_language", "base_content", "head_content"];

    fn of(items: &StructArray, at: usize) -> Self {
        let text = |name: &str| text_in(items, at, name);
        Self {
            path: text("base_path"),
            language: text("base_language"),
            before: text("base_content"),
            after: text("head_content"),
        }
    }
}
