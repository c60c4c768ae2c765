//! A text that is being changed, and where its parts stood before.

use super::rule::Replacement;

/// A part that was put in, or what is left of it, and what it stands for in the first text.
#[derive(Clone, Copy, Debug)]
struct Part {
    start: usize,
    end: usize,
    from: usize,
    to: usize,
}

#[derive(Debug)]
pub(super) struct Edits {
    text: String,
    /// In order; what is between them is as it was.
    parts: Vec<Part>,
}

impl Edits {
    pub fn new(text: &str) -> Edits {
        Edits { text: text.to_owned(), parts: Vec::new() }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text
    }

    /// Puts texts in the place of others, which are in order and do not overlap. Returns where in the first text these
    /// stood: a part that was put in before stands for all that it replaced.
    pub fn replace(&mut self, replacements: &[Replacement]) -> Vec<(usize, usize)> {
        let (mut new, mut done) = (Edits::new(""), 0);
        let mut places = Vec::new();
        for ((start, end), put) in replacements {
            let (from, to) = self.origin((*start, *end));
            new.copy(self, done, *start);
            let begin = new.text.len();
            new.text.push_str(put);
            new.parts.push(Part { start: begin, end: new.text.len(), from, to });
            places.push((from, to));
            done = *end;
        }
        new.copy(self, done, self.text.len());
        *self = new;
        places
    }

    /// What was changed, in order: where it stood in the first text, and what stands there now.
    pub fn changes(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        // What is left of a part that was cut stands for all that it replaced.
        self.parts.chunk_by(|one, next| next.from < one.to).map(|parts| {
            let (first, last) = (&parts[0], &parts[parts.len() - 1]);
            (first.from, last.to, &self.text[first.start..last.end])
        })
    }

    /// What a part of the text now stands for in the first one.
    pub fn origin(&self, (start, end): (usize, usize)) -> (usize, usize) {
        (self.from(start), self.to(end))
    }

    /// Where a place of the first text is now that no change goes over.
    pub fn now(&self, at: usize) -> usize {
        let before = self.parts.partition_point(|part| part.to <= at);
        self.parts[..before].last().map_or(at, |part| part.end + at - part.to)
    }

    fn copy(&mut self, old: &Edits, start: usize, end: usize) {
        let ahead = self.text.len() as isize - start as isize;
        let moved = |at: usize| (at.clamp(start, end) as isize + ahead) as usize;
        let first =
            old.parts.partition_point(|part| part.end < start || (part.end == start && part.start < start));
        // A part of which nothing is left stands between two characters, and belongs to what is before it.
        for part in old.parts[first..].iter().take_while(|part| part.start < end || part.end == end) {
            self.parts.push(Part { start: moved(part.start), end: moved(part.end), ..*part });
        }
        self.text.push_str(&old.text[start..end]);
    }

    /// Where in the first text something begins.
    fn from(&self, at: usize) -> usize {
        let before = self.parts.partition_point(|part| part.end <= at);
        match self.parts.get(before) {
            Some(part) if part.start <= at => part.from,
            _ => self.parts[..before].last().map_or(at, |part| at - part.end + part.to),
        }
    }

    /// Where in the first text something ends.
    fn to(&self, at: usize) -> usize {
        let before = self.parts.partition_point(|part| part.start < at);
        match self.parts[..before].last() {
            Some(part) if part.end >= at => part.to,
            Some(part) => at - part.end + part.to,
            None => at,
        }
    }
}
