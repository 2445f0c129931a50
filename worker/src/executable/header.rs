//! The three ELF structures that matter here, of either class and byte order (System V ABI, chapters 4 and 5).

/// A file header, reduced to where its tables are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    wide: bool,
    big_endian: bool,
    /// `e_type`.
    pub(super) kind: u16,
    segments_at: u64,
    segment_bytes: u16,
    segment_count: u16,
    /// `e_shoff`: where the section header table starts; 0 where there is none.
    pub(super) sections_at: u64,
    /// `e_shentsize`.
    pub(super) section_bytes: u16,
    /// `e_shnum`; 0 where section 0 holds the count.
    pub(super) section_count: u16,
    /// `e_shstrndx`; [`Self::EXTENDED_INDEX`] where section 0 holds the index.
    pub(super) names_index: u16,
}

/// A program header: a part of the file that is mapped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// Whether the loader maps it (`PT_LOAD`).
    pub(super) loaded: bool,
    /// Whether it is a part with notes (`PT_NOTE`), which some loaded one holds too.
    pub(super) notes: bool,
    /// `p_align`.
    pub(super) align: u64,
    /// Where the loader maps it.
    pub(super) address: u64,
    /// `PF_W`.
    pub(super) writable: bool,
    /// `PF_X`.
    pub(super) executable: bool,
    /// First byte in the file.
    pub(super) start: u64,
    /// End in the file.
    pub(super) end: u64,
}

/// A section header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// Where its name starts in the section of names.
    pub(super) name: u32,
    /// `sh_type`.
    pub(super) kind: u32,
    /// Whether it is written to or executed (`SHF_WRITE`, `SHF_EXECINSTR`).
    pub(super) changes_or_runs: bool,
    /// Whether it is in memory when the program runs (`SHF_ALLOC`).
    pub(super) loaded: bool,
    /// First byte in the file.
    pub(super) start: u64,
    /// Bytes in the file.
    pub(super) size: u64,
    /// `sh_link`.
    pub(super) link: u32,
}

impl Header {
    /// `ET_EXEC`: an executable at a fixed address.
    pub(super) const EXECUTABLE: u16 = 2;
    /// `ET_DYN`: a position-independent executable or a shared object.
    pub(super) const SHARED: u16 = 3;
    /// `SHN_XINDEX`.
    pub(super) const EXTENDED_INDEX: u16 = 0xffff;

    /// The header at the start of a file; `None` where it is cut short, none, or of no known class or byte order.
    pub(super) fn parse(head: &[u8]) -> Option<Self> {
        if !super::is_elf(head) {
            return None;
        }
        let wide = match head.get(4)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        let big_endian = match head.get(5)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        let fields = Fields { bytes: head, wide, big_endian };
        let tail = if wide { 52 } else { 40 };
        Some(Self {
            wide,
            big_endian,
            kind: fields.u16(16)?,
            segments_at: if wide { fields.address(32) } else { fields.address(28) }?,
            segment_bytes: fields.u16(tail + 2)?,
            segment_count: fields.u16(tail + 4)?,
            sections_at: if wide { fields.address(40) } else { fields.address(32) }?,
            section_bytes: fields.u16(tail + 6)?,
            section_count: fields.u16(tail + 8)?,
            names_index: fields.u16(tail + 10)?,
        })
    }

    /// The program headers that lie within `head`, the first bytes of the file.
    pub(super) fn segments<'a>(&self, head: &'a [u8]) -> impl Iterator<Item = Segment> + use<'a> {
        let (wide, big_endian) = (self.wide, self.big_endian);
        let minimum = if wide { 56 } else { 32 };
        let start = usize::try_from(self.segments_at).unwrap_or(usize::MAX);
        let table = head.get(start..).filter(|_| usize::from(self.segment_bytes) >= minimum).unwrap_or_default();
        let entries = table.chunks_exact(usize::from(self.segment_bytes).max(1)).take(self.segment_count.into());
        entries.filter_map(move |bytes| Segment::parse(Fields { bytes, wide, big_endian }))
    }

    /// Makes `head`, which starts with this header, one of a file without section headers.
    pub(super) fn forget_sections(&self, head: &mut [u8]) {
        let field = if self.wide { 40..48 } else { 32..36 };
        head.get_mut(field).unwrap_or_default().fill(0);
    }

    /// Where the program headers end.
    pub(super) fn segments_end(&self) -> u64 {
        self.segments_at.saturating_add(u64::from(self.segment_bytes) * u64::from(self.segment_count))
    }

    /// The number at `at` of `bytes`, in the byte order of the file.
    pub(super) fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        Fields { bytes, wide: self.wide, big_endian: self.big_endian }.u32(at)
    }

    /// Whether section headers have room for what they must hold.
    pub(super) fn section_headers_fit(&self) -> bool {
        self.section_bytes >= if self.wide { 64 } else { 40 }
    }

    /// The section header that `bytes` starts with.
    pub(super) fn section(&self, bytes: &[u8]) -> Option<Section> {
        let fields = Fields { bytes, wide: self.wide, big_endian: self.big_endian };
        let (flags, start, size, link) = if self.wide { (8, 24, 32, 40) } else { (8, 16, 20, 24) };
        let flags = fields.address(flags)?;
        Some(Section {
            name: fields.u32(0)?,
            kind: fields.u32(4)?,
            changes_or_runs: flags & 0b101 != 0,
            loaded: flags & 0b010 != 0,
            start: fields.address(start)?,
            size: fields.address(size)?,
            link: fields.u32(link)?,
        })
    }
}

impl Segment {
    /// A part of a file that nothing maps.
    pub(super) fn of_file(range: std::ops::Range<u64>) -> Self {
        Self {
            loaded: false,
            notes: false,
            align: 1,
            address: range.start,
            writable: false,
            executable: false,
            start: range.start,
            end: range.end,
        }
    }

    fn parse(fields: Fields<'_>) -> Option<Self> {
        let (start, address, size, flags, align) = if fields.wide { (8, 16, 32, 4, 48) } else { (4, 8, 16, 24, 28) };
        let start = fields.address(start)?;
        let flags = fields.u32(flags)?;
        Some(Self {
            loaded: fields.u32(0)? == 1,
            notes: fields.u32(0)? == 4,
            align: fields.address(align)?,
            address: fields.address(address)?,
            writable: flags & 2 != 0,
            executable: flags & 1 != 0,
            start,
            end: start.saturating_add(fields.address(size)?),
        })
    }
}

/// Integers at byte offsets, in the class and byte order of a file.
#[derive(Clone, Copy)]
struct Fields<'a> {
    bytes: &'a [u8],
    wide: bool,
    big_endian: bool,
}

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk().copied()
    }

    fn u16(&self, at: usize) -> Option<u16> {
        self.array(at).map(if self.big_endian { u16::from_be_bytes } else { u16::from_le_bytes })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(if self.big_endian { u32::from_be_bytes } else { u32::from_le_bytes })
    }

    fn address(&self, at: usize) -> Option<u64> {
        if !self.wide {
            return self.u32(at).map(u64::from);
        }
        self.array(at).map(if self.big_endian { u64::from_be_bytes } else { u64::from_le_bytes })
    }
}
