//! What exact and near duplicates share: the check of a keep policy, and decisions about a file and its keeper.

use stackmill_schemas::file::Place;
use stackmill_schemas::rank::Criterion;
use stackmill_schemas::stage::Emit;
use stackmill_schemas::{BlobId, Decision, Error, FileId, Outcome, Reason, Result};

/// Rows of one emitted batch of decisions.
const ROWS: usize = 16_384;

/// A file and the keeper of its cluster; the keeper itself is one too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Duplicate {
    /// The file.
    pub(crate) file: FileId,
    /// The keeper: the file itself when it is kept.
    pub(crate) keeper: FileId,
    /// The keeper's blob id, the cluster's name; absent where the source gave none.
    pub(crate) blob: Option<[u8; 20]>,
    /// Jaccard index to the keeper.
    pub(crate) similarity: f64,
}

impl Duplicate {
    fn decision(&self, place: Place<'_>, threshold: Option<f64>) -> Decision {
        let kept = self.file == self.keeper;
        let cluster = self
            .blob
            .map_or_else(|| self.keeper.to_string(), |blob| BlobId(blob).to_string());
        let measured = threshold.filter(|_| !kept);
        let reason = Reason {
            value: measured.map(|_| self.similarity.into()),
            limit: measured.map(Into::into),
            ..Reason::duplicate_of(self.keeper, cluster, self.similarity)
        };
        Decision {
            file_id: self.file,
            outcome: if kept { Outcome::Kept } else { Outcome::Dropped },
            stage: place.stage.to_owned(),
            rule: place.rule.to_owned(),
            reason,
        }
    }
}

/// Emits decisions in file order, a bounded number a batch; with a threshold, the similarity is the measured value.
pub(crate) fn emit_decisions(
    mut duplicates: Vec<Duplicate>,
    place: Place<'_>,
    threshold: Option<f64>,
    emit: &mut Emit<'_>,
) -> Result<()> {
    duplicates.sort_unstable_by_key(|duplicate| duplicate.file);
    for chunk in duplicates.chunks(ROWS) {
        let decisions: Vec<Decision> = chunk
            .iter()
            .map(|duplicate| duplicate.decision(place, threshold))
            .collect();
        emit.emit(Decision::to_record(&decisions)?)?;
    }
    Ok(())
}

/// Refuses a keep policy that names a criterion twice, or one that is never reached.
pub(crate) fn check_policy(stage: &str, keep: &[Criterion]) -> Result<()> {
    for (i, criterion) in keep.iter().enumerate() {
        if keep[..i].contains(criterion) {
            return Err(
                Error::config(format!("stage `{stage}`: `keep` names a criterion twice"))
                    .hint("a word or column decides once: the first time"),
            );
        }
        if keep[..i].contains(&Criterion::Hash) && *criterion != Criterion::Path {
            return Err(Error::config(format!("stage `{stage}`: `keep` goes on after `hash`"))
                .hint("hardly two files are equal in `hash`: put it last, or before `path`"));
        }
        if keep[..i].contains(&Criterion::Path) {
            return Err(Error::config(format!("stage `{stage}`: `keep` goes on after `path`"))
                .hint("no two files are equal in `path`: put it last, or leave it out"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Criterion::{Forks, Hash, License, Path, Stars};

    #[test]
    fn policies_name_a_criterion_once_and_path_last() {
        let accepted = |keep: &[Criterion]| check_policy("near", keep).is_ok();
        assert!(accepted(&[]) && accepted(&[Path]) && accepted(&[License, Stars, Forks, Path]));
        assert!(!accepted(&[Stars, Stars]) && !accepted(&[Path, Stars]));
        assert!(accepted(&[Stars, Hash]) && accepted(&[Hash, Path]) && !accepted(&[Hash, Stars]));
    }
}
