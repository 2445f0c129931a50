//! What processes use, as the kernel tells it.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// What a process and everything that came from it use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time so far, also of children that have ended.
    pub cpu: Duration,
    /// Memory of the process itself, in bytes.
    pub resident: u64,
    /// Memory of the largest of its children.
    pub largest_child: u64,
    /// Open file descriptors of the process itself.
    pub descriptors: usize,
}

/// The kernel's ticks in a second: `USER_HZ`, the same on every architecture that this is built for.
const TICKS: u64 = 100;

/// What the process `pid` uses; nothing where it has ended.
pub fn of(pid: u32) -> Usage {
    let mut usage = Usage { resident: resident(pid), cpu: cpu(pid), ..Usage::default() };
    usage.descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    for child in children(pid) {
        let child = of(child);
        usage.cpu += child.cpu;
        usage.largest_child = usage.largest_child.max(child.resident).max(child.largest_child);
    }
    usage
}

/// CPU time of a process and of those of its children that it has waited for.
fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold spaces.
    let Some((_, fields)) = stat.rsplit_once(") ") else { return Duration::ZERO };
    let ticks: u64 = fields.split(' ').skip(11).take(4).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / TICKS)
}

/// CPU time of this process or thread alone: its children have their own.
pub fn own(who: UsageWho) -> Duration {
    let Ok(usage) = getrusage(who) else { return Duration::ZERO };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let start = of(std::process::id());
        assert!(start.resident > 1 << 20 && start.descriptors > 2, "{start:?}");
        let mut busy = 0_u64;
        while of(std::process::id()).cpu < start.cpu + Duration::from_millis(20) {
            busy = std::hint::black_box(busy + 1);
        }
        assert_eq!(of(u32::MAX), Usage::default());
    }
}
