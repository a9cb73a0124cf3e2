//! What `stackmill dedup` tells of a finished data set: every input row once, removed rows with their keepers, figures.
//!
//! ```text
//!   ledger ─► links (file, keeper, similarity; 24 bytes a removed row)     walk 1
//!          ─► names of keepers                                             walk 2
//!          ─► rows.parquet, removed.parquet, figures                       walk 3
//! ```
//! A row that equals a near-duplicate has that one's keeper at that one's similarity, so keepers are always kept rows.

pub mod kept;
pub mod page;
mod tables;

use std::collections::BTreeMap;

use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Serialize;
use stackmill_schemas::{Error, Result, columns};

use self::tables::Tables;
use crate::output::Output;
use crate::units::bytes_text;
use crate::workdir::Workdir;

/// Clusters that figures name.
const LARGEST: usize = 20;

/// Bars of the histogram of similarities, each 0.05 wide.
const BARS: usize = 20;

/// Bytes of a link, and of its keeper's number, in memory.
const LINK_BYTES: u64 = 32;

/// What was removed, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Rows of the input; a unit that could not be read counts as one.
    pub rows: u64,
    /// Rows kept.
    pub kept: u64,
    /// Rows removed whose bytes are those of their keeper.
    pub removed_exact: u64,
    /// Rows removed that are similar to their keeper.
    pub removed_near: u64,
    /// Rows that were not compared, by stage and rule.
    pub not_compared: BTreeMap<String, u64>,
    /// Keepers that something was removed for.
    pub clusters: u64,
    /// Near-duplicates by similarity to their keeper: bar *i* counts from *i* / 20 on, the last one 1 as well.
    pub similarities: Vec<u64>,
    /// Clusters by number of rows, keeper included: the least power of two that is not smaller.
    pub sizes: BTreeMap<u64, u64>,
    /// The largest clusters, largest first.
    pub largest: Vec<Cluster>,
    /// What the manifest's totals say of near-duplicates: pairs, recall, removed files.
    pub near: BTreeMap<String, u64>,
}

/// A keeper and how many rows it stands for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cluster {
    /// `file_id` of the keeper.
    pub cluster_id: u64,
    /// Its repository, or the table it is from.
    pub repo_name: String,
    /// Its path, or its id.
    pub path: String,
    /// Rows, the keeper included.
    pub rows: u64,
}

/// A removed row, and what it was removed for.
#[derive(Clone, Copy, Debug)]
struct Link {
    file: u64,
    keeper: u64,
    /// `None`: the same bytes.
    similarity: Option<f64>,
}

/// Where a row's chain of keepers ends.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Root {
    keeper: u64,
    similarity: Option<f64>,
}

/// All removed rows, in order of their ids.
#[derive(Debug, Default)]
struct Links(Vec<Link>);

impl Links {
    fn get(&self, file: u64) -> Option<&Link> {
        let at = self.0.binary_search_by_key(&file, |link| link.file).ok()?;
        Some(&self.0[at])
    }

    /// The kept row that `file` was removed for; `None` if it was not removed as a duplicate.
    fn root(&self, file: u64) -> Result<Option<Root>> {
        let Some(first) = self.get(file) else { return Ok(None) };
        let (keeper, similarity) = match self.get(first.keeper) {
            None => (first.keeper, first.similarity),
            Some(second) if self.get(second.keeper).is_none() => {
                (second.keeper, first.similarity.or(second.similarity))
            }
            Some(_) => return Err(Error::bug(format!("the keeper of file {file} is three steps away"))),
        };
        Ok(Some(Root { keeper, similarity }))
    }

    /// Every keeper with the rows of its cluster, in order of ids.
    fn sizes(&self) -> Result<Vec<(u64, u64)>> {
        let roots = self.0.iter().filter_map(|link| self.root(link.file).transpose());
        let mut keepers: Vec<u64> = roots.map(|root| root.map(|root| root.keeper)).collect::<Result<_>>()?;
        keepers.sort_unstable();
        Ok(keepers
            .chunk_by(|a, b| a == b)
            .map(|same| (same[0], same.len() as u64 + 1))
            .collect())
    }
}

/// Names of the keepers: `(file_id, repo_name, path)`, in order of ids.
type Names = Vec<(u64, String, String)>;

/// Writes `rows.parquet` and `removed.parquet` about `data`, holding at most `memory` bytes of links and names.
pub fn write(data: &Output, to: &Workdir, memory: u64) -> Result<Figures> {
    let links = links(data, memory)?;
    let sizes = links.sizes()?;
    let names = names(data, &sizes, memory.saturating_sub(links.0.len() as u64 * LINK_BYTES))?;
    let mut figures = counted(&sizes, &names);
    let mut tables = Tables::create(to)?;
    walk(data, |batch| tables.add(batch, &links, &names, &mut figures))?;
    tables.commit()?;
    Ok(figures)
}

fn links(data: &Output, memory: u64) -> Result<Links> {
    let mut links = Vec::new();
    walk(data, |batch| {
        let (files, keepers) = (
            columns::u64s(batch, columns::FILE_ID)?,
            columns::u64s(batch, "because_file_id")?,
        );
        let values = columns::strings(batch, "value")?;
        for row in (0..batch.num_rows()).filter(|&row| keepers.is_valid(row)) {
            let similarity = values.is_valid(row).then(|| values.value(row).parse().ok()).flatten();
            let (file, keeper) = (files.value(row), keepers.value(row));
            links.push(Link {
                file,
                keeper,
                similarity,
            });
        }
        fits(links.len() as u64 * LINK_BYTES, memory)
    })?;
    Ok(Links(links))
}

fn names(data: &Output, sizes: &[(u64, u64)], memory: u64) -> Result<Names> {
    let (mut names, mut bytes) = (Names::new(), 0);
    walk(data, |batch| {
        let files = columns::u64s(batch, columns::FILE_ID)?;
        let (repos, paths) = (
            columns::strings(batch, columns::REPO_NAME)?,
            columns::strings(batch, columns::PATH)?,
        );
        for (row, file) in files.values().iter().enumerate() {
            if sizes.binary_search_by_key(file, |size| size.0).is_ok() {
                let (repo, path) = (repos.value(row).to_owned(), paths.value(row).to_owned());
                bytes += (size_of::<(u64, String, String)>() + repo.len() + path.len()) as u64;
                names.push((*file, repo, path));
            }
        }
        fits(bytes, memory)
    })?;
    Ok(names)
}

fn fits(bytes: u64, memory: u64) -> Result<()> {
    match bytes <= memory {
        true => Ok(()),
        false => Err(Error::resource(format!(
            "the removed rows and their keepers take more than {}",
            bytes_text(memory)
        ))
        .hint("give more --memory: 32 bytes for a removed row, and the name of each keeper")),
    }
}

fn name_of(names: &Names, file: u64) -> Result<(&str, &str)> {
    let at = names.binary_search_by_key(&file, |name| name.0);
    let at = at.map_err(|_| Error::bug(format!("the keeper {file} is not in the ledger")))?;
    Ok((&names[at].1, &names[at].2))
}

/// What sizes and names alone say.
fn counted(sizes: &[(u64, u64)], names: &Names) -> Figures {
    let mut figures = Figures {
        clusters: sizes.len() as u64,
        similarities: vec![0; BARS],
        ..Figures::default()
    };
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(sizes[at].1));
    for (_, rows) in sizes {
        *figures.sizes.entry(rows.next_power_of_two()).or_default() += 1;
    }
    figures.largest = order
        .iter()
        .take(LARGEST)
        .map(|&at| cluster(&names[at], sizes[at].1))
        .collect();
    figures
}

fn cluster((cluster_id, repo_name, path): &(u64, String, String), rows: u64) -> Cluster {
    Cluster {
        cluster_id: *cluster_id,
        repo_name: repo_name.clone(),
        path: path.clone(),
        rows,
    }
}

/// The batches of a ledger, in order.
type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

fn ledger(data: &Output) -> Result<Batches<'_>> {
    let parts = data.files("ledger")?.into_iter();
    Ok(Box::new(parts.flat_map(|(part, _)| match part_of(data, &part) {
        Ok(batches) => batches,
        Err(error) => Box::new(std::iter::once(Err(error))),
    })))
}

fn part_of(data: &Output, part: &str) -> Result<Batches<'static>> {
    let uri = data.uri().join(part);
    let chunks = data.stores().chunks(&data.stores().head(&uri)?)?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(chunks).and_then(ParquetRecordBatchReaderBuilder::build);
    let reader = reader.map_err(|error| Error::input(format!("not a ledger: {error}")).context(uri.to_string()))?;
    Ok(Box::new(reader.map(|batch| Ok(batch?))))
}

/// Gives every batch of the ledger, in order.
fn walk(data: &Output, mut visit: impl FnMut(&RecordBatch) -> Result<()>) -> Result<()> {
    ledger(data)?.try_for_each(|batch| visit(&batch?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keepers_of_keepers_are_followed_to_the_kept_row() {
        let link = |file, keeper, similarity| Link {
            file,
            keeper,
            similarity,
        };
        let links = Links(vec![link(2, 1, Some(0.8)), link(3, 2, None), link(5, 1, None)]);
        let root = |file| {
            links
                .root(file)
                .expect("short chains")
                .map(|root| (root.keeper, root.similarity))
        };
        assert_eq!(root(1), None);
        assert_eq!(root(2), Some((1, Some(0.8))));
        assert_eq!(
            root(3),
            Some((1, Some(0.8))),
            "equal to a near-duplicate: as similar as that one"
        );
        assert_eq!(root(5), Some((1, None)));
        assert_eq!(links.sizes().expect("short chains"), [(1, 4)]);
        let circle = Links(vec![link(1, 2, None), link(2, 1, None)]);
        assert!(circle.root(1).is_err(), "no endless walk");
    }
}
