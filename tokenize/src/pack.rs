//! Shuffles documents and packs them into training sequences: the Exchange `pack`.
//!
//! ```text
//!   scatter   repo_name, shard, row, tokens ──► place, shard, row, tokens      to the partition that `order` names
//!   gather    sort by (place, shard, row) ──► pack ──► input_ids, cu_seqlens, docs
//! ```
//! Documents without tokens are skipped. With `end-of-document`, each of the others is followed by one more token, which
//! counts as its last: a document of n tokens then has spans from 0 to n + 1. Memory: one partition, 4 bytes a token and
//! about 150 a document.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::fingerprint::seeded;
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Error, Result, TaskContext, columns};

use crate::bins::best_fit;
use crate::config::{Packing, TokenizeConfig};
use crate::order::{Order, Position};
use crate::sequences::{self, Sequences, Span};
use crate::{ROW, SHARD, TOKENS};

/// Bytes of content that a partition is meant to hold.
pub const PARTITION_BYTES: u64 = 64 << 20;
/// Documents that a partition holds at most, where they are very short.
const PARTITION_FILES: u64 = 1 << 18;

const PLACE: &str = "place";

/// The Exchange `pack`: (repo_name, shard, row, tokens) to shuffled, packed sequences.
#[derive(Clone, Debug)]
pub struct Pack {
    order: Order,
    packing: Packing,
    sequence_length: usize,
    end_of_document: Option<i32>,
}

impl Pack {
    /// The stage, or what is wrong with the settings.
    ///
    /// # Errors
    /// A config error that names the key and says what is allowed.
    pub fn new(config: &TokenizeConfig) -> Result<Self> {
        let vocabulary = config.check()?;
        Ok(Self {
            order: Order {
                seed: config.seed,
                repository_block: config.repository_block,
            },
            packing: config.packing,
            sequence_length: config.sequence_length as usize,
            end_of_document: config.end_of_document.then_some(vocabulary.end_of_document() as i32),
        })
    }

    /// The columns of packed sequences: `input_ids` and `cu_seqlens` (lists of Int32), and `docs` (a list of structs of
    /// Int32: `shard`, `row`, and from which token to which).
    pub fn schema() -> SchemaRef {
        sequences::schema()
    }

    fn pack(&self, documents: &[Document<'_>], emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        match self.packing {
            Packing::Split => self.pack_split(documents, emit, cx),
            Packing::Whole => self.pack_whole(documents, emit, cx),
        }
    }

    fn pack_split(&self, documents: &[Document<'_>], emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut sequences = Sequences::new(emit);
        for document in documents {
            let mut start = 0;
            while start < document.length {
                let room = self.sequence_length - sequences.open_length();
                let end = document.length.min(start + room);
                sequences.append(document.span(start, end), document.ids(start, end));
                start = end;
                if sequences.open_length() == self.sequence_length {
                    cx.check()?;
                    sequences.close()?;
                }
            }
        }
        sequences.finish()
    }

    fn pack_whole(&self, documents: &[Document<'_>], emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let chunks: Vec<Chunk> = documents
            .iter()
            .enumerate()
            .flat_map(|(i, d)| self.chunks(i, d))
            .collect();
        let lengths: Vec<usize> = chunks.iter().map(|chunk| chunk.end - chunk.start).collect();
        let mut bins = best_fit(&lengths, self.sequence_length);
        // Bins come longest piece first: shuffled again, each by its first chunk.
        bins.sort_by_cached_key(|bin| {
            let first = chunks[bin[0]];
            let key = [documents[first.document].place, first.start as u64].map(u64::to_le_bytes);
            (seeded(self.order.seed, key.as_flattened()), bin[0])
        });
        let mut sequences = Sequences::new(emit);
        for bin in bins {
            cx.check()?;
            for chunk in bin.into_iter().map(|piece| chunks[piece]) {
                let document = &documents[chunk.document];
                sequences.append(
                    document.span(chunk.start, chunk.end),
                    document.ids(chunk.start, chunk.end),
                );
            }
            sequences.close()?;
        }
        sequences.finish()
    }

    fn chunks(&self, index: usize, document: &Document<'_>) -> impl Iterator<Item = Chunk> + use<> {
        let (length, most) = (document.length, self.sequence_length);
        (0..length).step_by(most).map(move |start| Chunk {
            document: index,
            start,
            end: length.min(start + most),
        })
    }
}

impl Exchange for Pack {
    fn name(&self) -> &str {
        "pack"
    }

    fn keyed(&self) -> SchemaRef {
        let field = |name: &str, data_type, nullable| Field::new(name, data_type, nullable);
        Arc::new(Schema::new(vec![
            field(PLACE, DataType::UInt64, false),
            field(SHARD, DataType::UInt32, false),
            field(ROW, DataType::UInt32, false),
            field(TOKENS, DataType::Binary, true),
        ]))
    }

    fn schema(&self) -> SchemaRef {
        sequences::schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        let partitions = size
            .bytes
            .div_ceil(PARTITION_BYTES)
            .max(size.files.div_ceil(PARTITION_FILES));
        u32::try_from(partitions).unwrap_or(u32::MAX).max(1)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, _: &TaskContext) -> Result<()> {
        let names: &StringArray = columns::strings(batch, columns::REPO_NAME)?;
        let (shards, rows) = (columns::u32s(batch, SHARD)?, columns::u32s(batch, ROW)?);
        let tokens = columns::binaries(batch, TOKENS)?;
        let position = |i: usize| Position {
            repo_name: names.value(i),
            shard: shards.value(i),
            row: rows.value(i),
        };
        let all = 0..batch.num_rows();
        let count = |i: usize| {
            if tokens.is_valid(i) {
                tokens.value(i).len() / 4
            } else {
                0
            }
        };
        let partitions: Vec<u32> = all
            .clone()
            .map(|i| self.order.partition(position(i), count(i), to.partitions))
            .collect();
        let places = UInt64Array::from_iter_values(all.map(|i| self.order.place(position(i))));
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(places),
            Arc::new(shards.clone()),
            Arc::new(rows.clone()),
            Arc::new(tokens.clone()),
        ];
        to.send(RecordBatch::try_new(self.keyed(), arrays)?, &partitions)
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut batches = Vec::new();
        for batch in partition.batches {
            cx.check()?;
            batches.push(batch?);
        }
        let mut documents = Vec::new();
        for batch in &batches {
            read(batch, self.end_of_document, &mut documents)?;
        }
        documents.sort_unstable_by_key(Document::key);
        if let Some(twice) = documents.windows(2).find(|pair| pair[0].key() == pair[1].key()) {
            let (shard, row) = (twice[0].shard, twice[0].row);
            return Err(Error::bug(format!(
                "row {row} of corpus part {shard} came to stage `pack` twice"
            )));
        }
        self.pack(&documents, emit, cx)
    }
}

/// One document of a partition.
#[derive(Clone, Copy)]
struct Document<'a> {
    place: u64,
    shard: i32,
    row: i32,
    /// Token ids, u32 little endian.
    bytes: &'a [u8],
    end_of_document: Option<i32>,
    /// Tokens, the end of the document included.
    length: usize,
}

/// A part of a document that is at most as long as a sequence.
#[derive(Clone, Copy)]
struct Chunk {
    document: usize,
    start: usize,
    end: usize,
}

impl Document<'_> {
    fn key(&self) -> (u64, i32, i32) {
        (self.place, self.shard, self.row)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            shard: self.shard,
            row: self.row,
            start: start as i32,
            end: end as i32,
        }
    }

    fn ids(&self, start: usize, end: usize) -> impl Iterator<Item = i32> {
        let own = self.bytes.len() / 4;
        let (words, _) = self.bytes[4 * start.min(own)..4 * end.min(own)].as_chunks::<4>();
        let last = self.end_of_document.filter(|_| end > own);
        words.iter().map(|word| i32::from_le_bytes(*word)).chain(last)
    }
}

/// Appends the documents of a batch that have tokens.
fn read<'a>(batch: &'a RecordBatch, end_of_document: Option<i32>, documents: &mut Vec<Document<'a>>) -> Result<()> {
    let places = columns::u64s(batch, PLACE)?;
    let (shards, rows) = (columns::u32s(batch, SHARD)?, columns::u32s(batch, ROW)?);
    let tokens: &BinaryArray = columns::binaries(batch, TOKENS)?;
    for i in (0..batch.num_rows()).filter(|&i| tokens.is_valid(i) && !tokens.value(i).is_empty()) {
        let bytes = tokens.value(i);
        if !bytes.len().is_multiple_of(4) {
            return Err(Error::bug(format!(
                "`{TOKENS}` of {} bytes: not a number of u32",
                bytes.len()
            )));
        }
        documents.push(Document {
            place: places.value(i),
            shard: number(shards, i)?,
            row: number(rows, i)?,
            bytes,
            end_of_document,
            length: bytes.len() / 4 + usize::from(end_of_document.is_some()),
        });
    }
    Ok(())
}

/// The published column is Int32.
fn number(array: &UInt32Array, i: usize) -> Result<i32> {
    let number = array.value(i);
    i32::try_from(number).map_err(|_| {
        Error::resource(format!("corpus position {number} is over {}", i32::MAX))
            .hint("write fewer, larger corpus parts")
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Vocabulary;
    use crate::testing::context;
    use arrow_array::{Int32Array, ListArray, StructArray};
    use proptest::prelude::*;
    use stackmill_schemas::context::Homes;

    /// Documents by (shard, row).
    type Corpus = BTreeMap<(u32, u32), Vec<u32>>;

    /// A packed sequence: ids, borders, and (shard, row, start, end) of its spans.
    type Sequence = (Vec<i32>, Vec<i32>, Vec<[i32; 4]>);

    fn config(sequence_length: u32, packing: Packing) -> TokenizeConfig {
        TokenizeConfig {
            sequence_length,
            packing,
            ..TokenizeConfig::default()
        }
    }

    fn pack(config: &TokenizeConfig) -> Pack {
        Pack::new(config).expect("valid")
    }

    /// Documents of these lengths in one shard, their ids all different.
    fn corpus(lengths: &[usize]) -> Corpus {
        let mut id = 0;
        let mut document = |length| {
            id += length as u32;
            (id - length as u32..id).collect()
        };
        (0..)
            .zip(lengths)
            .map(|(row, length)| ((0, row), document(*length)))
            .collect()
    }

    fn record(documents: &[(&(u32, u32), &Vec<u32>)]) -> RecordBatch {
        let bytes: Vec<Vec<u8>> = documents
            .iter()
            .map(|(_, ids)| ids.iter().flat_map(|id| id.to_le_bytes()).collect())
            .collect();
        let names = documents.iter().map(|((_, row), _)| format!("repository/{}", row / 3));
        let columns: [(&str, ArrayRef); 4] = [
            (columns::REPO_NAME, Arc::new(StringArray::from_iter_values(names))),
            (
                SHARD,
                Arc::new(UInt32Array::from_iter_values(
                    documents.iter().map(|((shard, _), _)| *shard),
                )),
            ),
            (
                ROW,
                Arc::new(UInt32Array::from_iter_values(
                    documents.iter().map(|((_, row), _)| *row),
                )),
            ),
            (TOKENS, Arc::new(BinaryArray::from_iter_values(bytes))),
        ];
        RecordBatch::try_from_iter(columns).expect("equal lengths")
    }

    fn scattered(pack: &Pack, batch: &RecordBatch, partitions: u32) -> (RecordBatch, Vec<u32>) {
        let mut sent = None;
        let mut scatter = Scatter {
            send: &mut |rows, numbers| {
                sent = Some((rows, numbers.to_vec()));
                Ok(())
            },
            partitions,
            homes: &Homes::default(),
        };
        pack.scatter(batch, &mut scatter, &context()).expect("scattered");
        let (rows, numbers) = sent.expect("sent");
        assert_eq!(rows.schema(), pack.keyed());
        (rows, numbers)
    }

    fn gathered(pack: &Pack, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
        let mut out = Vec::new();
        let partition = Partition {
            index: 0,
            batches: Box::new(batches.into_iter().map(Ok)),
        };
        let mut collect = |batch| {
            out.push(batch);
            Ok(())
        };
        pack.gather(partition, &mut Emit(&mut collect), &context())
            .map(|()| out)
    }

    fn ints(array: &dyn Array) -> Vec<i32> {
        let array = array.as_any().downcast_ref::<Int32Array>().expect("Int32");
        array.values().to_vec()
    }

    fn sequences(batches: &[RecordBatch]) -> Vec<Sequence> {
        let mut out = Vec::new();
        for batch in batches {
            assert_eq!(batch.schema(), Pack::schema());
            let list = |name| columns::typed::<ListArray>(batch, name).expect("list");
            for i in 0..batch.num_rows() {
                let docs = list("docs").value(i);
                let docs = docs.as_any().downcast_ref::<StructArray>().expect("struct");
                let fields: Vec<Vec<i32>> = docs.columns().iter().map(|column| ints(column)).collect();
                let spans = (0..docs.len()).map(|span| [0, 1, 2, 3].map(|field: usize| fields[field][span]));
                let numbers = |name| ints(&list(name).value(i));
                out.push((numbers("input_ids"), numbers("cu_seqlens"), spans.collect()));
            }
        }
        out
    }

    fn run(pack: &Pack, documents: &Corpus) -> Vec<Sequence> {
        let (rows, _) = scattered(pack, &record(&documents.iter().collect::<Vec<_>>()), 1);
        sequences(&gathered(pack, vec![rows]).expect("gathered"))
    }

    /// Puts documents together again from sequences; every token must be where its span says, once.
    fn unpacked(packed: &[Sequence]) -> Corpus {
        let mut tokens: BTreeMap<(u32, u32), BTreeMap<i32, u32>> = BTreeMap::new();
        for (ids, borders, spans) in packed {
            assert_eq!((borders[0], borders[borders.len() - 1] as usize), (0, ids.len()));
            assert_eq!(borders.len(), spans.len() + 1);
            for (pair, [shard, row, start, end]) in borders.windows(2).zip(spans) {
                assert_eq!(pair[1] - pair[0], end - start);
                let document = tokens.entry((*shard as u32, *row as u32)).or_default();
                for (offset, id) in (*start..*end).zip(&ids[pair[0] as usize..pair[1] as usize]) {
                    assert_eq!(document.insert(offset, *id as u32), None, "a token twice");
                }
            }
        }
        let whole = |document: BTreeMap<i32, u32>| {
            assert!(document.keys().copied().eq(0..document.len() as i32), "a token lost");
            document.into_values().collect()
        };
        tokens
            .into_iter()
            .map(|(key, document)| (key, whole(document)))
            .collect()
    }

    /// What must come out: documents with tokens, each followed by its end.
    fn expected(documents: &Corpus, end: Option<u32>) -> Corpus {
        let kept = documents.iter().filter(|(_, ids)| !ids.is_empty());
        kept.map(|(key, ids)| (*key, ids.iter().copied().chain(end).collect()))
            .collect()
    }

    fn lengths_of(packed: &[Sequence]) -> Vec<usize> {
        packed.iter().map(|(ids, _, _)| ids.len()).collect()
    }

    #[test]
    fn a_document_fills_a_sequence_with_its_end() {
        for packing in [Packing::Split, Packing::Whole] {
            let lengths = |document| lengths_of(&run(&pack(&config(8, packing)), &corpus(&[document])));
            assert_eq!(lengths(6), [7]);
            assert_eq!(lengths(7), [8]);
            assert_eq!(lengths(0), Vec::<usize>::new());
            let mut over = lengths(8);
            over.sort_unstable();
            assert_eq!(over, [1, 8]);
        }
    }

    #[test]
    fn without_ends_a_document_of_the_sequence_length_is_one_sequence() {
        let config = TokenizeConfig {
            end_of_document: false,
            ..config(8, Packing::Split)
        };
        let packed = run(&pack(&config), &corpus(&[8]));
        assert_eq!(packed, [((0..8).collect(), vec![0, 8], vec![[0, 0, 0, 8]])]);
        assert_eq!(lengths_of(&run(&pack(&config), &corpus(&[9]))), [8, 1]);
    }

    #[test]
    fn the_end_is_the_vocabularys_special_token() {
        let config = TokenizeConfig {
            tokenizer: "cl100k_base".into(),
            ..config(8, Packing::Split)
        };
        let packed = run(&pack(&config), &corpus(&[2]));
        let end = Vocabulary::Cl100kBase.end_of_document() as i32;
        assert_eq!(packed, [(vec![0, 1, end], vec![0, 3], vec![[0, 0, 0, 3]])]);
    }

    #[test]
    fn an_empty_partition_has_no_sequences() {
        for packing in [Packing::Split, Packing::Whole] {
            let pack = pack(&config(8, packing));
            assert_eq!(pack.schema(), Pack::schema());
            assert!(gathered(&pack, Vec::new()).is_ok_and(|out| out.is_empty()));
            assert!(gathered(&pack, vec![RecordBatch::new_empty(pack.keyed())]).is_ok_and(|out| out.is_empty()));
        }
    }

    #[test]
    fn the_seed_decides_the_order() {
        let documents = corpus(&[3; 50]);
        let order = |seed| {
            let config = TokenizeConfig {
                seed,
                ..config(4, Packing::Split)
            };
            let packed = run(&pack(&config), &documents);
            packed.iter().map(|(_, _, spans)| spans[0][1]).collect::<Vec<_>>()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        assert!(!order(1).is_sorted());
    }

    #[test]
    fn sequences_of_best_fit_are_shuffled_too() {
        let lengths: Vec<usize> = (1..=60).collect();
        let packed = run(&pack(&config(64, Packing::Whole)), &corpus(&lengths));
        let longest: Vec<i32> = packed
            .iter()
            .filter_map(|(_, _, spans)| spans.iter().map(|[.., start, end]| end - start).max())
            .collect();
        assert!(!longest.is_sorted() && !longest.iter().rev().is_sorted());
    }

    #[test]
    fn batches_stay_near_eight_mebibytes() {
        let lengths = [1_000_000; 5];
        let pack = pack(&config(8192, Packing::Split));
        let documents = corpus(&lengths);
        let (rows, _) = scattered(&pack, &record(&documents.iter().collect::<Vec<_>>()), 1);
        let batches = gathered(&pack, vec![rows]).expect("gathered");
        assert_eq!(
            batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(),
            [256, 256, 99]
        );
        assert_eq!(unpacked(&sequences(&batches)), expected(&documents, Some(199_999)));
    }

    #[test]
    fn partitions_follow_the_bytes_of_content() {
        let pack = pack(&TokenizeConfig::default());
        let partitions = |bytes| {
            pack.partitions(InputSize {
                bytes,
                ..InputSize::default()
            })
        };
        assert_eq!([0, 1, PARTITION_BYTES].map(partitions), [1, 1, 1]);
        assert_eq!([PARTITION_BYTES + 1, 10 * PARTITION_BYTES].map(partitions), [2, 10]);
        assert_eq!(partitions(u64::MAX), u32::MAX);
    }

    #[test]
    fn a_row_that_comes_twice_and_half_a_token_are_bugs() {
        let pack = pack(&config(8, Packing::Split));
        let documents = corpus(&[2]);
        let (rows, _) = scattered(&pack, &record(&documents.iter().collect::<Vec<_>>()), 1);
        assert!(gathered(&pack, vec![rows.clone(), rows.clone()]).is_err());
        let mut arrays = rows.columns().to_vec();
        arrays[3] = Arc::new(BinaryArray::from_vec(vec![b"12345"]));
        let odd = RecordBatch::try_new(rows.schema(), arrays).expect("same types");
        assert!(gathered(&pack, vec![odd]).is_err());
    }

    #[test]
    fn positions_beyond_the_published_type_are_refused() {
        let pack = pack(&config(8, Packing::Split));
        let sequences = |row: u32| {
            let documents = Corpus::from([((0, row), vec![1])]);
            let (rows, _) = scattered(&pack, &record(&documents.iter().collect::<Vec<_>>()), 1);
            gathered(&pack, vec![rows])
        };
        assert!(sequences(i32::MAX as u32).is_ok());
        assert!(sequences(i32::MAX as u32 + 1).is_err());
    }

    #[test]
    fn rows_without_tokens_are_skipped() {
        let pack = pack(&config(8, Packing::Split));
        let documents = corpus(&[2, 0, 3]);
        let record = record(&documents.iter().collect::<Vec<_>>());
        let mut arrays = record.columns().to_vec();
        arrays[3] = Arc::new(BinaryArray::from_opt_vec(vec![Some(&[1, 0, 0, 0]), Some(b""), None]));
        let record = RecordBatch::try_from_iter(
            record
                .schema()
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .zip(arrays),
        );
        let (rows, _) = scattered(&pack, &record.expect("equal lengths"), 1);
        let packed = sequences(&gathered(&pack, vec![rows]).expect("gathered"));
        assert_eq!(packed, [(vec![1, 199_999], vec![0, 2], vec![[0, 0, 0, 2]])]);
    }

    proptest! {
        #[test]
        fn no_token_is_lost_or_repeated(
            lengths in prop::collection::vec(0usize..40, 0..60),
            sequence_length in 2u32..20,
            whole in any::<bool>(),
            end_of_document in any::<bool>(),
        ) {
            let packing = if whole { Packing::Whole } else { Packing::Split };
            let config = TokenizeConfig { end_of_document, ..config(sequence_length, packing) };
            let documents = corpus(&lengths);
            let packed = run(&pack(&config), &documents);
            let end = end_of_document.then_some(Vocabulary::O200kBase.end_of_document());
            prop_assert_eq!(unpacked(&packed), expected(&documents, end));
            let full = sequence_length as usize;
            let sizes = lengths_of(&packed);
            prop_assert!(sizes.iter().all(|size| (1..=full).contains(size)));
            match packing {
                Packing::Split => prop_assert!(sizes.iter().rev().skip(1).all(|size| *size == full)),
                Packing::Whole => for (_, _, spans) in &packed {
                    for [_, row, start, end] in spans {
                        let length = lengths[*row as usize] as i32 + i32::from(end_of_document);
                        prop_assert!(*start % sequence_length as i32 == 0);
                        prop_assert!(*end == length || end - start == sequence_length as i32);
                    }
                },
            }
        }

        #[test]
        fn the_order_of_rows_and_batches_does_not_show(
            lengths in prop::collection::vec(0usize..40, 1..60),
            cuts in prop::collection::vec(1usize..7, 60),
            whole in any::<bool>(),
            turned in any::<prop::sample::Index>(),
        ) {
            let pack = pack(&config(16, if whole { Packing::Whole } else { Packing::Split }));
            let documents = corpus(&lengths);
            let expected = run(&pack, &documents);
            let mut rows: Vec<_> = documents.iter().collect();
            let middle = turned.index(rows.len());
            rows.rotate_left(middle);
            rows[middle..].reverse();
            let (mut batches, mut rest) = (Vec::new(), rows.as_slice());
            for cut in cuts {
                let (batch, behind) = rest.split_at(cut.min(rest.len()));
                batches.push(scattered(&pack, &record(batch), 1).0);
                rest = behind;
            }
            prop_assert_eq!(sequences(&gathered(&pack, batches).expect("gathered")), expected);
        }

        #[test]
        fn partitions_are_in_range_and_do_not_depend_on_the_batch(
            lengths in prop::collection::vec(0usize..40, 1..60),
            partitions in 1u32..9,
        ) {
            let pack = pack(&TokenizeConfig { repository_block: 2, ..config(16, Packing::Split) });
            let documents = corpus(&lengths);
            let rows: Vec<_> = documents.iter().collect();
            let (_, together) = scattered(&pack, &record(&rows), partitions);
            let alone: Vec<u32> =
                rows.iter().flat_map(|row| scattered(&pack, &record(&[*row]), partitions).1).collect();
            prop_assert!(together.iter().all(|partition| *partition < partitions));
            prop_assert_eq!(together, alone);
        }
    }
}
