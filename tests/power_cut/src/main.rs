//! A power cut loses nothing that was answered.
//!
//! A real store runs over a file system that remembers every write, truncation, sync
//! and deletion, and between them every answer. Then the power is cut at random
//! moments: what was synced stays; of the rest, nothing, all, a random part, or a
//! beginning, and some writes are torn at 512 bytes. Each time the store opens again,
//! is sound, has every job that was answered and no half job.
//!
//! The test proves that it can see: the same cuts with weaker durability must lose
//! answered jobs in more than half of the cases.
//!
//! Usage: `cargo test --release [-- cuts]`; the same number gives the same choice of cuts.

mod disk;
mod shim;

use std::collections::HashSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering};

use disk::{Cut, Disk, Event, Random};
use elastane::domain::error::Result;
use elastane::store::options::{Options, Synchronous};
use elastane::store::{Migration, OpenMode, Plan, Store};

/// The cuts of one recording; each recording is another run of the threads.
const CUTS_A_RECORDING: usize = 300;

/// The cuts of a control: enough to tell half from nothing.
const CONTROL_CUTS: usize = 300;

/// The threads that write, so that commits hold several jobs.
const PRODUCERS: usize = 8;

/// The jobs of one recording: some checkpoints' worth.
const JOBS: i64 = 600;

/// The pages of the log after which it is copied into the file. SQLite's 1,000 would
/// leave most recordings without the moments that matter most.
const CHECKPOINT_PAGES: i64 = 100;

const DEFAULT_CUTS: usize = 3_000;

const SCHEMA: &str = "CREATE TABLE pairs (
    job INTEGER NOT NULL, half INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job, half)
) STRICT;";

const PLAN: Plan = Plan {
    schema: SCHEMA,
    migrations: &[Migration {
        name: "pairs",
        sql: SCHEMA,
    }],
};

/// How many cuts were made and what they did.
#[derive(Debug, Default)]
struct Tally {
    cuts: usize,
    answered: usize,
    lost: usize,
    unsound: usize,
}

impl Tally {
    fn bad(&self) -> usize {
        self.lost + self.unsound
    }
}

fn main() -> ExitCode {
    let cuts = std::env::args().nth(1).map_or(DEFAULT_CUTS, |text| {
        text.parse().expect("the argument is a number of cuts")
    });
    shim::register();
    let full = run(Synchronous::Full, cuts);
    println!("FULL    {full:?}");
    let normal = run(Synchronous::Normal, CONTROL_CUTS);
    println!("NORMAL  {normal:?}  (a control: must lose)");
    let off = run(Synchronous::Off, CONTROL_CUTS);
    println!("OFF     {off:?}  (a control: must lose)");
    let blind = [&normal, &off]
        .iter()
        .any(|tally| tally.bad() * 2 <= tally.cuts);
    if blind {
        println!("the controls lost too little: this test sees nothing");
    }
    if full.bad() > 0 || blind {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Records and cuts until there are `cuts` of them.
fn run(synchronous: Synchronous, cuts: usize) -> Tally {
    let mut tally = Tally::default();
    let mut seed = 1;
    while tally.cuts < cuts {
        let wanted = CUTS_A_RECORDING.min(cuts - tally.cuts);
        let events = record(synchronous);
        cut(
            &events,
            wanted,
            seed,
            synchronous == Synchronous::Full,
            &mut tally,
        );
        seed += 1;
    }
    tally
}

/// Runs a store under load and returns all that happened, in order.
fn record(synchronous: Synchronous) -> Vec<Event> {
    let dir = tempfile::tempdir().expect("a directory for the recording");
    shim::start();
    let options = Options {
        vfs: Some(shim::NAME.to_owned()),
        synchronous,
        plan: PLAN,
        ..Options::default()
    };
    let path = dir.path().join("elastane.db");
    let store = Store::open_with(&path, OpenMode::Create, options).expect("a new store");
    let often = store.write(|write| {
        let raw = write.raw_for_tests();
        Ok(raw.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?)
    });
    often.expect("a pragma");
    let next = AtomicI64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..PRODUCERS {
            scope.spawn(|| {
                loop {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    if job > JOBS {
                        return;
                    }
                    put_pair(&store, job).expect("a write");
                    shim::note(Event::Answer { job });
                }
            });
        }
    });
    store.close();
    shim::stop()
}

fn put_pair(store: &Store, job: i64) -> Result<()> {
    store.write(move |write| {
        for half in 0..2 {
            let body = "x".repeat(usize::try_from(job * 37 % 700).unwrap_or(0));
            write
                .raw_for_tests()
                .prepare_cached("INSERT INTO pairs VALUES (?1, ?2, ?3)")?
                .execute((job, half, body))?;
        }
        Ok(())
    })
}

/// Cuts the power at `wanted` random moments of a recording and looks at each.
fn cut(events: &[Event], wanted: usize, seed: u64, report: bool, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let mut moments: Vec<usize> = (0..wanted)
        .map(|_| random.below(events.len() + 1))
        .collect();
    moments.sort_unstable();
    let mut disk = Disk::default();
    let mut answered = HashSet::new();
    let mut done = 0;
    for moment in moments {
        for event in &events[done..moment] {
            match event {
                Event::Answer { job } => {
                    answered.insert(*job);
                }
                change => disk.apply(change),
            }
        }
        done = moment;
        let kind = Cut::any(&mut random);
        let dir = tempfile::tempdir().expect("a directory for what is left");
        disk.write_what_is_left(dir.path(), kind, &mut random);
        tally.cuts += 1;
        tally.answered += answered.len();
        let verdict = look(dir.path(), &answered);
        if let (true, Err(what)) = (report, &verdict) {
            // A damaged file has a complaint for every page; the first ones say enough.
            let what: String = format!("{what:?}").chars().take(300).collect();
            let of = events.len();
            println!("seed {seed}, moment {moment} of {of}, {kind:?}: {what}");
        }
        match verdict {
            Ok(()) => {}
            Err(Harm::Lost(_)) => tally.lost += 1,
            Err(Harm::Unsound(_)) => tally.unsound += 1,
        }
    }
}

/// What a cut must not do.
#[derive(Debug)]
#[expect(dead_code, reason = "the texts are shown by Debug")]
enum Harm {
    Lost(String),
    Unsound(String),
}

/// Opens what is left, as the product does, and looks for all that was answered.
fn look(dir: &Path, answered: &HashSet<i64>) -> std::result::Result<(), Harm> {
    let unsound = |error: elastane::domain::error::Error| {
        Harm::Unsound(format!("{error}: {}", error.causes()))
    };
    let options = Options {
        // Nothing cuts the power again, so this only saves time.
        synchronous: Synchronous::Off,
        plan: PLAN,
        ..Options::default()
    };
    let path = dir.join("elastane.db");
    let store = Store::open_with(&path, OpenMode::Create, options).map_err(unsound)?;
    let check = store.check().map_err(unsound)?;
    if !check.is_sound() {
        return Err(Harm::Unsound(format!("{check:?}")));
    }
    let jobs = store.read_within(60_000, |read| {
        let mut statement = read
            .raw_for_tests()
            .prepare("SELECT job, count(*) FROM pairs GROUP BY job")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<Vec<(i64, i64)>>>()?)
    });
    let jobs = jobs.map_err(unsound)?;
    if let Some((job, _)) = jobs.iter().find(|(_, halves)| *halves != 2) {
        return Err(Harm::Unsound(format!("half of job {job} is there")));
    }
    let present: HashSet<i64> = jobs.into_iter().map(|(job, _)| job).collect();
    let lost = answered.difference(&present).count();
    if lost > 0 {
        return Err(Harm::Lost(format!("{lost} answered jobs are gone")));
    }
    Ok(())
}
