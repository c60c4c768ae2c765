//! Runs of bytes of one kind.

use std::ops::Range;

/// Tells the runs of at least so many bytes that begin in a part, each whole. The last of the bytes that would be a run
/// is looked at first, so that most are never looked at.
pub(super) fn runs(
    text: &[u8],
    part: Range<usize>,
    least: usize,
    is_one: impl Fn(u8) -> bool,
    mut found: impl FnMut(usize, usize),
) {
    let mut from = part.start;
    while let Some(next) = text.get(from..from + least).filter(|_| from < part.end) {
        // What stands behind the last other byte may still become a run.
        if let Some(other) = next.iter().rposition(|&byte| !is_one(byte)) {
            from += other + 1;
            continue;
        }
        let start = from - text[..from].iter().rev().take_while(|&&byte| is_one(byte)).count();
        let more = text[from + least..].iter().take_while(|&&byte| is_one(byte)).count();
        let end = from + least + more;
        found(start, end);
        from = end;
    }
}
