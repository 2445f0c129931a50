//! The command line as its users meet it: the built program, run in directories of its own.

mod command_line {
    mod advisories;
    mod bytes;
    mod demo;
    mod exit_codes;
    mod exposures;
    mod failures;
    mod generated;
    mod help;
    mod hostile_text;
    mod ignores;
    mod image;
    mod interrupt;
    mod lists;
    mod malware;
    mod output;
    mod place;
    mod readme;
    mod versions;
}
