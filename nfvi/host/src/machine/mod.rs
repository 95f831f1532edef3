//! Machines: QEMU, started, watched and ended.
