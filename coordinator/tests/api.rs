//! The HTTP API over real connections, in front of jobs that a test makes up; and the commands that ask it.

mod api {
    mod access;
    mod bind;
    mod document;
    mod events;
    mod exchange;
    mod fake;
    mod follow;
    mod jobs;
    mod limits;
    #[path = "../command_line/place.rs"]
    mod place;
    mod report_command;
    mod server;
    mod submit_command;
    mod token_command;
}
