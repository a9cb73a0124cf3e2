//! What lists of repositories say about them beyond what every listing has: columns that ride along with each file.
//!
//! ```text
//!   list      url, stars, archived, pushed_at     [[source]] metadata = ["archived", "pushed_at"]
//!   lock      a text a column and repository
//!   listing   … archived (flag) pushed_at (text)  the same in every row of a repository; null in other sources' rows
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::take::take;
use stackmill_schemas::{Error, Result, ResultExt};

use super::metadata::{Column, Kind, free};
use crate::sources::SourceConfig;

/// Columns that the lists of a recipe's sources bring along, in order of name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Riding(BTreeMap<String, Kind>);

impl Riding {
    /// Those of some sources together; one that has two types, or no name for a column, is a config error.
    pub fn of(sources: &[SourceConfig]) -> Result<Self> {
        let mut columns = BTreeMap::new();
        for source in sources {
            for (name, kind) in Self::of_one(source)?.0 {
                let before = columns.insert(name.clone(), kind);
                if before.is_some_and(|before| before != kind) {
                    return Err(Error::config(format!("`{name}` has two types in two sources"))
                        .hint(format!("say `types.{name}` in both [[source]] tables")));
                }
            }
        }
        Ok(Self(columns))
    }

    /// Those of one source.
    pub(crate) fn of_one(source: &SourceConfig) -> Result<Self> {
        if let Some(name) = source.types.keys().find(|name| !source.metadata.contains(name)) {
            return Err(Error::config(format!(
                "source: `types.{name}` is about no column of `metadata`"
            )));
        }
        let column = |name: &String| {
            free("metadata", name)?;
            let kind = source.types.get(name).copied();
            Ok((name.clone(), kind.unwrap_or_else(|| Kind::usual(name))))
        };
        source.metadata.iter().map(column).collect::<Result<_>>().map(Self)
    }

    /// The columns that are added to a listing.
    pub fn fields(&self) -> Vec<Field> {
        let field = |(name, kind): (&String, &Kind)| Field::new(name, kind.data_type(), true);
        self.0.iter().map(field).collect()
    }

    /// A listing's columns after [`Riding::join`].
    pub fn schema(&self, listing: &Schema) -> SchemaRef {
        let added = self.fields().into_iter().map(Arc::new);
        let fields = listing.fields().iter().cloned().chain(added);
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Refuses a value that is not of its column's type.
    pub(crate) fn check(&self, values: &BTreeMap<String, String>) -> Result<()> {
        self.0.iter().try_for_each(|(name, kind)| {
            let value = values.get(name).map(String::as_str);
            Column::of(&kind.data_type()).push(name, value).map(drop)
        })
    }

    /// A listing of one repository, with what the list says of it; what it does not say is null.
    pub fn join(&self, listing: &RecordBatch, values: &BTreeMap<String, String>) -> Result<RecordBatch> {
        let same = UInt32Array::from_value(0, listing.num_rows());
        let mut arrays = listing.columns().to_vec();
        for (name, kind) in &self.0 {
            let mut column = Column::of(&kind.data_type());
            column.push(name, values.get(name).map(String::as_str))?;
            arrays.push(take(&column.finish(), &same, None)?);
        }
        RecordBatch::try_new(self.schema(&listing.schema()), arrays).context("metadata of a list of repositories")
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{BooleanArray, Int64Array, StringArray};
    use arrow_schema::DataType;

    use super::*;

    fn source(metadata: &[&str], types: &[(&str, Kind)]) -> SourceConfig {
        SourceConfig {
            metadata: metadata.iter().map(|&name| name.to_owned()).collect(),
            types: types.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect(),
            ..SourceConfig::default()
        }
    }

    fn listing(rows: usize) -> RecordBatch {
        let paths: StringArray = (0..rows).map(|row| Some(row.to_string())).collect();
        RecordBatch::try_from_iter([("path", Arc::new(paths) as _)]).expect("one column")
    }

    #[test]
    fn every_row_of_a_repository_has_what_its_list_says() {
        let sources = [
            source(&["pushed_at", "archived"], &[]),
            source(&["size"], &[("size", Kind::Integer)]),
        ];
        let riding = Riding::of(&sources).expect("columns");
        let values = [
            ("archived".to_owned(), "yes".to_owned()),
            ("size".to_owned(), "7.0".to_owned()),
        ]
        .into();
        for rows in [0, 1, 3] {
            let joined = riding.join(&listing(rows), &values).expect("typed values");
            let column = |name: &str| joined.column_by_name(name).expect("a column").clone();
            assert_eq!(*column("archived"), BooleanArray::from(vec![true; rows]));
            assert_eq!(*column("size"), Int64Array::from(vec![7; rows]));
            assert_eq!(column("pushed_at").null_count(), rows);
            assert_eq!(joined.schema(), riding.schema(&listing(0).schema()));
        }
        assert_eq!(riding.fields()[1].data_type(), &DataType::Utf8);
        assert_eq!(Riding::of(&[source(&[], &[])]).expect("nothing"), Riding::default());
    }

    #[test]
    fn odd_columns_and_values_are_refused() {
        for (odd, words) in [
            (source(&["stars"], &[]), "already"),
            (source(&["license"], &[]), "already"),
            (source(&["tips"], &[]), "already"),
            (source(&["Pushed At"], &[]), "`Pushed At`"),
            (source(&[], &[("size", Kind::Integer)]), "types.size"),
        ] {
            let error = Riding::of(&[odd]).expect_err(words);
            assert!(error.to_string().contains(words), "{error}");
        }
        let two = [source(&["size"], &[]), source(&["size"], &[("size", Kind::Number)])];
        assert!(
            Riding::of(&two)
                .expect_err("two types")
                .to_string()
                .contains("two types")
        );
        let riding = Riding::of(&[source(&["archived"], &[])]).expect("a column");
        let odd = [("archived".to_owned(), "perhaps".to_owned())].into();
        assert!(riding.check(&odd).expect_err("no flag").to_string().contains("perhaps"));
        assert!(riding.join(&listing(1), &odd).is_err() && riding.check(&BTreeMap::new()).is_ok());
    }
}
