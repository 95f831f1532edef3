//! The suite that every implementation of [`crate::Store`] passes.
