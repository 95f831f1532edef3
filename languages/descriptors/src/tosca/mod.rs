//! TOSCA Simple Profile in YAML 1.3, as far as SOL001 needs it: files and their imports, types, values, topology templates.
//! It knows nothing of what a VNF is: [`crate::vnfd`], [`crate::nsd`] and [`crate::pnfd`] read their models from here.

mod builtin;
pub(crate) mod definitions;
mod names;
pub(crate) mod template;
pub(crate) mod types;
pub(crate) mod units;
pub(crate) mod values;
