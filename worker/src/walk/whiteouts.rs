//! Entries that are no files but say what of the lower layers is gone.

use lazaret::inventory::GapKind;
use lazaret::path::LayerPath;

use super::Walk;

impl Walk<'_> {
    /// OCI image specification, layer.md, "Whiteouts". Names that would mean the directory itself or its parent, and the
    /// bookkeeping files of AUFS, hide nothing.
    pub(super) fn whiteout(&mut self, path: &LayerPath, hidden: &[u8]) {
        let mut parent = LayerPath::from_entry(path.parent());
        self.names.imply_parents(path, self.limits);
        match hidden {
            b".wh..opq" => {
                self.opaques.insert(parent);
            }
            b"" | b"." | b".." => {
                self.gap(GapKind::Ambiguous, parent, "a whiteout without a name");
            }
            _ if hidden.starts_with(b".wh.") => {}
            _ => {
                parent.push(hidden);
                self.whiteouts.insert(parent);
            }
        }
        let few = self.whiteouts.len() + self.opaques.len() <= self.limits.hides;
        if !self.has_room_for(path.as_bytes().len()) || !few {
            self.whiteouts.pop_last();
            self.opaques.pop_last();
            self.gap(GapKind::Limit, LayerPath::root(), "more whiteouts than are remembered");
        }
    }
}
