//! The whole program on the real kernel, from outside. Each test has namespaces of its own; see the campaign's crate.

#[path = "program/catalogue.rs"]
mod catalogue;
#[path = "program/demo.rs"]
mod demo;
#[path = "program/nested.rs"]
mod nested;
#[path = "program/os_ma.rs"]
mod os_ma;
#[path = "program/plane.rs"]
mod plane;
#[path = "program/random.rs"]
mod random;
#[path = "program/script.rs"]
mod script;
#[path = "program/trace.rs"]
mod trace;

use manifold_campaign::{Chaos, Work, work};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The program under test.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_manifold"))
}

/// Where images are kept; built once.
fn cache() -> PathBuf {
    std::env::var_os("MANIFOLD_CACHE").map_or_else(|| "/var/cache/manifold".into(), PathBuf::from)
}

/// Everything of a test: its /tmp is its own.
fn folder() -> &'static Path {
    Path::new("/tmp/manifold-test")
}

const WORKS: &[Work] = &[
    work!(
        "machine_demo_shows_all_that_it_promises_and_leaves_nothing",
        400,
        demo::whole,
        guest
    ),
    work!(
        "machine_trace_of_an_instantiation_is_the_one_that_etsi_draws",
        170,
        trace::instantiation,
        guest
    ),
    work!(
        "machine_chaos_twenty_kills_lose_no_packet_and_leave_nothing",
        360,
        chaos,
        guest
    ),
    work!(
        "machine_reboot_brings_everything_back_with_the_same_addresses",
        170,
        reboot,
        guest
    ),
    work!(
        "machine_drift_by_hand_is_mended_and_neighbours_lose_nothing",
        170,
        drift,
        guest
    ),
    work!(
        "machine_random_services_connect_what_they_say_and_leave_nothing",
        170,
        random::two,
        guest
    ),
    work!(
        "machine_nested_services_of_two_sites_are_one_network_and_go_at_once",
        170,
        nested::services,
        guest
    ),
    work!(
        "machine_script_is_applied_packets_pass_it_and_it_leaves_nothing",
        170,
        script::composite,
        guest
    ),
    work!(
        "machine_update_makes_what_the_new_version_says_and_what_stays_loses_no_packet",
        170,
        update,
        guest
    ),
    work!("the_agent_is_started_by_up_and_outlives_it", 60, plane::agent_outlives),
    work!(
        "commands_name_the_culprit_and_their_exit_codes_say_its_kind",
        60,
        plane::culprits
    ),
    work!("sol005_is_spoken_with_curl", 60, os_ma::curl_asks),
    work!("the_catalogue_is_kept_with_curl", 60, catalogue::curl_keeps),
];

fn main() -> ExitCode {
    manifold_campaign::main(WORKS, &cache())
}

/// The seed of the kills: the clock's day would make each day's run another; a failure prints it, and `campaign chaos --seed`
/// repeats it.
fn seed() -> u64 {
    let given = std::env::var("MANIFOLD_CHAOS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_secs()))
}

fn chaos() {
    let what = Chaos {
        kills: 20,
        seed: seed(),
        first_life: 0,
    };
    manifold_campaign::chaos(program(), &cache(), folder(), what);
}

/// All kernel state is lost, as when the machine is switched off.
fn reboot() {
    manifold_campaign::reboot(program(), &cache(), folder());
}

/// With the demo, which instantiates, scales, heals and terminates: every operation of an NS, end to end.
// proves: NFV006-NFVO-01, NFV006-VNFM-01
fn update() {
    manifold_campaign::update(program(), &cache(), folder());
}

fn drift() {
    manifold_campaign::drift(program(), &cache(), folder());
}
