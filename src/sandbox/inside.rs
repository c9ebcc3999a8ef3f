//! The first process inside: it shuts itself in and runs the command.

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, WaitOptions, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

use super::order::Order;
use super::{Bounds, Cell, DEVICES, Network, Strength, loopback, root};

/// The oldest Landlock that does all that is promised: it knows TCP, and signals.
const NEEDED: ABI = ABI::V6;

/// The numbers that the kernel leaves to its own processes once it has given all away.
const RESERVED_PIDS: u64 = 300;

/// How much earlier than the server the kernel ends this where memory runs out.
const OOM_SCORE: &str = "800";

/// What a shell says of a program that a signal ended: 128 and its number.
const SIGNALLED: i32 = 128;

/// Reads an order from the input, shuts this process in and runs the command; returns the
/// code with which it ended. This process must have no other thread.
pub fn enter() -> io::Result<i32> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let order = Order::decode(&bytes).ok_or(io::ErrorKind::InvalidInput)?;
    drop(bytes);
    let is_full = order.strength == Strength::Full;
    // Best effort: an old kernel, or one that forbids it, ends another process first.
    let _ = fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    bound(&order.cell.bounds, is_full).map_err(|error| told("the bounds", &error))?;
    if is_full && order.cell.network == Network::Own {
        loopback::raise().map_err(|error| told("the network", &error))?;
    }
    if is_full {
        change_root(&order.cell).map_err(|error| told("the namespaces", &error))?;
    }
    if order.strength != Strength::Off {
        let none = CapabilitySets {
            effective: CapabilitySet::empty(),
            permitted: CapabilitySet::empty(),
            inheritable: CapabilitySet::empty(),
        };
        set_capabilities(None, none).map_err(|error| told("the rights", &error.into()))?;
        close(&order.cell, is_full)?;
    }
    let (program, arguments) = order
        .words
        .split_first()
        .ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(order.variables.iter().map(|(name, value)| (name, value)))
        .current_dir(&order.folder)
        .stdin(Stdio::null());
    if is_full {
        run(&mut command)
    } else {
        Err(command.exec())
    }
}

/// Runs a command to its end as the first process of its namespace, which inherits
/// whatever is left behind there. When this ends the kernel ends all of it.
fn run(command: &mut Command) -> io::Result<i32> {
    let child = command.spawn()?;
    loop {
        let Some((process, status)) = rustix::process::wait(WaitOptions::empty())? else {
            continue;
        };
        if u32::try_from(process.as_raw_nonzero().get()).ok() == Some(child.id()) {
            let signal = status.terminating_signal().map(|it| SIGNALLED + it);
            return Ok(status.exit_status().or(signal).unwrap_or(1));
        }
    }
}

/// Makes the cell's root the root, and bounds the processes of the namespace.
fn change_root(cell: &Cell) -> io::Result<()> {
    let base = root::make(cell)?;
    // Of each namespace since Linux 6.14; on older ones the bound of the account holds,
    // which root has none of.
    let most = cell.bounds.processes + RESERVED_PIDS;
    let _ = fs::write(base.join("proc/sys/kernel/pid_max"), most.to_string());
    rustix::process::chroot(base)?;
    std::env::set_current_dir("/")
}

/// Sets the bounds, which all that this starts inherits.
fn bound(bounds: &Bounds, is_full: bool) -> io::Result<()> {
    let mut all = vec![
        (Resource::Core, 0),
        (Resource::Data, bounds.memory_bytes),
        (Resource::Fsize, bounds.file_bytes),
        (Resource::Nofile, bounds.files),
    ];
    if is_full {
        // Outside of a namespace of users it would count the server's own threads.
        all.push((Resource::Nproc, bounds.processes));
    }
    for (resource, most) in all {
        let now = getrlimit(resource);
        let most = now.maximum.map_or(most, |maximum| maximum.min(most));
        let bounded = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, bounded)?;
    }
    Ok(())
}

/// Puts this process under Landlock.
fn close(cell: &Cell, is_full: bool) -> io::Result<()> {
    let closed = enforce(cell, is_full).map_err(|error| {
        let message = format!(
            "the kernel lacks Landlock 6, which Linux has since 6.12, or it is off: {error}"
        );
        io::Error::other(message)
    })?;
    if closed == RulesetStatus::FullyEnforced {
        Ok(())
    } else {
        Err(io::Error::other("Landlock is not fully enforced"))
    }
}

/// Enforces the rules.
fn enforce(cell: &Cell, is_full: bool) -> Result<RulesetStatus, RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))?
        .scope(Scope::Signal)?
        .scope(Scope::AbstractUnixSocket)?;
    if !cell.listens {
        rules = rules.handle_access(AccessNet::BindTcp)?;
    }
    let is_alone = is_full && cell.network == Network::Own;
    if cell.network != Network::Everything && !is_alone {
        rules = rules.handle_access(AccessNet::ConnectTcp)?;
    }
    let read = AccessFs::from_read(NEEDED);
    let all = AccessFs::from_all(NEEDED);
    let tmp = cell.tmp.is_some() && is_full;
    let tmp = tmp.then_some(Path::new("/tmp"));
    let mut rules = rules
        .create()?
        .add_rules(path_beneath_rules(&cell.reads, read))?
        .add_rules(path_beneath_rules(DEVICES, all))?
        .add_rules(path_beneath_rules(&cell.writes, all))?
        .add_rules(path_beneath_rules(tmp, all))?;
    if let Network::Ports(ports) = &cell.network {
        for port in ports {
            rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
        }
    }
    Ok(rules.restrict_self()?.ruleset)
}

/// Says in what something failed.
fn told(what: &str, error: &io::Error) -> io::Error {
    io::Error::other(format!("{what} of the sandbox can't be made: {error}"))
}
