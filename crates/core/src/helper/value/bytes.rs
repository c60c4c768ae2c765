//! The bytes of values, in and out.

use super::{Corrupt, Read, Reader};
use crate::wire::object;

impl<'a> Reader<'a> {
    #[inline(always)]
    pub(super) fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (bytes, rest) = self.body.split_first_chunk::<N>().ok_or(Corrupt)?;
        self.body = rest;
        Ok(*bytes)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        let (bytes, rest) = self.body.split_at_checked(count).ok_or(Corrupt)?;
        self.body = rest;
        Ok(bytes)
    }

    #[inline(always)]
    pub(super) fn u8(&mut self) -> Read<u8> {
        Ok(self.take::<1>()?[0])
    }

    #[inline(always)]
    pub(super) fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    #[inline(always)]
    pub(super) fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    pub(super) fn f64(&mut self) -> Read<f64> {
        Ok(f64::from_le_bytes(self.take()?))
    }

    pub(super) fn peek(&self) -> Read<u8> {
        self.body.first().copied().ok_or(Corrupt)
    }

    /// Type and address of an object.
    #[inline(always)]
    pub(super) fn which(&mut self) -> Read<(u32, u64)> {
        let word = self.u64()?;
        if word & object::LONG == object::LONG {
            Ok((self.u32()?, self.u64()?))
        } else {
            Ok(object::parts(word))
        }
    }
}

/// Appends a short text by two moves that may overlap, which is several times quicker than a call to copy it.
#[inline(always)]
pub(super) fn append(out: &mut Vec<u8>, text: &[u8]) {
    const MOST: usize = 64;
    let (length, begun) = (text.len(), out.len());
    if length > MOST || out.capacity() - begun < MOST {
        return out.extend_from_slice(text);
    }
    // SAFETY: the moves stay within the text, and within the capacity of `out` that was asked for just now.
    unsafe {
        let (from, to) = (text.as_ptr(), out.as_mut_ptr().add(begun));
        match length {
            0 => {}
            1..=3 => {
                *to = *from;
                *to.add(length / 2) = *from.add(length / 2);
                *to.add(length - 1) = *from.add(length - 1);
            }
            4..=7 => ends::<4>(from, to, length),
            8..=15 => ends::<8>(from, to, length),
            16..=31 => ends::<16>(from, to, length),
            _ => ends::<32>(from, to, length),
        }
        out.set_len(begun + length);
    }
}

/// Copies the first and the last `N` of at most `2 * N` bytes.
///
/// # Safety
/// `length` is at least `N`, and both places have so many bytes.
#[inline(always)]
unsafe fn ends<const N: usize>(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: as for this function.
    unsafe {
        to.cast::<[u8; N]>().write_unaligned(from.cast::<[u8; N]>().read_unaligned());
        let last = length - N;
        to.add(last).cast::<[u8; N]>().write_unaligned(from.add(last).cast::<[u8; N]>().read_unaligned());
    }
}
