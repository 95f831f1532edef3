//! The language server of NEMO: what an editor asks about a script, answered over the Language Server Protocol.
