//! The most memory this process has held, as Linux counts it.

use std::fs;

/// Starts counting anew: the peak becomes what is held now.
pub fn reset_peak() {
    // Where this is not allowed, the peak of the whole run is shown.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The peak in megabytes, where the system tells it.
pub fn peak_megabytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024)
}
