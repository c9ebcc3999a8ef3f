//! The time that a process has spent on the cores: unlike the time on the wall it hardly
//! changes with what else the machine does.

/// Clock ticks a second in `/proc`, which Linux fixes for every machine.
const TICKS_PER_S: f64 = 100.0;

/// Returns the seconds that a process has spent on the cores so far, its own and those
/// of the system for it.
pub(crate) fn cpu_s(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("its figures");
    // The name in parentheses may hold anything; the user's time is the 12th after it.
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    let ticks = rest.split_whitespace().skip(11).take(2);
    let ticks = ticks.map(|ticks| ticks.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() / TICKS_PER_S
}

/// Returns how much of the machine others take: the load over the last minute.
pub(crate) fn load() -> String {
    let told = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    told.split_whitespace()
        .next()
        .unwrap_or("unknown")
        .to_owned()
}
