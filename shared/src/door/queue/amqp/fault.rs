//! What an error of the protocol means.

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Error, ErrorKind};

use super::super::QueueError;

/// The error where a broker does not let somebody in, or lets them not do what they want; nothing where it is merely away.
pub(super) fn refusal(error: &Error) -> Option<QueueError> {
    let ErrorKind::ProtocolError(error) = error.kind() else { return None };
    matches!(
        error.kind(),
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
            | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED | AMQPHardError::INVALIDPATH)
    )
    .then(|| QueueError::Refused(shown(error.get_message().as_str())))
}

/// The error where `queue` is missing, has another shape or must not be used; nothing where trying again may help.
pub(super) fn topology(queue: &str, error: &Error) -> Option<QueueError> {
    let ErrorKind::ProtocolError(fault) = error.kind() else { return None };
    match fault.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND | AMQPSoftError::PRECONDITIONFAILED) => {
            Some(QueueError::Topology { queue: queue.to_owned(), reason: shown(fault.get_message().as_str()) })
        }
        _ => refusal(error),
    }
}

/// The error of somebody who waits for a broker that is away.
pub(super) fn unreachable(error: &Error) -> QueueError {
    QueueError::Unreachable(shown(&error.to_string()))
}

fn shown(text: &str) -> String {
    crate::text::visible(&text.chars().take(300).collect::<String>()).into_owned()
}
