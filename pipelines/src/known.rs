//! What is known of repositories beside what every listing says: lists of repositories, and tables under `[metadata]`.

use std::collections::BTreeMap;

use arrow_array::{RecordBatch, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde_json::Value;
use stackmill_ingest::lists::{self, Metadata, Named, OptOut, Riding};
use stackmill_schemas::lock::Unit;
use stackmill_schemas::rank::{BITS, Criterion, bits};
use stackmill_schemas::{Error, Result, columns};

use crate::passes::listing::value;
use crate::recipe::Recipe;
use crate::stages::Artefacts;

/// Both, which add columns to a listing.
pub struct Known {
    riding: Riding,
    /// The tables under `[metadata]`.
    pub metadata: Option<Metadata>,
}

impl Known {
    /// Puts both together; a column that both bring is a config error.
    pub fn new(riding: Riding, metadata: Option<Metadata>) -> Result<Self> {
        let told = metadata.as_ref().map(Metadata::fields).unwrap_or_default();
        let twice = |field: &Field| told.iter().any(|other| other.name() == field.name());
        match riding.fields().into_iter().find(twice) {
            Some(field) => Err(
                Error::config(format!("`{}` comes from a source and from [metadata]", field.name()))
                    .hint("take it out of one of them, or give it another name there"),
            ),
            None => Ok(Self { riding, metadata }),
        }
    }

    /// The columns that are added.
    pub fn fields(&self) -> Vec<Field> {
        let further = self.metadata.as_ref().map(Metadata::fields).unwrap_or_default();
        self.riding.fields().into_iter().chain(further).collect()
    }

    /// A listing's columns with these.
    pub fn schema(&self, listing: &SchemaRef) -> SchemaRef {
        let riding = self.riding.schema(listing);
        let joined = self.metadata.as_ref().map(|metadata| metadata.schema(&riding));
        joined.unwrap_or(riding)
    }

    /// A unit's listing with what is known of it.
    pub fn join(&self, listing: &RecordBatch, unit: &Unit) -> Result<RecordBatch> {
        let listing = self.riding.join(listing, &unit.metadata)?;
        match &self.metadata {
            Some(metadata) => metadata.join(&listing),
            None => Ok(listing),
        }
    }

    /// A listing with values that a test of a recipe gives instead.
    pub fn given(&self, listing: &RecordBatch, values: &BTreeMap<String, Value>) -> Result<RecordBatch> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let texts = values.iter().map(|(name, value)| (name.clone(), text(value)));
        let listing = self.riding.join(listing, &texts.collect())?;
        match &self.metadata {
            Some(metadata) => metadata.given(&listing, values),
            None => Ok(listing),
        }
    }

    /// Refuses a keep policy that asks for what nobody knows, or for too much; `listing`: the columns that files have.
    pub fn check(&self, keep: &[Criterion], listing: &Schema) -> Result<()> {
        let refuse =
            |message: String, hint: String| Err(Error::config(format!("stage `exact`: `keep` {message}")).hint(hint));
        let fields = self.fields();
        let mut named = Vec::new();
        for criterion in keep {
            match criterion {
                Criterion::Archived | Criterion::Fork => {
                    let name = criterion.to_string();
                    let is_flag = |field: &Field| *field.name() == name && field.data_type() == &DataType::Boolean;
                    if !fields.iter().any(is_flag) {
                        let hint =
                            format!("name a column of flags for it under [metadata]: columns.{name} = \"{name}\"");
                        return refuse(format!("names `{name}`, which nobody knows"), hint);
                    }
                }
                // What every listing has as text is no date: it would order nothing.
                Criterion::Column { name, .. } if is_text(&columns::listed(), name) => {
                    let hint = "numbers, flags, and texts that begin with a date have one; `depth`, `hash` and `path` order \
                                by what files are called";
                    return refuse(format!("names `{name}`, a text that has no order"), hint.to_owned());
                }
                Criterion::Column { name, .. } => match listing.field_with_name(name) {
                    Ok(field) => named.push(new_null_array(field.data_type(), 0)),
                    Err(_) => {
                        let hint =
                            format!("let it ride along: metadata = [\"{name}\"] in its [[source]], or [metadata]");
                        return refuse(format!("names the column `{name}`, which nobody knows"), hint);
                    }
                },
                _ => {}
            }
        }
        let values: Option<Vec<_>> = named.iter().map(|column| value(column, None)).collect();
        match values.map(|values| bits(keep, &values)) {
            Some(needed) if needed <= BITS => Ok(()),
            Some(needed) => refuse(
                format!("needs {needed} bits for its criteria, and a rank has {BITS}"),
                "stars and forks take 20 each, a number 24, a day 16, depth 5, license and a flag of a column 2, others \
                 1; a hash all that are left, and 32 at least"
                    .to_owned(),
            ),
            None => refuse(
                "names a column that has no order".to_owned(),
                "numbers, flags, and texts that begin with a date have one".to_owned(),
            ),
        }
    }
}

fn is_text(schema: &Schema, name: &str) -> bool {
    let field = schema.field_with_name(name);
    field.is_ok_and(|field| *field.data_type() == DataType::Utf8)
}

/// Tables that the recipe names; what stands for their bytes goes to `artefacts`.
fn tables(recipe: &Recipe, names: &[String], artefacts: &mut Artefacts) -> Result<Vec<Named>> {
    let tables = recipe.tables(names)?.into_iter().map(|(table, revision)| {
        artefacts.insert(table.name.clone(), revision);
        table
    });
    Ok(tables.collect())
}

/// The tables under `[metadata]`.
pub(crate) fn metadata(recipe: &Recipe, artefacts: &mut Artefacts) -> Result<Option<Metadata>> {
    let Some(config) = &recipe.metadata else {
        return Ok(None);
    };
    let tables = &tables(recipe, config.tables()?, artefacts)?;
    let stores = &recipe.stores;
    Metadata::load(config, lists::Place { tables, stores }).map(Some)
}

/// Who has opted out.
pub(crate) fn opt_out(recipe: &Recipe, artefacts: &mut Artefacts) -> Result<Option<OptOut>> {
    let Some(config) = &recipe.opt_out else {
        return Ok(None);
    };
    let tables = &tables(recipe, config.lists()?, artefacts)?;
    let stores = &recipe.stores;
    OptOut::load(config, lists::Place { tables, stores }).map(Some)
}
