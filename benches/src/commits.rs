//! The store: what a commit costs alone, and how many there are in a second when many want one.

use crate::bare::{Bare, ROW_BYTES};
use crate::figure::{Figure, Spread, Unit};
use crate::stage::{self, Outcome};
use futures_util::future::try_join_all;
use manifold_store::{Batch, Expect, Kind, Put, SqliteStore, Store};
use serde_json::json;
use std::time::{Duration, Instant};

const DOCUMENT: Kind = Kind("bench.document");
/// Commits of one measurement, one after the other.
const ALONE: u64 = 100;
/// Callers at a time, and the commits of each.
const CALLERS: u32 = 64;
const EACH: u32 = 20;
const ROUNDS: u32 = 7;

pub(crate) fn run() {
    stage::report(measure);
}

fn measure() -> Outcome<Vec<Figure>> {
    let folder = stage::folder()?;
    let store = SqliteStore::open(&folder.join("store"))?;
    let bare = Bare::open(&folder)?;
    stage::runtime()?.block_on(async {
        let (mut alone, mut floor, mut grouped, mut transactions) = (vec![], vec![], vec![], vec![]);
        for round in 0..=ROUNDS {
            let begin = Instant::now();
            for number in 0..ALONE {
                put(&store, format!("{round} {number}")).await?;
            }
            let one_by_one = begin.elapsed();
            let bare_took = bare.commits(ALONE)?;

            let before = store.transactions();
            let begin = Instant::now();
            let callers = (0..CALLERS).map(|caller| {
                let store = &store;
                async move {
                    for number in 0..EACH {
                        put(store, format!("{round} {caller} {number}")).await?;
                    }
                    Outcome::Ok(())
                }
            });
            try_join_all(callers).await?;
            let together = begin.elapsed();
            if round > 0 {
                alone.push(one_by_one / u32::try_from(ALONE)?);
                floor.push(bare_took / u32::try_from(ALONE)?);
                grouped.push(per_second(CALLERS * EACH, together));
                transactions.push(f64::from(CALLERS * EACH) / f64::from(u32::try_from(store.transactions() - before)?));
            }
        }
        let bare_rate = floor.iter().map(|time| per_second(1, *time));
        let one = Figure::new("store commit alone", Unit::Milliseconds, Spread::of_times(&alone))
            .floor("bare SQLite, WAL, synchronous FULL", Spread::of_times(&floor));
        let many = Figure::new(
            format!("store commits, {CALLERS} callers"),
            Unit::PerSecond,
            Spread::of(grouped),
        )
        .floor("bare SQLite, one after the other", Spread::of(bare_rate))
        .note(format!(
            "{:.0} commits share one fsync; more is better",
            Spread::of(transactions).median
        ));
        Ok(vec![one, many])
    })
}

async fn put(store: &SqliteStore, id: String) -> Outcome<()> {
    let body = json!({ "body": "x".repeat(ROW_BYTES) });
    let put = Put::new(DOCUMENT, id, Expect::Absent, body).tenant(Some("bench"));
    store.commit(Batch::new().write(put)).await?;
    Ok(())
}

fn per_second(count: u32, time: Duration) -> f64 {
    f64::from(count) / time.as_secs_f64()
}
