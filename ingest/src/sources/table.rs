//! (being written)
use super::Setup;
use stackmill_schemas::{Error, Result};
/// x
pub(super) struct S;
pub(super) fn open(_setup: Setup) -> Result<S> { Err(Error::bug("stub")) }
impl stackmill_schemas::stage::Source for S {
    fn resolve(&self, _: &stackmill_schemas::TaskContext) -> Result<Vec<stackmill_schemas::lock::Unit>> { Err(Error::bug("stub")) }
    fn list(&self, _: &stackmill_schemas::lock::Unit, _: &mut stackmill_schemas::stage::Emit<'_>, _: &stackmill_schemas::TaskContext) -> Result<()> { Err(Error::bug("stub")) }
    fn read(&self, _: &stackmill_schemas::lock::Unit, _: &arrow_array::RecordBatch, _: &mut stackmill_schemas::stage::Emit<'_>, _: &stackmill_schemas::TaskContext) -> Result<()> { Err(Error::bug("stub")) }
}
