//! Writers of the smallest headers and databases that a real reader accepts too.

/// A value of a header.
pub(super) enum Value<'a> {
    Text(&'a str),
    Texts(&'a [&'a str]),
    Numbers(&'a [u32]),
}

/// A header with these tags, as a database holds it.
pub(super) fn header(tags: &[(u32, Value<'_>)]) -> Vec<u8> {
    let mut index = Vec::new();
    let mut store = Vec::new();
    for (tag, value) in tags {
        let (kind, count, bytes) = match value {
            Value::Text(text) => (6, 1, closed(&[text])),
            Value::Texts(texts) => (8, texts.len() as u32, closed(texts)),
            Value::Numbers(numbers) => {
                store.resize(store.len().next_multiple_of(4), 0);
                (4, numbers.len() as u32, numbers.iter().flat_map(|n| n.to_be_bytes()).collect())
            }
        };
        index.extend([*tag, kind, store.len() as u32, count].map(u32::to_be_bytes).concat());
        store.extend(bytes);
    }
    // HEADERIMMUTABLE: its value, at the end of the store, points back over the entries.
    let region = [63, 7, store.len() as u32, 16].map(u32::to_be_bytes).concat();
    let entries = tags.len() as u32 + 1;
    store.extend([63, 7, (entries * 16).wrapping_neg(), 16].map(u32::to_be_bytes).concat());
    let sizes = [entries, store.len() as u32].map(u32::to_be_bytes).concat();
    [sizes, region, index, store].concat()
}

fn closed(texts: &[&str]) -> Vec<u8> {
    texts.iter().flat_map(|text| text.bytes().chain([0])).collect()
}

/// A package of this name with a description so long.
pub(super) fn package(name: &str, padding: usize) -> Vec<u8> {
    header(&[
        (1000, Value::Text(name)),
        (1001, Value::Text("1.2")),
        (1002, Value::Text("3.el9")),
        (1005, Value::Text(&"x".repeat(padding))),
        (1022, Value::Text("x86_64")),
    ])
}

/// Packages of many lengths: some fit on a page, some fill it exactly, some go on over many.
pub(super) fn packages(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| package(&format!("p{n:03}"), n * n * 7 % 5000)).collect()
}

fn varint(value: usize) -> Vec<u8> {
    let mut bytes = vec![(value & 0x7f) as u8];
    let mut rest = value >> 7;
    while rest > 0 {
        bytes.insert(0, (rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes
}

/// An SQLite record of these serial types and values.
fn record(columns: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let types: Vec<u8> = columns.iter().flat_map(|(serial, _)| varint(*serial)).collect();
    let mut record = vec![types.len() as u8 + 1];
    record.extend(types);
    columns.iter().for_each(|(_, value)| record.extend(value));
    record
}

/// A b-tree page: its type, its right-most child, its cells.
fn tree_page(size: usize, at: usize, kind: u8, right: u32, cells: &[Vec<u8>]) -> Vec<u8> {
    let mut page = vec![0; size];
    let mut pointer = at + if kind == 5 { 12 } else { 8 };
    let mut end = size;
    page[at] = kind;
    page[at + 3..at + 5].copy_from_slice(&(cells.len() as u16).to_be_bytes());
    if kind == 5 {
        page[at + 8..at + 12].copy_from_slice(&right.to_be_bytes());
    }
    for cell in cells {
        end -= cell.len();
        page[end..end + cell.len()].copy_from_slice(cell);
        page[pointer..pointer + 2].copy_from_slice(&(end as u16).to_be_bytes());
        pointer += 2;
    }
    page[at + 5..at + 7].copy_from_slice(&(end as u16).to_be_bytes());
    page
}

/// An SQLite database whose `Packages` table, with its root on page 2, has these blobs.
pub(super) fn sqlite(page_size: usize, blobs: &[Vec<u8>]) -> Vec<u8> {
    let mut pages = vec![Vec::new(), Vec::new()];
    let mut leaves: Vec<(Vec<Vec<u8>>, usize)> = vec![(Vec::new(), 0)];
    for (row, blob) in blobs.iter().enumerate() {
        let payload = record(&[(0, Vec::new()), (12 + 2 * blob.len(), blob.clone())]);
        let (max, min) = (page_size - 35, (page_size - 12) * 32 / 255 - 23);
        let filling = min + payload.len().saturating_sub(min) % (page_size - 4);
        let local = if payload.len() <= max {
            payload.len()
        } else if filling <= max {
            filling
        } else {
            min
        };
        let mut cell = [varint(payload.len()), varint(row + 1), payload[..local].to_vec()].concat();
        let mut chunks = payload[local..].chunks(page_size - 4).peekable();
        if chunks.peek().is_some() {
            cell.extend((pages.len() as u32 + 1).to_be_bytes());
        }
        while let Some(chunk) = chunks.next() {
            let next = if chunks.peek().is_some() { pages.len() as u32 + 2 } else { 0 };
            let mut page = [&next.to_be_bytes()[..], chunk].concat();
            page.resize(page_size, 0);
            pages.push(page);
        }
        if 8 + leaves.last().unwrap().1 + cell.len() + 2 > page_size {
            leaves.push((Vec::new(), 0));
        }
        let (cells, used) = leaves.last_mut().unwrap();
        *used += cell.len() + 2;
        cells.push(cell);
    }
    if let [(cells, _)] = &leaves[..] {
        pages[1] = tree_page(page_size, 0, 13, 0, cells);
    } else {
        let mut children = Vec::new();
        let mut last_row = 0;
        for (cells, _) in &leaves {
            pages.push(tree_page(page_size, 0, 13, 0, cells));
            last_row += cells.len();
            children.push([(pages.len() as u32).to_be_bytes().to_vec(), varint(last_row)].concat());
        }
        let right = pages.len() as u32;
        children.pop();
        pages[1] = tree_page(page_size, 0, 5, right, &children);
    }
    let sql = b"CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)";
    let text = |text: &[u8]| (13 + 2 * text.len(), text.to_vec());
    let row = record(&[text(b"table"), text(b"Packages"), text(b"Packages"), (1, vec![2]), text(sql)]);
    pages[0] = tree_page(page_size, 100, 13, 0, &[[varint(row.len()), varint(1), row].concat()]);
    let count = pages.len() as u32;
    let mut file = pages.concat();
    file[..16].copy_from_slice(b"SQLite format 3\0");
    file[16..18].copy_from_slice(&(if page_size == 65_536 { 1 } else { page_size as u16 }).to_be_bytes());
    file[18..24].copy_from_slice(&[1, 1, 0, 64, 32, 32]);
    for (at, number) in [(24, 1), (28, count), (44, 4), (56, 1), (92, 1), (96, 3_040_000)] {
        file[at..at + 4].copy_from_slice(&u32::to_be_bytes(number));
    }
    file
}

/// A frame of a write-ahead log: number of the page, its content, and the size of the database where it commits.
pub(super) type Frame<'a> = (u32, &'a [u8], u32);

/// A write-ahead log of these frames.
pub(super) fn log(page_size: usize, big_endian: bool, frames: &[Frame<'_>]) -> Vec<u8> {
    let sum = |(mut a, mut b): (u32, u32), bytes: &[u8]| {
        for pair in bytes.as_chunks::<8>().0 {
            let [first, second] = [0, 4].map(|at| {
                let word = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
                if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
            });
            a = a.wrapping_add(first).wrapping_add(b);
            b = b.wrapping_add(second).wrapping_add(a);
        }
        (a, b)
    };
    let salt = [0x1234_5678_u32, 0x9abc_def0];
    let magic = 0x377f_0682 | u32::from(big_endian);
    let mut log = [magic, 3_007_000, page_size as u32, 0, salt[0], salt[1]].map(u32::to_be_bytes).concat();
    let mut sums = sum((0, 0), &log);
    log.extend([sums.0, sums.1].map(u32::to_be_bytes).concat());
    for &(page, content, commit) in frames {
        let head = [page, commit].map(u32::to_be_bytes).concat();
        sums = sum(sum(sums, &head), content);
        log.extend(head);
        log.extend([salt[0], salt[1], sums.0, sums.1].map(u32::to_be_bytes).concat());
        log.extend(content);
    }
    log
}

/// An ndb database of these blobs.
pub(super) fn ndb(blobs: &[Vec<u8>]) -> Vec<u8> {
    let mut slots =
        [u32::from_le_bytes(*b"RpmP"), 0, 1, 1, blobs.len() as u32 + 1, 0, 0, 0].map(u32::to_le_bytes).concat();
    let mut area = Vec::new();
    for (number, blob) in (1_u32..).zip(blobs) {
        let mut stored = [u32::from_le_bytes(*b"BlbS"), number, 1, blob.len() as u32].map(u32::to_le_bytes).concat();
        stored.extend(blob);
        stored.resize((stored.len() + 12).next_multiple_of(16) - 12, 0);
        let (a, b) = stored.iter().fold((1_u32, 0_u32), |(a, b), &byte| {
            let a = (a + u32::from(byte)) % 65_521;
            (a, (b + a) % 65_521)
        });
        stored.extend([b << 16 | a, blob.len() as u32, u32::from_le_bytes(*b"BlbE")].map(u32::to_le_bytes).concat());
        let slot = [u32::from_le_bytes(*b"Slot"), number, (4096 + area.len() as u32) / 16, stored.len() as u32 / 16];
        slots.extend(slot.map(u32::to_le_bytes).concat());
        area.extend(stored);
    }
    while slots.len() < 4096 {
        slots.extend([u32::from_le_bytes(*b"Slot"), 0, 0, 0].map(u32::to_le_bytes).concat());
    }
    [slots, area].concat()
}

/// A Berkeley DB hash of these blobs, in one bucket.
pub(super) fn bdb(page_size: usize, big_endian: bool, blobs: &[Vec<u8>]) -> Vec<u8> {
    let u32s = |number: u32| if big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let u16s = |number: u16| if big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let mut pages: Vec<Vec<u8>> = vec![vec![0; page_size]];
    let head = |number: usize, kind: u8| {
        let mut page = vec![0; page_size];
        page[8..12].copy_from_slice(&u32s(number as u32));
        page[25] = kind;
        page
    };
    let mut hash: Option<usize> = None;
    let mut end = 0;
    let counter = [1, 9, 0, 0, 0].to_vec();
    let pairs = blobs.iter().enumerate().map(|(row, blob)| (u32s(row as u32 + 1).to_vec(), Some(blob)));
    for (key, blob) in std::iter::once((vec![0; 4], None)).chain(pairs) {
        let value = match blob {
            None => counter.clone(),
            Some(blob) if blob.len() < page_size / 4 => [&[1], &blob[..]].concat(),
            Some(blob) => {
                let first = pages.len();
                let chunks = blob.chunks(page_size - 26);
                let count = chunks.len();
                for (index, chunk) in chunks.enumerate() {
                    let mut page = head(pages.len(), 7);
                    let next = if index + 1 < count { pages.len() as u32 + 1 } else { 0 };
                    page[16..20].copy_from_slice(&u32s(next));
                    page[22..24].copy_from_slice(&u16s(chunk.len() as u16));
                    page[26..26 + chunk.len()].copy_from_slice(chunk);
                    pages.push(page);
                }
                [&[3, 0, 0, 0], &u32s(first as u32)[..], &u32s(blob.len() as u32)[..]].concat()
            }
        };
        let items = [[&[1], &key[..]].concat(), value];
        let entries = |page: &[u8]| {
            let bytes = [page[20], page[21]];
            usize::from(if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
        };
        let fits = |page: &[u8], end: usize| 26 + 2 * entries(page) + 4 + items[0].len() + items[1].len() <= end;
        let number = match hash {
            Some(number) if fits(&pages[number], end) => number,
            _ => {
                pages.push(head(pages.len(), 13));
                end = page_size;
                pages.len() - 1
            }
        };
        hash = Some(number);
        for item in &items {
            let page = &mut pages[number];
            let entry = entries(page);
            end -= item.len();
            page[end..end + item.len()].copy_from_slice(item);
            page[26 + 2 * entry..28 + 2 * entry].copy_from_slice(&u16s(end as u16));
            page[20..22].copy_from_slice(&u16s(entry as u16 + 1));
            page[22..24].copy_from_slice(&u16s(end as u16));
        }
    }
    let last = pages.len() as u32 - 1;
    let meta = &mut pages[0];
    for (at, number) in [(12, 0x0006_1561), (16, 9), (20, page_size as u32), (32, last)] {
        meta[at..at + 4].copy_from_slice(&u32s(number));
    }
    meta[25] = 8;
    pages.concat()
}
