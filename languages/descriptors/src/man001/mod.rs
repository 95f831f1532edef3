//! The descriptors that GS NFV-MAN 001 draws.
pub(crate) mod vnfd;
