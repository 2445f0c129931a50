//! What hostile work is denied, with the exact error, at each level of protection.

use std::io;

use lazaret_worker::sandbox::{Level, Options, Sandbox, SandboxError, Without};

pub const TESTS: &[(&str, fn())] = &[
    ("everything_is_denied_at_the_full_level", everything_is_denied_at_the_full_level),
    ("seccomp_alone_denies_the_same", seccomp_alone_denies_the_same),
    ("landlock_alone_denies_files_programs_and_tcp", landlock_alone_denies_files_programs_and_tcp),
    ("without_both_there_is_no_level", without_both_there_is_no_level),
    ("less_than_required_is_refused", less_than_required_is_refused),
    (
        "a_child_has_no_environment_and_no_descriptors_but_its_own",
        a_child_has_no_environment_and_no_descriptors_but_its_own,
    ),
];

const NO_LANDLOCK: Without = Without { landlock: true, seccomp: false };
const NO_SECCOMP: Without = Without { landlock: false, seccomp: true };
const NEITHER: Without = Without { landlock: true, seccomp: true };

fn without(without: Without) -> Sandbox {
    Sandbox::start(Options { without, ..Options::default() }).unwrap()
}

fn denials(sandbox: &Sandbox) -> Vec<String> {
    sandbox.probe("denials", &mut io::empty()).unwrap()
}

fn everything_is_denied_at_the_full_level() {
    let sandbox = Sandbox::start(Options { require: Level::Full, ..Options::default() }).unwrap();
    assert_eq!((sandbox.protection().level, sandbox.protection().to_string().as_str()), (Level::Full, "full"));
    let found = denials(&sandbox);
    assert_eq!(found.len(), 12);
    assert!(found.iter().all(|line| line.ends_with(": EPERM") || line == "thread: EPERM"), "{found:#?}");
    assert!(!std::path::Path::new("/tmp/escaped").exists());
}

fn seccomp_alone_denies_the_same() {
    let sandbox = without(NO_LANDLOCK);
    assert_eq!(sandbox.protection().level, Level::Partial);
    assert_eq!(sandbox.protection().missing, ["landlock"]);
    let found = denials(&sandbox);
    assert!(found.iter().all(|line| line.ends_with(": EPERM")), "{found:#?}");
}

fn landlock_alone_denies_files_programs_and_tcp() {
    let sandbox = without(NO_SECCOMP);
    assert_eq!(sandbox.protection().level, Level::Partial);
    assert!(sandbox.protection().missing.iter().any(|what| what == "seccomp"), "{:?}", sandbox.protection());
    let found = denials(&sandbox);
    for line in
        ["connect: EACCES", "passwd: EACCES", "environ: EACCES", "list: EACCES", "write: EACCES", "exec: EACCES"]
    {
        assert!(found.iter().any(|found| found == line), "{line} is not in {found:#?}");
    }
    assert!(!std::path::Path::new("/tmp/escaped").exists());
}

fn without_both_there_is_no_level() {
    let sandbox = without(NEITHER);
    assert_eq!(sandbox.protection().level, Level::None);
    for what in ["landlock", "seccomp"] {
        assert!(sandbox.protection().missing.iter().any(|missing| missing == what), "{:?}", sandbox.protection());
    }
}

fn less_than_required_is_refused() {
    for (lacking, require, enough) in [
        (NO_LANDLOCK, Level::Full, false),
        (NO_SECCOMP, Level::Full, false),
        (NO_LANDLOCK, Level::Partial, true),
        (NEITHER, Level::Partial, false),
        (NEITHER, Level::None, true),
    ] {
        let started = Sandbox::start(Options { without: lacking, require, ..Options::default() });
        match started {
            Ok(_) => assert!(enough, "{lacking:?} is taken for {require}"),
            Err(SandboxError::Weak { ref protection, required }) => {
                assert!(!enough, "{lacking:?} is refused for {require}");
                assert_eq!(required, require);
                assert!(protection.level < require);
                let words = started.unwrap_err().to_string();
                assert!(words.contains("landlock") && words.contains("is required"), "{words}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn a_child_has_no_environment_and_no_descriptors_but_its_own() {
    assert!(std::env::vars().count() > 3, "this process has an environment, so its loss shows something");
    let sandbox = without(NEITHER);
    assert_eq!(sandbox.probe("environment", &mut io::empty()).unwrap(), [""; 0]);
    let found = sandbox.probe("descriptors", &mut io::empty()).unwrap();
    // Two that lead nowhere, last words, blob, answer, and the directory that is being listed.
    let count = |start: &str| found.iter().filter(|link| link.starts_with(start)).count();
    assert_eq!((count("/dev/null"), count("pipe:"), count("socket:"), found.len()), (2, 3, 0, 6), "{found:?}");
}
