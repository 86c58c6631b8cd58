//! Servers an earlier launcher left running, for example because it was killed a moment ago.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::ServersError;

/// Ends the server whose process id `pid_file` gives, if it still runs in `folder`: first cleanly by `stop`, then by force.
pub async fn end(
    server: &'static str,
    pid_file: &Path,
    folder: &Path,
    stop: Signal,
) -> Result<(), ServersError> {
    let Some(pid) = running(pid_file, folder) else {
        return Ok(());
    };
    for signal in [stop, Signal::SIGQUIT, Signal::SIGKILL] {
        // An error means that it has ended; the loop below sees that.
        let _ = kill(Pid::from_raw(pid), signal);
        for _ in 0..50 {
            if running(pid_file, folder) != Some(pid) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Err(ServersError::Leftover { server, pid })
}

/// The process id in the file, if that process works in `folder`. Process ids are reused, so that a live process alone
/// proves nothing; both servers make their data folder their working folder.
fn running(pid_file: &Path, folder: &Path) -> Option<i32> {
    let pid: i32 = std::fs::read_to_string(pid_file)
        .ok()?
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()?;
    let works_in = std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    (works_in == folder).then_some(pid)
}
