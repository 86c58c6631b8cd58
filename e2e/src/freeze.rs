//! A process that stands still with all its children: alive to the kernel, silent to everybody else.

use std::collections::HashMap;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// SIGSTOP to a process and everything below it; the parent first, so that nothing new begins.
pub fn stop(pid: u32) {
    for one in family(pid) {
        signal(one, Signal::SIGSTOP);
    }
    // What the parent began between being listed and being stopped.
    for one in family(pid) {
        signal(one, Signal::SIGSTOP);
    }
}

/// SIGCONT to all of them.
pub fn go_on(pid: u32) {
    for one in family(pid).into_iter().rev() {
        signal(one, Signal::SIGCONT);
    }
}

/// Resident memory of a process in bytes.
pub fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn signal(pid: u32, signal: Signal) {
    // It may have ended.
    let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
}

/// The process and all below it, parents before children.
fn family(pid: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some(parent) = parent(child) {
            children.entry(parent).or_default().push(child);
        }
    }
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(one) = family.get(next).copied() {
        family.extend(children.remove(&one).unwrap_or_default());
        next += 1;
    }
    family
}

/// From `/proc/PID/stat`: after the name, which may hold anything, come state and parent.
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(1)?.parse().ok()
}
