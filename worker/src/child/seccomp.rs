//! The system calls that a child may make: memory, its pipes, its threads, its end.

use std::collections::BTreeMap;

use nix::errno::Errno;
use nix::libc;
use nix::unistd::getpid;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// Harmless whatever their arguments, for a process that can open nothing.
const ALLOWED: &[i64] = &[
    // The pipes.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_getpid,
    // Signals to itself, which say that the stack has overflowed.
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    // Clocks, seeds of hash tables, and the end.
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Confines this thread, and those that it starts, to the list: anything else is denied with `EPERM`.
pub(super) fn confine(threads: u16) -> Result<(), Error> {
    if threads > 1 {
        // The C library tries `clone3` first, whose flags a filter cannot see; told that there is none, it uses `clone`.
        let absent = BTreeMap::from([(libc::SYS_clone3, vec![])]);
        let absent = filter(absent, SeccompAction::Allow, SeccompAction::Errno(Errno::ENOSYS as u32))?;
        seccompiler::apply_filter(&absent)?;
    }
    let denied = SeccompAction::Errno(Errno::EPERM as u32);
    seccompiler::apply_filter(&filter(allowed(threads)?, denied, SeccompAction::Allow)?)
}

fn filter(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, Error> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(SeccompFilter::new(rules, otherwise, matched, architecture)?.try_into()?)
}

fn allowed(threads: u16) -> Result<BTreeMap<i64, Vec<SeccompRule>>, Error> {
    let no_code = bits(2, libc::PROT_EXEC as u64, 0)?;
    let mut rules: BTreeMap<_, _> = ALLOWED.iter().map(|&call| (call, vec![])).collect();
    // Only private memory is counted, and none of it may hold code.
    let private = bits(3, libc::MAP_SHARED as u64, 0)?;
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![no_code.clone(), private])?]);
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![no_code])?]);
    let own = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, getpid().as_raw() as u64)?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![own])?]);
    if threads > 1 {
        // The other filter denies it, and of two denials the later one's error would be seen.
        rules.insert(libc::SYS_clone3, vec![]);
        let thread = libc::CLONE_THREAD as u64;
        rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![bits(0, thread, thread)?])?]);
    }
    Ok(rules)
}

/// That of the argument's bits in `mask` exactly those of `value` are set.
fn bits(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(mask), value)?)
}
