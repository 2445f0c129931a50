//! Recall and precision of the secret rules on a labelled set: secrets of every rule, made up by the formats that vendors document,
//! in texts as they are in images; and files of real packages, in which nothing is secret.
//!
//! `LAZARET_NEGATIVES` names trees of files, or OCI layouts as `oci:PATH`, with colons between them; without it, and with
//! `LAZARET_FULL=1`, well-known packages are fetched by npm and pip. `cargo test -p lazaret-tests --test secrets_labelled -- --nocapture` prints the tables.

mod secrets_labelled {
    mod carriers;
    mod negatives;
    mod positives;
    mod rules;
}
