use manifold_call::OccurrenceId;

/// The lifecycle engine's event that a step waits for until an occurrence of an NS operation comes to rest; the dispatcher of
/// notifications signals it.
pub fn ns_operation_event(id: OccurrenceId) -> String {
    format!("ns-lcm-op-occ:{id}")
}
