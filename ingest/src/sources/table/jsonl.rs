//! JSON lines: one object a line, streamed, each line under a limit.

use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead, BufReader};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use stackmill_schemas::{Result, ResultExt, TaskContext};

use super::super::SourceConfig;
use super::super::contents::{Contents, Wanted};
use super::super::inflate::{Inflated, Limits, broken};
use super::super::place::Input;
use super::columns::{
    AFTER, BEFORE, CHANGED_FILES, CONTENT, COUNT, EVENTS, FORKS, GIT_ID, KEY, LENGTH, LICENSE, META, Names, PATH,
    PULL_EVENTS, REPO_NAME, REVISION_ID, SCORE, SET, SIBLINGS, STARS, SUBJECT, is_named, wrong_type,
};
use super::events::{Event, Items};
use super::formats::Layout;
use super::pulls::{ChangedFile, PullEvent};
use super::record::{At, Record, Records, row_of};

/// Most texts of a list (of licenses) that are looked at.
const LONGEST_LIST: usize = 64;

/// Lists the lines of a file; blank ones are no rows.
pub(super) fn list(
    input: &Input,
    layout: &Layout,
    config: &SourceConfig,
    records: &mut Records<'_, '_>,
    cx: &TaskContext,
) -> Result<()> {
    let place = || input.to_string();
    let mut lines = Lines::new(input, config, Inflated::open)?;
    while let Some((number, line)) = lines.next().with_context(place)? {
        cx.check()?;
        match line.and_then(|line| parse(line, layout)) {
            Ok(None) => {}
            Ok(Some(record)) => records.push(At::Row(number), number, Ok(record))?,
            Err(trouble) => records.push(At::Row(number), number, Err(trouble))?,
        }
    }
    match lines.reader.into_inner().finish(cx).with_context(place)? == records.unit.revision_id {
        true => Ok(()),
        false => Err(input.changed()),
    }
}

/// Reads the contents of the lines that are wanted; the others are not looked into.
pub(super) fn read(
    input: &Input,
    layout: &Layout,
    config: &SourceConfig,
    wanted: &Wanted<'_>,
    contents: &mut Contents<'_, '_>,
) -> Result<()> {
    let wanted = &wanted.with_checks(!layout.is_elsewhere());
    let mut lines = Lines::new(input, config, Inflated::unhashed)?;
    let mut left = wanted.by_locator().into_iter().peekable();
    while let Some(&first) = left.peek() {
        let Some((number, line)) = lines.next().with_context(|| input.to_string())? else {
            break;
        };
        if number < row_of(wanted.locator(first)) {
            continue;
        }
        let record = line.and_then(|line| parse(line, layout));
        let cell = record.map(|record| {
            record.and_then(|record| {
                if layout.is_elsewhere() {
                    record.key
                } else {
                    record.content
                }
            })
        });
        while let Some(i) = left.next_if(|&i| row_of(wanted.locator(i)) == number) {
            match &cell {
                Ok(cell) => layout.answer(cell.as_deref(), wanted, i, contents)?,
                Err(trouble) => contents.trouble(wanted.file_id(i), trouble)?,
            }
        }
    }
    left.try_for_each(|i| contents.trouble(wanted.file_id(i), "the file has no such row"))
}

/// A line with its number, or why it is not read.
pub(super) type Line<'a> = (u64, Result<&'a [u8], String>);

/// The lines of a file.
pub(super) struct Lines {
    reader: BufReader<Inflated>,
    line: Vec<u8>,
    most: usize,
    number: u64,
}

impl Lines {
    pub(super) fn new(
        input: &Input,
        config: &SourceConfig,
        open: fn(&Input, Limits) -> Result<Inflated>,
    ) -> Result<Self> {
        let limits = Limits {
            bytes: u64::MAX,
            ratio: config.max_ratio,
        };
        Ok(Self {
            reader: BufReader::with_capacity(1 << 16, open(input, limits)?),
            line: Vec::new(),
            most: config.max_line_bytes as usize,
            number: 0,
        })
    }

    /// The next line; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>> {
        self.line.clear();
        let mut length = 0;
        loop {
            let chunk = self.reader.fill_buf().map_err(|error| broken(&error))?;
            let end = memchr::memchr(b'\n', chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            if self.line.len() + part.len() <= self.most {
                self.line.extend_from_slice(part);
            }
            let count = part.len() + usize::from(end.is_some());
            length += part.len();
            self.reader.consume(count);
            match (count, end) {
                (0, _) if length == 0 => return Ok(None),
                (0, _) | (_, Some(_)) => break,
                _ => {}
            }
        }
        let number = self.number;
        self.number += 1;
        match length > self.most {
            true => Ok(Some((
                number,
                Err(format!("the line is longer than {} bytes", self.most)),
            ))),
            false => Ok(Some((number, Ok(&self.line)))),
        }
    }
}

/// Whether a line is no row.
pub(super) fn is_blank(line: &[u8]) -> bool {
    bare(line).is_empty()
}

/// A line without a byte order mark and the white space around it.
fn bare(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii()
}

/// The row that a line is; none where it is blank.
fn parse(line: &[u8], layout: &Layout) -> Result<Option<Record<'static>>, String> {
    let line = bare(line);
    if line.is_empty() {
        return Ok(None);
    }
    let mut json = serde_json::Deserializer::from_slice(line);
    let mut cells = Row::default();
    let reading = Cells {
        names: &layout.names,
        above: "",
        row: &mut cells,
    };
    reading
        .deserialize(&mut json)
        .map_err(|error| format!("not a JSON object: {error}"))?;
    json.end().map_err(|error| format!("not one JSON object: {error}"))?;
    record(cells).map(|record| Some(layout.file(record)))
}

/// Our columns of one line, with their names there.
type Row = [Option<(usize, String, Cell)>; COUNT];

fn record(mut cells: Row) -> Result<Record<'static>, String> {
    let mut text = |ours: usize| match cells[ours].take() {
        None | Some((_, _, Cell::Null)) => Ok(None),
        Some((_, _, Cell::Text(text))) => Ok(Some(Cow::Owned(text.into_bytes()))),
        // Some count files, repositories, revisions.
        Some((_, _, Cell::Whole(number))) if is_named(ours) => Ok(Some(Cow::Owned(number.to_string().into_bytes()))),
        Some((_, theirs, cell)) => Err(wrong_type(ours, &theirs, cell.is()).message().to_owned()),
    };
    let (content, path) = (text(CONTENT)?, text(PATH)?);
    let (repo_name, revision_id) = (text(REPO_NAME)?, text(REVISION_ID)?);
    let (set, meta, key, git_id) = (text(SET)?, text(META)?, text(KEY)?, text(GIT_ID)?);
    let (before, after, subject) = (text(BEFORE)?, text(AFTER)?, text(SUBJECT)?);
    Ok(Record {
        content,
        path,
        repo_name,
        revision_id,
        set,
        meta,
        key,
        git_id,
        before,
        after,
        subject,
        told: None,
        trouble: None,
        passed_over: None,
        events: match cells[EVENTS].take() {
            Some((_, _, Cell::Events(events))) => Some(events.0),
            _ => None,
        },
        pull_events: match cells[PULL_EVENTS].take() {
            Some((_, _, Cell::PullEvents(events))) => Some(events.0),
            _ => None,
        },
        changed_files: match cells[CHANGED_FILES].take() {
            Some((_, _, Cell::ChangedFiles(files))) => Some(files.0),
            _ => None,
        },
        siblings: number(cells[SIBLINGS].take(), SIBLINGS)?,
        stars: number(cells[STARS].take(), STARS)?,
        forks: number(cells[FORKS].take(), FORKS)?,
        length: number(cells[LENGTH].take(), LENGTH)?,
        score: score(cells[SCORE].take())?,
        license: license(cells[LICENSE].take())?,
    })
}

fn number(cell: Option<(usize, String, Cell)>, ours: usize) -> Result<Option<i64>, String> {
    match cell {
        None | Some((_, _, Cell::Null)) => Ok(None),
        Some((_, _, Cell::Whole(number))) => Ok(Some(number)),
        Some((_, theirs, cell)) => Err(wrong_type(ours, &theirs, cell.is()).message().to_owned()),
    }
}

fn score(cell: Option<(usize, String, Cell)>) -> Result<Option<f64>, String> {
    match cell {
        None | Some((_, _, Cell::Null)) => Ok(None),
        Some((_, _, Cell::Whole(number))) => Ok(Some(number as f64)),
        Some((_, _, Cell::Real(number))) => Ok(Some(number)),
        Some((_, theirs, cell)) => Err(wrong_type(SCORE, &theirs, cell.is()).message().to_owned()),
    }
}

fn license(cell: Option<(usize, String, Cell)>) -> Result<Option<String>, String> {
    match cell {
        None | Some((_, _, Cell::Null)) => Ok(None),
        Some((_, _, Cell::Text(text))) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some((_, _, Cell::Texts(texts))) => Ok(Some(texts.join(" AND ")).filter(|text| !text.is_empty())),
        Some((_, theirs, cell)) => Err(wrong_type(LICENSE, &theirs, cell.is()).message().to_owned()),
    }
}

/// Reads an object, keeping the values that may be our columns.
struct Cells<'a> {
    names: &'a Names,
    /// The name of this object in the one above, with a dot; empty for the row itself.
    above: &'a str,
    row: &'a mut Row,
}

impl<'de> DeserializeSeed<'de> for Cells<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.above {
            "" => deserializer.deserialize_map(self),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Cells<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            let key = match self.above {
                "" => key,
                above => Cow::Owned(format!("{above}{key}")),
            };
            match self.names.find(&key) {
                Some((ours, rank)) if self.row[ours].as_ref().is_none_or(|(best, _, _)| rank <= *best) => {
                    let cell = match ours {
                        EVENTS => map.next_value::<Option<_>>()?.map_or(Cell::Null, Cell::Events),
                        PULL_EVENTS => map.next_value::<Option<_>>()?.map_or(Cell::Null, Cell::PullEvents),
                        CHANGED_FILES => map.next_value::<Option<_>>()?.map_or(Cell::Null, Cell::ChangedFiles),
                        _ => map.next_value()?,
                    };
                    self.row[ours] = Some((rank, key.into_owned(), cell));
                }
                None if self.above.is_empty() && self.names.looks_into(&key) => map.next_value_seed(Cells {
                    names: self.names,
                    above: &format!("{key}."),
                    row: self.row,
                })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_str<E>(self, _text: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A value, as far as any column of ours can use it.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Null,
    Text(String),
    Whole(i64),
    Real(f64),
    Flag,
    Texts(Vec<String>),
    Events(Items<Event>),
    PullEvents(Items<PullEvent>),
    ChangedFiles(Items<ChangedFile>),
    Object,
}

impl Cell {
    fn is(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "text",
            Self::Whole(_) => "a number",
            Self::Real(_) => "a fraction",
            Self::Flag => "true or false",
            Self::Texts(_) | Self::Events(_) | Self::PullEvents(_) | Self::ChangedFiles(_) => "a list",
            Self::Object => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E>(self, _value: bool) -> Result<Cell, E> {
        Ok(Cell::Flag)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell, E> {
        Ok(Cell::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell, E> {
        Ok(i64::try_from(value).map_or(Cell::Real(value as f64), Cell::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell, E> {
        Ok(super::columns::whole(value).map_or(Cell::Real(value), Cell::Whole))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cell, E> {
        Ok(Cell::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Cell, E> {
        Ok(Cell::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Cell, A::Error> {
        let mut texts = Vec::new();
        while texts.len() < LONGEST_LIST {
            match sequence.next_element::<Option<String>>()? {
                Some(text) => texts.extend(text),
                None => return Ok(Cell::Texts(texts)),
            }
        }
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Object)
    }
}
