//! Probes: packets sent from inside a node or a machine.
