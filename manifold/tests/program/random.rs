//! Network services by chance.

use crate::{cache, folder, program};
use manifold_campaign::Random;

/// Two of them side by side, by a seed that is printed; `MANIFOLD_RANDOM_SEED`, or `campaign random --seed`, repeats it.
// proves: NFV006-OBJ-04
pub(crate) fn two() {
    let given = std::env::var("MANIFOLD_RANDOM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_secs()));
    let what = Random {
        cases: 2,
        seed,
        first: 0,
    };
    manifold_campaign::random(program(), &cache(), folder(), what);
}
