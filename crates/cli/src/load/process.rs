//! What a server costs, as the operating system counts it. Linux says so in `/proc`; elsewhere
//! nothing is known.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

/// The processes of one server.
pub(super) struct Processes(Vec<u32>);

/// Bytes in memory, of all processes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    pub now: u64,
    pub peak: u64,
}

impl Processes {
    pub(super) fn new(ids: Vec<u32>) -> Self {
        Self(ids)
    }

    pub(super) fn this() -> Self {
        Self(vec![std::process::id()])
    }

    /// Those that listen on a port of this machine and may be looked at.
    pub(super) fn listening_on(port: u16) -> Self {
        let sockets = listening_sockets(port);
        let ids = fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| {
            let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
            holds_one_of(id, &sockets).then_some(id)
        });
        Self(ids.collect())
    }

    /// Time on processors since their start.
    pub(super) fn cpu(&self) -> Option<Duration> {
        self.sum(cpu_ticks).map(|ticks| {
            let per_second = rustix::param::clock_ticks_per_second().max(1);
            Duration::from_nanos(ticks * (1_000_000_000 / per_second))
        })
    }

    pub(super) fn memory(&self) -> Option<Memory> {
        Some(Memory {
            now: self.sum(|id| kibibytes(id, "VmRSS:"))? * 1024,
            peak: self.sum(|id| kibibytes(id, "VmHWM:"))? * 1024,
        })
    }

    fn sum(&self, of: impl Fn(u32) -> Option<u64>) -> Option<u64> {
        let values: Option<Vec<u64>> = self.0.iter().map(|id| of(*id)).collect();
        values.filter(|values| !values.is_empty()).map(|values| values.iter().sum())
    }
}

/// The file numbers of listening sockets, as `/proc/net/tcp` lists them.
fn listening_sockets(port: u16) -> Vec<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables.iter().filter_map(|table| fs::read_to_string(table).ok());
    tables.flat_map(|table| sockets_in(&table, port)).collect()
}

fn sockets_in(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let wanted = format!(":{port:04X}");
    let sockets = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (local, state, file) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        (*state == LISTEN && local.ends_with(&wanted)).then(|| (*file).to_owned())
    });
    sockets.collect()
}

fn holds_one_of(id: u32, sockets: &[String]) -> bool {
    let files = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    let mut targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    targets.any(|target| sockets.iter().any(|socket| is_socket(&target, socket)))
}

fn is_socket(target: &Path, socket: &str) -> bool {
    let name = target.to_str().and_then(|target| target.strip_prefix("socket:["));
    name.and_then(|name| name.strip_suffix(']')) == Some(socket)
}

/// `utime` and `stime` of `proc_pid_stat(5)`. The name before them may hold anything.
fn cpu_ticks(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).take(2);
    let mut next = || times.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

fn kibibytes(id: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_process_behind_a_port_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(Processes::listening_on(port).0, [std::process::id()]);
        drop(listener);
        assert_eq!(Processes::listening_on(port).cpu(), None);
    }

    #[test]
    fn work_is_seen_as_time_and_memory() {
        let this = Processes::this();
        let (before, memory) = (this.cpu().unwrap(), this.memory().unwrap());
        assert!(memory.now > 0 && memory.peak >= memory.now);
        let mut grown = Vec::new();
        while this.cpu().unwrap() < before + Duration::from_millis(50) {
            grown.resize(64 * 1024 * 1024, 1_u8);
        }
        assert!(this.memory().unwrap().peak >= memory.peak.max(grown.len() as u64));
    }
}
