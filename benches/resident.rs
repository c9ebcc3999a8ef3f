//! The memory of a process.

/// A kibibyte in a mebibyte.
const KIB: f64 = 1024.0;

/// Returns the resident memory of a process in megabytes.
pub(crate) fn resident_mb(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .expect("a size");
    kib.parse::<f64>().expect("a number") / KIB
}
