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

/// Appends a number in decimals. They are made where they stand: what is copied right after it was written is waited
/// for.
pub(super) fn append_number(out: &mut Vec<u8>, number: i64) {
    const MOST: usize = 20;
    if number < 0 {
        out.push(b'-');
    }
    let mut rest = number.unsigned_abs();
    let length = rest.checked_ilog10().map_or(1, |tens| tens as usize + 1);
    out.reserve(MOST);
    let place = &mut out.spare_capacity_mut()[..length];
    let mut end = length;
    while end >= 2 {
        let pair = &PAIRS[(rest % 100) as usize];
        rest /= 100;
        place[end - 2].write(pair[0]);
        place[end - 1].write(pair[1]);
        end -= 2;
    }
    if end == 1 {
        place[0].write(b'0' + rest as u8);
    }
    // SAFETY: `length` digits were written.
    unsafe { out.set_len(out.len() + length) };
}

/// The decimals of the numbers below a hundred.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of every length, at the ends of what has that length, and of either sign.
    #[test]
    fn numbers() {
        let tens = (0..19).map(|power| 10i64.pow(power));
        let around = tens.flat_map(|ten| [ten - 1, ten, ten + 1]).chain([i64::MAX, i64::MIN, i64::MIN + 1]);
        for number in around.flat_map(|number| [number, number.wrapping_neg()]) {
            let mut out = b"before ".to_vec();
            append_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), format!("before {number}"));
        }
    }
}
