//! WARC and WET files, as web crawls publish them: blocks of code cut out of pages, each as a file.
//!
//! ```text
//!   record    WARC/1.x headers and a block, one after the other, each in a gzip member of its own or not
//!   message   the HTTP answer in a block: status, type, body         html    blocks of code in a page
//!   page      what a record is as files
//! ```
//! - A file of a crawl is a unit. A page's host is the repository of its blocks, the time of the visit their revision.
//! - Records `response`, `resource` and `conversion` (WET) are listed: a block of a page is a row
//!   `path/of/the/page/block-N`, other text and WET texts are one row. A page without code, an answer other than 200 and
//!   what is no text are one row that is not wanted. `warcinfo`, `request`, `metadata` and `revisit` records say
//!   something about others: they are no rows.
//! - The language that a page claims for a block is handed on as `.gitattributes` would.
//! - The locator of a row is `number of the record << 16 | number of the block`.
//!
//! Source: ISO 28500:2017 (WARC 1.1) and its predecessor 1.0; Common Crawl, "Navigating the WARC file format".

mod html;
mod message;
mod page;
mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::RecordBatch;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{Result, ResultExt as _, TaskContext};

use self::page::{File, Page};
use self::record::Records;
use super::Setup;
use super::contents::{Contents, Wanted};
use super::listing::{Inherited, Listing, Owner, Row, blob_id, mode};
use super::place::{Input, expand};
use crate::detect::flags::FileAttributes;

/// Bits of a locator that are the number of a block.
const BLOCK_BITS: u32 = 16;

/// The source behind `warc = …`.
pub(super) struct Warc {
    setup: Setup,
}

/// Opens the source; nothing is read yet.
pub(super) fn open(setup: Setup) -> Result<Warc> {
    Ok(Warc { setup })
}

impl Source for Warc {
    fn resolve(&self, cx: &TaskContext) -> Result<Vec<Unit>> {
        let locations = expand(&self.setup, Path::is_file)?;
        locations.into_iter().map(|location| self.unit(location, cx)).collect()
    }

    fn list(&self, unit: &Unit, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let input = Input::of(&self.setup, &unit.location)?;
        let mut listing = Listing::new(&self.setup.config, emit, cx);
        let opened = input.settled(Records::open(&input, &self.setup.config));
        let mut records = opened.with_context(|| input.to_string())?;
        while let Some((number, record)) = input.settled(records.next()).with_context(|| input.to_string())? {
            cx.check()?;
            let Some(page) = Page::of(&record, &self.setup.config) else {
                continue;
            };
            for (block, file) in page.files.iter().enumerate() {
                let row = row(file, number << BLOCK_BITS | block as u64);
                listing.push(owner(&page, unit), row, &inherited(file))?;
            }
        }
        match input.settled(records.finish(cx)).with_context(|| input.to_string())? == unit.revision_id {
            true => listing.finish(),
            false => Err(input.changed()),
        }
    }

    fn read(&self, unit: &Unit, wanted: &RecordBatch, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let input = Input::of(&self.setup, &unit.location)?;
        let wanted = Wanted::new(wanted)?;
        let mut left = wanted.by_locator().into_iter().peekable();
        let mut contents = Contents::new(&self.setup.config, emit, cx);
        let mut records = Records::open(&input, &self.setup.config).with_context(|| input.to_string())?;
        while let Some(&first) = left.peek() {
            let next = wanted.locator(first) >> BLOCK_BITS;
            let Some((number, record)) = records.next_from(next).with_context(|| input.to_string())? else {
                break;
            };
            let page = Page::of(&record, &self.setup.config);
            while let Some(i) = left.next_if(|&i| wanted.locator(i) >> BLOCK_BITS <= number) {
                let block = (wanted.locator(i) & ((1 << BLOCK_BITS) - 1)) as usize;
                match page.as_ref().and_then(|page| page.files.get(block)?.text.as_ref().ok()) {
                    Some(text) => contents.checked(&wanted, i, text.as_bytes())?,
                    None => contents.trouble(wanted.file_id(i), "the page has no such block")?,
                }
            }
        }
        left.try_for_each(|i| contents.trouble(wanted.file_id(i), "the file has no such record"))?;
        contents.finish()
    }

    fn reads_in_order(&self) -> bool {
        true
    }
}

impl Warc {
    fn unit(&self, location: String, cx: &TaskContext) -> Result<Unit> {
        let input = Input::of(&self.setup, &location)?;
        let ((revision_id, length_bytes), trouble) = input.resolved(cx)?;
        Ok(Unit {
            source: self.setup.config.name().to_owned(),
            repo_name: input.name(),
            revision_id,
            location,
            length_bytes,
            metadata: BTreeMap::new(),
            trouble,
        })
    }
}

fn owner<'a>(page: &'a Page, unit: &'a Unit) -> Owner<'a> {
    Owner {
        repo_name: &page.host,
        revision_id: page.date.as_deref().unwrap_or(&unit.revision_id),
        stars: None,
        forks: None,
        score: None,
        told: None,
    }
}

fn row(file: &File, locator: u64) -> Row<'_> {
    let (mode, length, blob, trouble) = match &file.text {
        Ok(text) => match blob_id(text.as_bytes()) {
            Ok(blob) => (mode::FILE, text.len(), Some(blob), None),
            Err(_) => (
                mode::FILE,
                text.len(),
                None,
                Some("its hash shows a collision attack".to_owned()),
            ),
        },
        Err(words) => (mode::NOT_WANTED, 0, None, Some(words.clone())),
    };
    Row {
        path: file.path.as_bytes(),
        mode,
        length: length as u64,
        blob,
        locator,
        trouble,
    }
}

/// The language that a page claims.
fn inherited(file: &File) -> Inherited {
    Inherited {
        license: None,
        attributes: file.language.clone().map(|language| FileAttributes {
            language: Some(language),
            ..FileAttributes::default()
        }),
    }
}
