//! A disk that can lose what was not synced.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The piece that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// Something that happened while the store ran.
#[derive(Debug, Clone)]
pub enum Event {
    /// Bytes were written.
    Write {
        file: String,
        offset: usize,
        bytes: Vec<u8>,
    },
    /// A file was cut to a size.
    Truncate { file: String, size: usize },
    /// All that was done to a file is on disk.
    Sync { file: String },
    /// A file was removed; `synced` if its directory was synced too.
    Delete { file: String, synced: bool },
    /// The caller of a job was told that it is done.
    Answer { job: i64 },
}

/// What a power cut leaves of the changes that were not synced.
#[derive(Debug, Clone, Copy)]
pub enum Cut {
    /// None of them.
    Nothing,
    /// All of them.
    Everything,
    /// Each by chance, in order.
    Some,
    /// All up to one, and that one torn.
    Beginning,
}

impl Cut {
    /// Picks one by chance; the cruellest is as likely as all others but the mildest.
    pub fn any(random: &mut Random) -> Self {
        match random.below(7) {
            0 | 1 => Self::Nothing,
            2 => Self::Everything,
            3 | 4 => Self::Some,
            _ => Self::Beginning,
        }
    }
}

/// The files: what is surely there, and the changes that may be.
#[derive(Default)]
pub struct Disk {
    files: BTreeMap<String, Vec<u8>>,
    pending: Vec<Event>,
}

impl Disk {
    /// Takes a change; a sync makes those of its file sure.
    pub fn apply(&mut self, event: &Event) {
        let Event::Sync { file } = event else {
            if let Event::Delete { file, synced: true } = event {
                self.pending.retain(|change| name_of(change) != Some(file));
                self.files.remove(file);
            } else {
                self.pending.push(event.clone());
            }
            return;
        };
        let (sure, rest) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|change| name_of(change) == Some(file));
        self.pending = rest;
        for change in Vec::<Event>::from_iter(sure) {
            change_files(&mut self.files, &change, usize::MAX);
        }
        self.files.entry(file.clone()).or_default();
    }

    /// Writes the files as they may be found after the power returns.
    pub fn write_what_is_left(&self, dir: &Path, cut: Cut, random: &mut Random) {
        let mut files = self.files.clone();
        let last = random.below(self.pending.len() + 1);
        for (at, change) in self.pending.iter().enumerate() {
            let torn = random.below(8) == 0;
            let kept = match cut {
                Cut::Some if random.below(2) == 0 => 0,
                Cut::Some if torn => random.sectors(change),
                Cut::Everything | Cut::Some => usize::MAX,
                Cut::Beginning if at < last => usize::MAX,
                Cut::Beginning if at == last => random.sectors(change),
                Cut::Nothing | Cut::Beginning => 0,
            };
            if kept > 0 {
                change_files(&mut files, change, kept);
            }
        }
        for (name, bytes) in files {
            fs::write(dir.join(name), bytes).expect("a file of the disk");
        }
    }
}

/// Returns the file that a change is about.
fn name_of(event: &Event) -> Option<&String> {
    match event {
        Event::Write { file, .. }
        | Event::Truncate { file, .. }
        | Event::Sync { file }
        | Event::Delete { file, .. } => Some(file),
        Event::Answer { .. } => None,
    }
}

/// Makes a change, of a write only the first `kept` bytes.
fn change_files(files: &mut BTreeMap<String, Vec<u8>>, event: &Event, kept: usize) {
    match event {
        Event::Write {
            file,
            offset,
            bytes,
        } => {
            let bytes = &bytes[..kept.min(bytes.len())];
            let content = files.entry(file.clone()).or_default();
            let end = offset + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*offset..end].copy_from_slice(bytes);
        }
        Event::Truncate { file, size } => {
            files.entry(file.clone()).or_default().resize(*size, 0);
        }
        Event::Delete { file, .. } => {
            files.remove(file);
        }
        Event::Sync { .. } | Event::Answer { .. } => {}
    }
}

/// A small generator, so that a number names a choice of cuts.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns a number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = u64::try_from(bound).expect("a size fits in 64 bits");
        usize::try_from((self.0 >> 11) % bound).expect("it is below a usize")
    }

    /// Returns how many bytes of a torn write reach the disk, in whole sectors.
    fn sectors(&mut self, event: &Event) -> usize {
        match event {
            Event::Write { bytes, .. } => self.below(bytes.len() / SECTOR + 1) * SECTOR,
            _ => 0,
        }
    }
}
