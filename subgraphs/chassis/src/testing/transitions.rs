//! The state machines as ARCHITECTURE.md shows them, for the tests that compare them with those in the code.

const PAGE: &str = include_str!("../../../../ARCHITECTURE.md");

/// The rows of the table `| machine | event | becomes |`, sorted: where it stands, what happens, what it becomes, and further columns. A
/// row about several states counts as one for each.
///
/// # Panics
/// Where there is no such table.
pub fn documented(machine: &str) -> Vec<Vec<String>> {
    let mut lines = PAGE.lines();
    lines
        .find(|line| cells(line).starts_with(&[machine, "event", "becomes"].map(str::to_owned)))
        .unwrap_or_else(|| panic!("ARCHITECTURE.md has no table of the {machine}'s transitions"));
    let mut rows: Vec<_> = lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| each_state(&cells(line)))
        .collect();
    rows.sort();
    rows
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
    inner
        .map(|inner| inner.split('|').map(|cell| cell.trim().to_owned()).collect())
        .unwrap_or_default()
}

fn each_state(row: &[String]) -> Vec<Vec<String>> {
    let Some((states, rest)) = row.split_first() else {
        return Vec::new();
    };
    let of = |state: &str| std::iter::once(state.to_owned()).chain(rest.to_vec()).collect();
    states.split(", ").map(of).collect()
}
