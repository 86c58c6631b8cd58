//! CPU time of processes and their descendants, from `/proc`.

use std::collections::BTreeMap;

/// `/proc` counts CPU time in hundredths of a second on every Linux architecture.
const MICROSECONDS_PER_TICK: u64 = 10_000;

/// CPU microseconds by label.
pub type Usage = BTreeMap<String, u64>;

struct Process {
    parent: u32,
    name: String,
    ticks: u64,
}

/// CPU time used so far by each labelled process together with its descendants. A label that ends in `/` stands for a
/// group of servers: each descendant counts under its own program's name.
pub fn usage(roots: &[(String, u32)]) -> Usage {
    let processes = processes();
    let mut usage = Usage::new();
    for (pid, process) in &processes {
        let Some((label, _)) = roots.iter().find(|(_, root)| descends(&processes, *pid, *root)) else {
            continue;
        };
        let label = if label.ends_with('/') {
            process.name.clone()
        } else {
            label.clone()
        };
        *usage.entry(label).or_default() += process.ticks * MICROSECONDS_PER_TICK;
    }
    usage
}

/// What was used between two readings.
pub fn difference(before: &Usage, after: &Usage) -> Usage {
    let spent = |(label, used): (&String, &u64)| {
        (
            label.clone(),
            used.saturating_sub(before.get(label).copied().unwrap_or_default()),
        )
    };
    after.iter().map(spent).collect()
}

fn descends(processes: &BTreeMap<u32, Process>, mut pid: u32, root: u32) -> bool {
    while pid != root {
        match processes.get(&pid) {
            Some(process) if process.parent != 0 => pid = process.parent,
            _ => return false,
        }
    }
    true
}

fn processes() -> BTreeMap<u32, Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        Some((
            pid,
            parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?,
        ))
    })
    .collect()
}

/// `pid (name) state ppid … utime stime …`: fields 4, 14 and 15 of proc_pid_stat(5). The name may hold anything.
fn parse(stat: &str) -> Option<Process> {
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Process {
        parent: fields.get(1)?.parse().ok()?,
        name,
        ticks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_parentheses() {
        let process = parse("7 (a) b) S 3 7 7 0 -1 0 0 0 0 0 12 30 0 0 20 0").unwrap();
        assert_eq!(
            (process.parent, process.name.as_str(), process.ticks),
            (3, "a) b", 42)
        );
    }

    #[test]
    fn this_process_has_used_something() {
        let root = [("me".to_owned(), std::process::id())];
        assert!(usage(&root).contains_key("me"));
    }
}
