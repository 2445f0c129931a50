//! UTF-16: its narrow characters are searched as bytes, and a wide one ends whatever was begun.

use super::File;

/// Which byte of a character comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// Tells UTF-16 by its mark, or by every other byte of its beginning being zero.
pub(super) fn order(head: &[u8]) -> Option<Order> {
    match head {
        [0xff, 0xfe, ..] => return Some(Order::Little),
        [0xfe, 0xff, ..] => return Some(Order::Big),
        _ => {}
    }
    let start = head.get(..32)?;
    let zeros = |parity: usize| start.iter().skip(parity).step_by(2).all(|&b| b == 0);
    let texts =
        |parity: usize| start.iter().skip(parity).step_by(2).all(|&b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..0x7f));
    match (zeros(1) && texts(0), zeros(0) && texts(1)) {
        (true, _) => Some(Order::Little),
        (_, true) => Some(Order::Big),
        _ => None,
    }
}

/// A text in UTF-16.
pub(super) struct Reader {
    order: Order,
    half: Option<u8>,
    narrow: Vec<u8>,
    file: File,
}

impl Reader {
    pub(super) fn new(order: Order, file: File) -> Self {
        Self { order, half: None, narrow: Vec::new(), file }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.narrow.clear();
        for &byte in bytes {
            let Some(first) = self.half.take() else {
                self.half = Some(byte);
                continue;
            };
            let (low, high) = if self.order == Order::Little { (first, byte) } else { (byte, first) };
            self.narrow.push(if high == 0 { low } else { 0xff });
        }
        self.file.feed(&self.narrow);
    }

    pub(super) fn close(self) {
        self.file.close();
    }
}
