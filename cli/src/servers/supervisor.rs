//! Children that end with the launcher, however it ends.
//!
//! A server runs below a small shell whose standard input is a pipe from the launcher. The launcher never writes to
//! it: the end of the pipe is the request to stop. It comes when the launcher asks for it and also when the launcher
//! dies by `kill -9`, since the kernel closes the pipe then. Shell and server form a process group of their own, so
//! that Ctrl-C in a terminal reaches the launcher only, which stops things in order.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};

use super::account::Account;
use super::{ServersError, While};

/// `$1` is the signal that stops the server cleanly, the rest its command line.
const SCRIPT: &str = r#"
stop=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
( read -r _ <&3; kill -s "$stop" "$server" 2>/dev/null ) &
watcher=$!
wait "$server"; status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"#;

/// A server below its supervising shell.
#[derive(Debug)]
pub struct Supervised {
    shell: Child,
    /// Closing it stops the server.
    pipe: Option<ChildStdin>,
}

impl Supervised {
    /// Starts `command` in `folder` as `account`; `stop` names the signal that ends it cleanly, `log` takes its output.
    pub fn start(
        command: &[&str],
        stop: &str,
        account: Option<&Account>,
        folder: &Path,
        log: &Path,
    ) -> Result<Self, ServersError> {
        let what = || format!("starting {}", command[0]);
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .while_doing(what)?;
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", SCRIPT, "sh", stop])
            .args(command)
            .current_dir(folder)
            .process_group(0);
        shell
            .stdin(Stdio::piped())
            .stdout(output.try_clone().while_doing(what)?)
            .stderr(output);
        if let Some(account) = account {
            shell.uid(account.uid).gid(account.gid);
        }
        let mut shell = shell.spawn().while_doing(what)?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.shell.try_wait().ok().flatten()
    }

    /// Asks the server to stop and waits for its end.
    pub async fn stop(mut self) {
        self.pipe.take();
        // A server that ignores the request stops when it can; the next start deals with it as a leftover.
        let _ = tokio::time::timeout(Duration::from_secs(20), self.shell.wait()).await;
    }
}
