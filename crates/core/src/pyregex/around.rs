//! What may stand around a text that every match of a pattern holds.

use std::ptr;
use std::sync::Arc;

use super::ast::{Node, Width};
use super::bytes::Known;
use super::near::Near;
use super::window::Window;

/// A text in ASCII, and the bytes that may stand around it.
#[derive(Clone, Debug)]
pub struct Clue {
    /// In lower case if `folded`.
    pub text: String,
    /// It is to be looked for without regard to case.
    pub folded: bool,
    /// Characters that are not ASCII may stand for letters of it (the Kelvin sign for `k`).
    pub beyond_ascii: bool,
    pub(super) around: Arc<Surroundings>,
}

/// What may stand around a text.
#[derive(Debug)]
pub(super) struct Surroundings {
    before: Window,
    after: Window,
    sign_before: Option<Near>,
    sign_after: Option<Near>,
}

impl Clue {
    /// Whether a match may hold what stands at this place of a text, which is the clue's in any case.
    #[inline]
    pub fn fits(&self, text: &[u8], start: usize, end: usize) -> bool {
        let Surroundings { before, after, sign_before, sign_after } = &*self.around;
        (self.folded || &text[start..end] == self.text.as_bytes())
            && after.fits_after(text, end)
            && before.fits_before(text, start)
            && sign_after.as_ref().is_none_or(|sign| sign.fits(text[end..].iter()))
            && sign_before.as_ref().is_none_or(|sign| sign.fits(text[..start].iter().rev()))
    }

    /// So many bytes before it are looked at in any case.
    pub fn reach(&self) -> usize {
        self.around.before.length()
    }

    /// Whether it may stand behind these bytes, with so many between that are not known, and others before.
    pub fn fits_behind(&self, bytes: &[u8], unknown: usize) -> bool {
        self.around.before.fits_behind(bytes, unknown)
    }

    /// The bytes that may stand so many places behind it; None where there need not be one.
    pub fn behind(&self, place: usize) -> Option<impl Iterator<Item = u8> + '_> {
        self.around.after.at(place)
    }

    /// The bytes that may stand so many places before it, the nearest is 0.
    pub fn ahead(&self, place: usize) -> Option<impl Iterator<Item = u8> + '_> {
        self.around.before.at(place)
    }
}

/// What stands before and after a place in the pattern, from the outside to the inside.
#[derive(Clone, Default)]
pub(super) struct Around<'a> {
    before: Vec<&'a [Node]>,
    after: Vec<&'a [Node]>,
    /// Nothing that has a width stands before it.
    pub is_nothing_before: bool,
}

impl<'a> Around<'a> {
    /// Around all of a pattern.
    pub fn whole() -> Around<'a> {
        Around { is_nothing_before: true, ..Around::default() }
    }

    pub fn inside(&self, before: &'a [Node], after: &'a [Node]) -> Around<'a> {
        let mut around = self.clone();
        around.is_nothing_before &= Width::of(before).max == 0;
        around.before.push(before);
        around.after.push(after);
        around
    }

    pub fn is_same(&self, other: &Around) -> bool {
        let same = |mine: &[&[Node]], others: &[&[Node]]| {
            mine.len() == others.len() && mine.iter().zip(others).all(|(mine, other)| ptr::eq(*mine, *other))
        };
        same(&self.before, &other.before) && same(&self.after, &other.after)
    }

    pub fn made(&self, known: &Known) -> Arc<Surroundings> {
        let (before, after) = self.windows(known);
        // What is before a value depends on how it is written, in quotes or not.
        let sign_before =
            Near::of(self.before.iter().rev().copied(), true, known).filter(|sign| !sign.allows(b'"'));
        let sign_after = Near::of(self.after.iter().rev().copied(), false, known);
        Arc::new(Surroundings { before, after, sign_before, sign_after })
    }

    pub fn windows(&self, known: &Known) -> (Window, Window) {
        let before = Window::of(self.before.iter().rev().copied(), true, known);
        (before, Window::of(self.after.iter().rev().copied(), false, known))
    }
}
