//! Looks for many short texts at once, without regard to case.
//!
//! Of each text, four bytes are looked for; a table of bits tells for every four bytes of a text whether they may be
//! some of these, and only then is compared what stands around them. What is shorter than four bytes is made longer by
//! what may stand around it.

use std::ops::Range;

use memchr::memchr2_iter;

use crate::pyregex::{Clue, FAR, bits_of};

const BITS: u32 = 16;
/// More ways to go on than these are too many.
const WAYS: usize = 5_000;

/// The texts of all rules.
#[derive(Debug)]
pub(super) struct Grams {
    filter: Box<[u64; (1 << BITS) / 64]>,
    /// By hash, where its entries begin; one more for the end.
    heads: Box<[u32]>,
    entries: Vec<Entry>,
    texts: Vec<Text>,
    /// Texts of one byte that almost anything may stand around.
    bytes: Vec<u32>,
    clues: Vec<(usize, Clue)>,
    longest: usize,
}

/// What stands in any case before a value of JSON that is a text.
const OPENING: &[u8] = b"\": \"";

/// Whether a clue may be in a value because a quote is before it.
fn wants_quote(clue: &Clue) -> bool {
    // So many bytes of it are before the value.
    let is_over = |begun: usize| match OPENING.len().checked_sub(begun) {
        Some(rest) => {
            OPENING[rest..] == clue.text.as_bytes()[..begun] && clue.fits_behind(&OPENING[..rest], 0)
        }
        None => clue.text.as_bytes()[..begun].ends_with(OPENING),
    };
    (1..clue.text.len()).any(is_over) || (0..clue.reach()).any(|value| clue.fits_behind(OPENING, value))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: u32,
    gram: u32,
    text: u32,
    /// So far before the gram the text begins; behind it, if negative.
    back: i8,
}

#[derive(Debug)]
struct Text {
    lower: Box<[u8]>,
    clues: Range<u32>,
}

impl Grams {
    pub fn new(mut clues: Vec<(usize, Clue)>) -> Grams {
        clues.sort_by_cached_key(|(_, clue)| clue.text.to_ascii_lowercase());
        let mut texts: Vec<Text> = Vec::new();
        for (index, (_, clue)) in (0..).zip(&clues) {
            let lower = clue.text.to_ascii_lowercase().into_bytes();
            match texts.last_mut().filter(|text| *text.lower == *lower) {
                Some(text) => text.clues.end = index + 1,
                None => texts.push(Text { lower: lower.into(), clues: index..index + 1 }),
            }
        }
        let (mut entries, mut bytes) = (Vec::new(), Vec::new());
        for (index, text) in (0..).zip(&texts) {
            let made = entries.len();
            let all = &clues[text.clues.start as usize..text.clues.end as usize];
            if !add(&mut entries, index, &text.lower, all.iter().map(|(_, clue)| clue)) {
                entries.truncate(made);
                bytes.push(index);
            }
        }
        entries.sort_unstable();
        entries.dedup();
        let mut filter = Box::new([0; (1 << BITS) / 64]);
        let mut heads = vec![0; (1 << BITS) + 1].into_boxed_slice();
        for entry in &entries {
            filter[entry.hash as usize / 64] |= 1_u64 << (entry.hash % 64);
            heads[entry.hash as usize + 1] += 1;
        }
        for hash in 0..1 << BITS {
            heads[hash + 1] += heads[hash];
        }
        let longest = texts.iter().map(|text| text.lower.len()).max().unwrap_or(0);
        Grams { filter, heads, entries, texts, bytes, clues, longest }
    }

    /// What stands so far from a place has nothing to do with it.
    pub fn reach(&self) -> usize {
        self.longest + FAR + 8
    }

    /// Tells rule, start and end of each text in this part that a match of the rule may hold.
    #[inline]
    pub fn look(&self, text: &[u8], part: Range<usize>, mut found: impl FnMut(usize, usize, usize)) {
        if !self.entries.is_empty() {
            self.look_for_grams(text, part.clone(), &mut found);
        }
        for &index in &self.bytes {
            let byte = self.texts[index as usize].lower[0];
            for at in memchr2_iter(byte, byte.to_ascii_uppercase(), &text[part.clone()]) {
                self.compare(text, index, part.start + at, &mut found);
            }
        }
    }

    #[inline]
    fn look_for_grams(&self, text: &[u8], part: Range<usize>, found: &mut impl FnMut(usize, usize, usize)) {
        let bytes = &text[part.clone()];
        let mut at = 0;
        // Four places at once: seldom is any of them of interest.
        while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let eight = u64::from_le_bytes(*eight) | 0x2020_2020_2020_2020;
            let gram = |place: u32| (eight >> (8 * place)) as u32;
            let any = self.knows(gram(0)) | self.knows(gram(1)) | self.knows(gram(2)) | self.knows(gram(3));
            if any & 1 != 0 {
                for place in (0..4).filter(|&place| self.knows(gram(place)) & 1 != 0) {
                    self.look_up(text, part.start + at + place as usize, gram(place), found);
                }
            }
            at += 4;
        }
        for (place, four) in (at..).zip(bytes.get(at..).unwrap_or_default().windows(4)) {
            let gram = gram_of([four[0], four[1], four[2], four[3]]);
            if self.knows(gram) & 1 != 0 {
                self.look_up(text, part.start + place, gram, found);
            }
        }
    }

    /// The last bit is set if the gram may be one of those that are looked for.
    #[inline]
    fn knows(&self, gram: u32) -> u64 {
        let hash = hash_of(gram);
        self.filter[hash as usize / 64] >> (hash % 64)
    }

    #[cold]
    fn look_up(&self, text: &[u8], at: usize, gram: u32, found: &mut impl FnMut(usize, usize, usize)) {
        let hash = hash_of(gram) as usize;
        for entry in &self.entries[self.heads[hash] as usize..self.heads[hash + 1] as usize] {
            if entry.gram == gram
                && let Some(start) = at.checked_add_signed(-isize::from(entry.back))
            {
                self.compare(text, entry.text, start, found);
            }
        }
    }

    /// Whether a text may be in the name of a value that stands in quotes, as JSON has it.
    pub fn want_quoted(&self, name: &str) -> bool {
        let quoted = [b"\"", name.as_bytes(), OPENING].concat();
        let of_text = |gram: u32| {
            let hash = hash_of(gram) as usize;
            let entries = &self.entries[self.heads[hash] as usize..self.heads[hash + 1] as usize];
            entries.iter().any(|entry| entry.gram == gram)
        };
        let byte = |&index: &u32| self.texts[index as usize].lower[0];
        quoted.windows(4).any(|four| of_text(gram_of([four[0], four[1], four[2], four[3]])))
            || self.bytes.iter().map(byte).any(|byte| quoted.to_ascii_lowercase().contains(&byte))
    }

    /// Whether one may be in a value because a quote is before it.
    pub fn want_quotes(&self) -> bool {
        self.clues.iter().any(|(_, clue)| wants_quote(clue))
    }

    fn compare(&self, text: &[u8], index: u32, start: usize, found: &mut impl FnMut(usize, usize, usize)) {
        let Text { lower, clues } = &self.texts[index as usize];
        let end = start + lower.len();
        if !text.get(start..end).is_some_and(|here| here.eq_ignore_ascii_case(lower)) {
            return;
        }
        for (rule, clue) in &self.clues[clues.start as usize..clues.end as usize] {
            if clue.fits(text, start, end) {
                found(*rule, start, end);
            }
        }
    }
}

/// Four bytes, letters in one case; some other characters become the same, too.
fn gram_of(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes) | 0x2020_2020
}

fn hash_of(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1) >> (32 - BITS)
}

/// The grams that tell where a text may be. False: there are too many.
fn add<'a>(entries: &mut Vec<Entry>, text: u32, lower: &[u8], clues: impl Iterator<Item = &'a Clue>) -> bool {
    let entry = |gram: [u8; 4], back: i8| {
        let gram = gram_of(gram);
        Entry { hash: hash_of(gram), gram, text, back }
    };
    let rarity = |four: &[u8]| -> f64 { four.iter().copied().map(bits_of).sum() };
    // What lies far behind is not reached by an i8, and no rarer.
    let first = &lower[..lower.len().min(64)];
    if let Some((at, four)) = first.windows(4).enumerate().max_by(|a, b| rarity(a.1).total_cmp(&rarity(b.1)))
    {
        entries.push(entry([four[0], four[1], four[2], four[3]], at as i8));
        return true;
    }
    for clue in clues {
        let Some((ways, back)) = longer(lower, clue) else { return false };
        entries.extend(ways.into_iter().map(|four| entry(four, back)));
    }
    true
}

/// A short text with what may stand behind it, or before it.
fn longer(lower: &[u8], clue: &Clue) -> Option<(Vec<[u8; 4]>, i8)> {
    let missing = 4 - lower.len();
    let folded = |bytes: Vec<u8>| {
        let mut bytes: Vec<u8> = bytes.into_iter().map(|byte| byte | 0x20).collect();
        bytes.sort_unstable();
        bytes.dedup();
        bytes
    };
    let product = |places: Vec<Vec<u8>>| {
        let all = places.iter().map(Vec::len).product::<usize>();
        (all <= WAYS).then(|| {
            places.iter().fold(vec![Vec::new()], |ways: Vec<Vec<u8>>, place| {
                ways.iter().flat_map(|way| place.iter().map(|&byte| [&way[..], &[byte]].concat())).collect()
            })
        })
    };
    let four = |way: Vec<u8>| <[u8; 4]>::try_from(way).ok();
    let behind: Option<Vec<_>> =
        (0..missing).map(|place| Some(folded(clue.behind(place)?.collect()))).collect();
    if let Some(ways) = behind.and_then(product) {
        return Some((ways.into_iter().filter_map(|way| four([lower, &way].concat())).collect(), 0));
    }
    let ahead: Option<Vec<_>> =
        (0..missing).rev().map(|place| Some(folded(clue.ahead(place)?.collect()))).collect();
    let ways = ahead.and_then(product)?;
    Some((ways.into_iter().filter_map(|way| four([&way, lower].concat())).collect(), -(missing as i8)))
}
