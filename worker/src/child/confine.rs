//! Giving up, for good, what neither the zygote nor a child needs.

use std::os::fd::RawFd;
use std::{fs, io};

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid, close, geteuid, setgroups, setresgid, setresuid};

use super::message::{Bounds, Landlock};

/// Somebody who owns nothing, as every Linux has him.
const NOBODY: u32 = 65534;

/// Closes all descriptors but the three standard ones, whatever else the worker's own start left open.
pub(super) fn close_others() -> io::Result<()> {
    let names = fs::read_dir("/proc/self/fd")?.map(|entry| Ok(entry?.file_name()));
    let open = names.collect::<io::Result<Vec<_>>>()?;
    for number in open.iter().filter_map(|name| name.to_str()?.parse::<RawFd>().ok()) {
        if number > 2 {
            // One of them was the directory itself, which is closed already.
            let _ = close(number);
        }
    }
    Ok(())
}

/// Root becomes nobody. Where that is refused (a user namespace that has no nobody), its root is not worth much either.
pub(super) fn leave_root() {
    if geteuid().is_root() {
        let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        let _ = setgroups(&[]);
        let _ = setresgid(group, group, group);
        let _ = setresuid(user, user, user);
    }
}

/// Denies all files, TCP, and signals to whoever is outside, as far as the kernel knows how to.
pub(super) fn restrict() -> Result<Landlock, RulesetError> {
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))?
        .handle_access(AccessNet::from_all(ABI::V5))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .restrict_self()?;
    Ok(match restricted.ruleset {
        RulesetStatus::FullyEnforced => Landlock::Full,
        RulesetStatus::PartiallyEnforced => Landlock::Partial,
        RulesetStatus::NotEnforced => Landlock::None,
    })
}

/// The bounds of a child of `threads` threads.
pub(super) fn bound(bounds: &Bounds, threads: u16) -> nix::Result<()> {
    let Bounds { memory, cpu_seconds } = *bounds;
    // Private memory that can be written. Shared memory, which that does not count, is left to the other two.
    setrlimit(Resource::RLIMIT_DATA, memory, memory)?;
    // Address space that is merely reserved costs nothing, and allocators reserve generously.
    setrlimit(Resource::RLIMIT_AS, memory.saturating_mul(4), memory.saturating_mul(4))?;
    // At the first a signal that says why, at the second one that cannot be ignored.
    setrlimit(Resource::RLIMIT_CPU, cpu_seconds, cpu_seconds.saturating_add(1))?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?;
    // Its pipes, and a few more: where landlock is all there is, the denial is to be landlock's.
    setrlimit(Resource::RLIMIT_NOFILE, 32, 32)?;
    if threads == 1 {
        setrlimit(Resource::RLIMIT_NPROC, 0, 0)?;
    }
    Ok(())
}
