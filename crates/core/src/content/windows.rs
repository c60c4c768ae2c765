//! Long texts, window after window.
//!
//! Of a window only the beginning is kept, and what is behind is looked at again with the next one: so every match that
//! begins in what is kept was seen whole, with what follows it. It is cut where no match is.

use super::edits::Edits;
use super::{Applied, Hit, How, Redacted, Rules};
use crate::pyregex::{boundary, boundary_before};

/// So much of what was kept is shown to the rules again, for what they look at behind them.
const CONTEXT: usize = 256;

/// As [`Rules::redact`]; `window`: so many bytes are kept at most, `reach`: so many behind them are looked at.
pub(super) fn redact(rules: &Rules, text: &str, window: usize, reach: usize, how: &How) -> Option<Redacted> {
    let mut windows = Windows::new(window, reach);
    let (mut out, mut hits) = (String::with_capacity(text.len()), Vec::new());
    let mut from = 0;
    while from < text.len() {
        let kept = windows.next(rules, &text[from..], true, how, &mut out, &mut hits);
        for hit in hits.iter_mut().rev().take(kept.hits) {
            hit.start += from;
            hit.end += from;
        }
        from += kept.bytes;
    }
    (!hits.is_empty()).then_some(Redacted { text: out, hits })
}

/// A text that comes in pieces.
#[derive(Debug)]
pub(super) struct Windows {
    window: usize,
    reach: usize,
    /// The end of what was kept, as it is now.
    context: String,
}

/// What was kept of a window.
pub(super) struct Kept {
    /// Of the text that was given.
    pub bytes: usize,
    pub hits: usize,
}

impl Windows {
    pub(super) fn new(window: usize, reach: usize) -> Windows {
        Windows { window, reach, context: String::new() }
    }

    /// Applies the rules to the beginning of a text, and adds what came of it. With `last` false more text follows, and
    /// nothing is kept while that could matter.
    pub(super) fn next(
        &mut self,
        rules: &Rules,
        text: &str,
        last: bool,
        how: &How,
        out: &mut String,
        hits: &mut Vec<Hit>,
    ) -> Kept {
        let end = boundary(text, self.window + self.reach);
        let all = end == text.len() && last;
        if !all && text.len() < self.window + self.reach {
            return Kept { bytes: 0, hits: 0 };
        }
        let from = self.context.len();
        self.context.push_str(&text[..end]);
        let Applied { edits, hits: found, matches } = rules.apply_layers(&self.context, from, how);
        let cut = if all { self.context.len() } else { self.cut(from, matches, edits.as_ref()) };
        let before = out.len();
        match &edits {
            Some(edits) => out.push_str(&edits.text()[from..edits.now(cut)]),
            None => out.push_str(&self.context[from..cut]),
        }
        let kept = found.iter().filter(|hit| hit.end <= cut);
        let moved = kept.map(|hit| Hit { start: hit.start - from, end: hit.end - from, ..*hit });
        let known = hits.len();
        hits.extend(moved);
        self.context.truncate(from);
        self.context.push_str(&out[before..]);
        let drop = boundary(&self.context, self.context.len().saturating_sub(CONTEXT));
        self.context.drain(..drop);
        Kept { bytes: cut - from, hits: hits.len() - known }
    }

    /// The last place in the window where no match is, behind a newline if there is one not too far.
    fn cut(&self, from: usize, mut matches: Vec<(usize, usize)>, edits: Option<&Edits>) -> usize {
        matches.sort_unstable();
        let outside = |mut at: usize| {
            while let Some(&(start, _)) = matches.iter().rev().find(|&&(start, end)| start < at && at < end) {
                at = start;
            }
            at
        };
        let last = boundary_before(&self.context, from + self.window);
        let mut at = outside(last);
        let near = last.saturating_sub(self.window / 2).max(from);
        while let Some(newline) =
            self.context.as_bytes()[near..at.max(near)].iter().rposition(|&byte| byte == b'\n')
        {
            let line = near + newline + 1;
            if outside(line) == line {
                return line;
            }
            at = line - 1;
        }
        let mut anywhere = outside(last);
        if anywhere <= from {
            // All of it is one, encoded: it is cut, though not in what is changed.
            anywhere = last;
            for (start, end, _) in edits.iter().flat_map(|edits| edits.changes()) {
                if start < anywhere && anywhere < end {
                    anywhere = end;
                }
            }
        }
        anywhere
    }
}
