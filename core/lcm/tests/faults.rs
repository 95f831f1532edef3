//! The fault matrix over the toy's operations, and the proof that the matrix notices what is wrong.

mod toy;

use manifold_lcm::fault::{Fault, matrix, matrix_of};
use toy::Toy;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_in_every_step_ends_in_completion_or_in_the_world_as_before() {
    let report = matrix(async || Toy::new()).await;
    report.assert_all_right();
    // vnf: grant 11, three others 12 each; ns: four of 12; resource: five of 6 (no rollback).
    assert_eq!(report.cases, 11 + 36 + 48 + 30, "{report:?}");
    let of_ns = matrix_of(async || Toy::new(), "ns.stack").await;
    assert_eq!((of_ns.cases, of_ns.left_out), (4 * Fault::ALL.len(), 0));
}
