//! What the worker, the zygote and a child say to each other.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{Decode, Encode};
use lazaret::inventory::LayerInventory;
use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair};

use super::descriptors;
use crate::limits::Limits;

/// Messages between worker and zygote are small.
const MOST_BYTES: usize = 4096;
/// The most that an answer may take, on the wire or in memory; an inventory that is kept may take no more either.
const MOST_ANSWER: usize = 256 << 20;

/// The first thing that the zygote is told.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Setup {
    /// Whether a descriptor comes with it, of a file with added rules.
    pub(crate) rules: bool,
}

/// The zygote is ready for requests.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Ready {
    pub(crate) landlock: Landlock,
    /// Why it is not: what is wrong with the added rules.
    pub(crate) refused: Option<String>,
}

/// How much of the landlock rules the kernel enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Landlock {
    Full,
    /// An older kernel: files, but not network or signals.
    Partial,
    None,
}

/// Asks for a child. With it come four descriptors: where the blob comes from, where the answer goes, where last words go,
/// and the socket for the [`Event`]s of this child, whose closing ends it.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Request {
    pub(crate) work: Work,
    pub(crate) bounds: Bounds,
    pub(crate) threads: u16,
    pub(crate) seccomp: bool,
}

/// What a child is for.
#[derive(Debug, Encode, Decode)]
pub(crate) enum Work {
    Analyse(Limits),
    /// To try what it should not be able to.
    Level,
    /// What a test registered.
    Probe(String),
}

/// What a child may use of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Bounds {
    pub(crate) memory: u64,
    pub(crate) cpu_seconds: u64,
}

/// What the zygote says of one child.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Event {
    Started,
    /// The kernel gave no child.
    Refused(String),
    Ended(Ended),
}

/// How a child ended and what it used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Ended {
    pub(crate) end: End,
    pub(crate) cpu_micros: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum End {
    Exit(i32),
    Signal(i32),
}

/// What a child found.
#[derive(Debug, Encode, Decode)]
pub(crate) enum Answer {
    Inventory(Box<LayerInventory>),
    Failed {
        words: String,
        /// Whether the blob was read to its end all the same, so that its digest says more than the words.
        blob_was_read: bool,
    },
    Probed(Vec<String>),
}

impl Answer {
    /// Writes it, a piece at a time.
    pub(crate) fn write(&self, to: &mut impl io::Write) -> Result<(), bincode::error::EncodeError> {
        bincode::encode_into_std_write(self, to, bincode::config::standard()).map(drop)
    }

    /// Reads one that may be anything. What it takes in memory is bounded, however long it says that its lists are.
    pub(crate) fn read(from: &mut impl io::Read) -> Result<Self, bincode::error::DecodeError> {
        let config: Configuration<LittleEndian, Varint, Limit<MOST_ANSWER>> =
            bincode::config::standard().with_limit::<MOST_ANSWER>();
        bincode::decode_from_std_read(from, config)
    }
}

/// A pair of sockets that keep messages apart.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?)
}

/// Sends `message` and `descriptors`, or says at once that there is no room.
pub(crate) fn send(socket: BorrowedFd<'_>, message: &impl Encode, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let bytes = bincode::encode_to_vec(message, bincode::config::standard()).map_err(io::Error::other)?;
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let controls = if raw.is_empty() { &[][..] } else { &rights };
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(&bytes)], controls, flags, None)?;
    Ok(())
}

/// The next message with its descriptors, once there is one; `None` if the other side is gone.
pub(crate) fn receive<M: Decode<()>>(socket: BorrowedFd<'_>) -> io::Result<Option<(M, Vec<OwnedFd>)>> {
    let mut buffer = [0; MOST_BYTES];
    let (length, descriptors) = descriptors::receive(socket, &mut buffer)?;
    if length == 0 {
        return Ok(None);
    }
    let config = bincode::config::standard().with_limit::<MOST_BYTES>();
    let decoded = bincode::decode_from_slice(buffer.get(..length).unwrap_or_default(), config);
    let (message, _) = decoded.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    Ok(Some((message, descriptors)))
}
