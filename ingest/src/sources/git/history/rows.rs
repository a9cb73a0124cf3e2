//! Commits as rows: who, when, why, and which files became which.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::builder::{Int32Builder, Int64Builder, ListBuilder, StringBuilder, StructBuilder, UInt32Builder};
use arrow_schema::{DataType, Field};
use gix::ObjectId;
use gix::objs::CommitRef;
use stackmill_schemas::ids::hex;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::Emit;
use stackmill_schemas::{Error, Result, columns};

use super::super::super::past::{fields_of, recorded};
use super::super::super::paths::Trouble;
use super::super::objects::{HASH, LONGEST_COMMIT, Objects};
use super::changes::Change;
use super::commits::Commit;
use super::trees::Names;

/// A batch is handed on when it holds this many commits.
const BATCH_ROWS: usize = 1024;

/// A batch is handed on when its texts take this much (8 MiB).
const BATCH_BYTES: usize = 8 << 20;

/// Bytes of a change beside its paths.
const BYTES_OF_CHANGE: usize = 100;

/// Gathers rows of commits and hands them on in batches.
pub(super) struct Rows<'a, 'e> {
    unit: &'a Unit,
    emit: &'a mut Emit<'e>,
    commit: StringBuilder,
    parents: ListBuilder<StringBuilder>,
    author: Person,
    committer: Person,
    message: StringBuilder,
    changes: ListBuilder<StructBuilder>,
    rows: usize,
    bytes: usize,
    buffer: Vec<u8>,
}

/// Four columns about one of the people of a commit.
#[derive(Default)]
struct Person {
    name: StringBuilder,
    email: StringBuilder,
    time: Int64Builder,
    offset: Int32Builder,
}

impl Person {
    /// A person as a commit writes it; what is broken there is empty, and 0.
    fn append(&mut self, signature: Option<gix::actor::SignatureRef<'_>>) {
        let signature = signature.as_ref().map(gix::actor::SignatureRef::trim);
        let time = signature.as_ref().and_then(|signature| signature.time().ok());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.name.append_value(
            signature
                .as_ref()
                .map_or_else(String::new, |signature| text(signature.name)),
        );
        self.email.append_value(
            signature
                .as_ref()
                .map_or_else(String::new, |signature| text(signature.email)),
        );
        self.time.append_value(time.map_or(0, |time| time.seconds));
        self.offset.append_value(time.map_or(0, |time| time.offset));
    }
}

fn change_builder() -> ListBuilder<StructBuilder> {
    let text = || Box::new(StringBuilder::new());
    let mode = || Box::new(UInt32Builder::new());
    let fields = fields_of(columns::change());
    let change = StructBuilder::new(fields, vec![text(), text(), mode(), mode(), text(), text(), text()]);
    ListBuilder::new(change).with_field(Field::new_list_field(columns::change(), false))
}

impl<'a, 'e> Rows<'a, 'e> {
    pub(super) fn new(unit: &'a Unit, emit: &'a mut Emit<'e>) -> Self {
        let parents = ListBuilder::new(StringBuilder::new());
        Self {
            unit,
            emit,
            commit: StringBuilder::new(),
            parents: parents.with_field(Field::new_list_field(DataType::Utf8, false)),
            author: Person::default(),
            committer: Person::default(),
            message: StringBuilder::new(),
            changes: change_builder(),
            rows: 0,
            bytes: 0,
            buffer: Vec::new(),
        }
    }

    /// Adds a commit; `moves` are those of its changes that are two sides of a rename.
    pub(super) fn push(
        &mut self,
        commit: &Commit,
        objects: &mut Objects,
        changed: &[Change],
        moves: (&[(usize, usize)], &Names),
    ) -> Result<()> {
        let id = ObjectId::from(commit.id);
        let mut buffer = std::mem::take(&mut self.buffer);
        let found = objects.object(&id, LONGEST_COMMIT, &mut buffer)?;
        let parsed = found.ok().and_then(|_| CommitRef::from_bytes(&buffer, HASH).ok());
        let parsed = parsed.ok_or_else(|| Error::input(format!("commit {id} is broken")))?;
        self.commit.append_value(id.to_string());
        for parent in parsed.parents() {
            self.parents.values().append_value(parent.to_string());
        }
        self.parents.append(true);
        self.author.append(parsed.author().ok());
        self.committer.append(parsed.committer().ok());
        self.message.append_value(text_of(&parsed));
        drop(parsed);
        self.bytes += buffer.len();
        self.buffer = buffer;
        self.change_list(changed, moves)?;
        self.rows += 1;
        match self.rows == BATCH_ROWS || self.bytes >= BATCH_BYTES {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn change_list(&mut self, changed: &[Change], (moves, names): (&[(usize, usize)], &Names)) -> Result<()> {
        let sources: BTreeMap<usize, usize> = moves.iter().map(|&(from, to)| (to, from)).collect();
        let moved: std::collections::BTreeSet<usize> = sources.values().copied().collect();
        for (i, change) in changed.iter().enumerate() {
            if moved.contains(&i) {
                continue;
            }
            let before = sources.get(&i).map_or(change, |&from| &changed[from]);
            self.change(before, change, names)?;
        }
        self.changes.append(true);
        Ok(())
    }

    fn change(&mut self, from: &Change, to: &Change, names: &Names) -> Result<()> {
        let sides = [(from.path, from.before), (to.path, to.after)];
        let [old_path, new_path] = sides.map(|(path, side)| side.map(|_| recorded(&names.path(path))));
        let [old_id, new_id] = sides.map(|(_, side)| side.map(|side| hex(&side.id)));
        self.bytes += BYTES_OF_CHANGE
            + [&old_path, &new_path]
                .iter()
                .filter_map(|path| path.as_ref())
                .map(String::len)
                .sum::<usize>();
        let values = self.changes.values();
        let texts = [
            (0, old_path),
            (1, new_path),
            (4, old_id),
            (5, new_id),
            (6, to.trouble.map(Trouble::words)),
        ];
        for (i, text) in texts {
            let builder = values.field_builder::<StringBuilder>(i);
            builder.ok_or_else(|| Error::bug("not a text"))?.append_option(text);
        }
        for (i, (_, side)) in [2, 3].into_iter().zip(sides) {
            let builder = values.field_builder::<UInt32Builder>(i);
            builder
                .ok_or_else(|| Error::bug("not a mode"))?
                .append_option(side.map(|side| side.mode));
        }
        values.append(true);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let same =
            |text: &str| Arc::new(std::iter::repeat_n(Some(text), self.rows).collect::<arrow_array::StringArray>());
        let (repo_name, revision_id) = (same(&self.unit.repo_name), same(&self.unit.revision_id));
        let record = RecordBatch::try_new(
            columns::commits(),
            vec![
                repo_name,
                revision_id,
                Arc::new(self.commit.finish()),
                Arc::new(self.parents.finish()),
                Arc::new(self.author.name.finish()),
                Arc::new(self.author.email.finish()),
                Arc::new(self.author.time.finish()),
                Arc::new(self.author.offset.finish()),
                Arc::new(self.committer.name.finish()),
                Arc::new(self.committer.email.finish()),
                Arc::new(self.committer.time.finish()),
                Arc::new(self.committer.offset.finish()),
                Arc::new(self.message.finish()),
                Arc::new(self.changes.finish()),
            ],
        )?;
        (self.rows, self.bytes) = (0, 0);
        self.emit.emit(record)
    }

    /// Hands on what is left.
    pub(super) fn finish(mut self) -> Result<()> {
        match self.rows {
            0 => Ok(()),
            _ => self.flush(),
        }
    }
}

/// The message in UTF-8: by the encoding that the commit names, else with a mark for each byte that is none.
fn text_of(commit: &CommitRef<'_>) -> String {
    let named = commit
        .encoding
        .and_then(|label| encoding_rs::Encoding::for_label(label));
    let encoding = named.unwrap_or(encoding_rs::UTF_8);
    encoding.decode_without_bom_handling(commit.message).0.into_owned()
}
