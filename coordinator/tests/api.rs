//! The HTTP API over real connections, in front of jobs that a test makes up.

mod api {
    mod access;
    mod bind;
    mod document;
    mod events;
    mod exchange;
    mod fake;
    mod jobs;
    mod limits;
    mod server;
}
