//! Comparison without case as `re` does it: lower case, and letters that share an upper case.

use std::sync::OnceLock;

use crate::language::sorted;

use super::ast::Case;
use super::chars::{Ranges, contains};

/// Lower-case characters that `re` holds to be the same letter because they share an upper case.
pub(super) const SAME_LETTER: &[&[u32]] = &[
    &[0x69, 0x131],
    &[0x73, 0x17f],
    &[0xb5, 0x3bc],
    &[0x345, 0x3b9, 0x1fbe],
    &[0x390, 0x1fd3],
    &[0x3b0, 0x1fe3],
    &[0x3b2, 0x3d0],
    &[0x3b5, 0x3f5],
    &[0x3b8, 0x3d1],
    &[0x3ba, 0x3f0],
    &[0x3c0, 0x3d6],
    &[0x3c1, 0x3f1],
    &[0x3c2, 0x3c3],
    &[0x3c6, 0x3d5],
    &[0x432, 0x1c80],
    &[0x434, 0x1c81],
    &[0x43e, 0x1c82],
    &[0x441, 0x1c83],
    &[0x442, 0x1c84, 0x1c85],
    &[0x44a, 0x1c86],
    &[0x463, 0x1c87],
    &[0x1c88, 0xa64b],
    &[0x1e61, 0x1e9b],
    &[0xfb05, 0xfb06],
];

/// The letters that `re` takes for `lower` besides itself.
pub(super) fn same_letters(lower: u32) -> &'static [u32] {
    SAME_LETTER.iter().find(|letters| letters.contains(&lower)).copied().unwrap_or(&[])
}

pub(super) fn lower(code: u32, case: Case) -> u32 {
    match case {
        Case::Exact => code,
        _ if code < 0x80 => u32::from((code as u8).to_ascii_lowercase()),
        Case::Ascii => code,
        // Only U+0130 has a longer lower case, and its simple one is the first character of that.
        Case::Unicode => char::from_u32(code).and_then(|c| c.to_lowercase().next()).map_or(code, u32::from),
    }
}

pub(super) fn upper(code: u32) -> u32 {
    char::from_u32(code).and_then(|c| c.to_uppercase().next()).map_or(code, u32::from)
}

pub(super) fn is_cased(code: u32, case: Case) -> bool {
    match case {
        Case::Exact => false,
        _ if code < 0x80 => (code as u8).is_ascii_alphabetic(),
        Case::Ascii => false,
        Case::Unicode => lower(code, case) != code || upper(code) != code,
    }
}

/// The code points whose lower case is one of these, and those that stay as they are and are among them.
pub(super) fn lowered_to(ranges: &[(u32, u32)], case: Case) -> Ranges {
    static CHANGED: OnceLock<Vec<(u32, u32)>> = OnceLock::new();
    if case == Case::Exact {
        return ranges.to_vec();
    }
    let changes = |code: u32, case: Case| (code, lower(code, case));
    let ascii: Vec<(u32, u32)>;
    let changed = if case == Case::Ascii {
        ascii = (0x41..=0x5a).map(|code| changes(code, case)).collect();
        &ascii
    } else {
        // No letter beyond has a case.
        let all = || (0..0x2_0000).map(|code| changes(code, Case::Unicode)).filter(|(code, low)| code != low);
        CHANGED.get_or_init(|| all().collect())
    };
    let mut made = Vec::new();
    for &(start, end) in ranges {
        let mut next = start;
        let from = changed.partition_point(|&(code, _)| code < start);
        for &(code, _) in changed[from..].iter().take_while(|&&(code, _)| code <= end) {
            if next < code {
                made.push((next, code - 1));
            }
            next = code + 1;
        }
        if next <= end {
            made.push((next, end));
        }
    }
    made.extend(changed.iter().filter(|&&(_, low)| contains(ranges, low)).map(|&(code, _)| (code, code)));
    sorted(made)
}

/// The characters from `start` to `end` that have a case. Wide ranges are cut out of a list made once.
pub(super) fn cased_between(start: u32, end: u32, case: Case) -> Vec<u32> {
    static CASED: OnceLock<Vec<u32>> = OnceLock::new();
    if case == Case::Ascii {
        return (start..=end.min(0x7f)).filter(|&code| is_cased(code, case)).collect();
    }
    if end.saturating_sub(start) < 256 {
        return (start..=end).filter(|&code| is_cased(code, case)).collect();
    }
    let cased = CASED.get_or_init(|| (0..=0xffff).filter(|&code| is_cased(code, Case::Unicode)).collect());
    let from = cased.partition_point(|&code| code < start);
    let to = cased.partition_point(|&code| code <= end);
    cased[from..to].to_vec()
}
