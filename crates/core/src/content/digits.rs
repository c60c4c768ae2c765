//! Base64 and hexadecimal digits.

use super::runs::Kinds;

/// Shorter runs are words.
pub(super) const LEAST: usize = 12;
pub(super) const LEAST_HEX: usize = 16;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// By byte, what it is worth as a digit of base64, standard or for URLs; 64 and more: it is none.
const VALUES: [u8; 256] = {
    let mut values = [64; 256];
    let mut value = 0;
    while value < 64 {
        values[DIGITS[value] as usize] = value as u8;
        values[URL_DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// The digits of base64, as runs.
pub(super) const RUNS: Kinds = {
    const OF: [u8; 256] = {
        let mut of = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            of[byte] = (VALUES[byte] < 64) as u8;
            byte += 1;
        }
        of
    };
    Kinds { of: &OF, least: &[LEAST] }
};

pub(super) fn from_hex(digits: &[u8]) -> Option<String> {
    let pairs = digits.as_chunks::<2>().0.iter();
    let byte = |pair: &[u8; 2]| {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        Some((digit(0)? * 16 + digit(1)?) as u8)
    };
    is_said(pairs.clone().take(12).map(byte))?;
    said(pairs.map(byte).collect::<Option<_>>()?)
}

pub(super) fn from_base64(digits: &[u8]) -> Option<String> {
    // The first few tell of almost all that is none.
    let mut first = [0; LEAST / 4 * 3];
    for (four, three) in digits[..LEAST].as_chunks::<4>().0.iter().zip(first.as_chunks_mut::<3>().0) {
        let bits = bits_of(four);
        three.copy_from_slice(&bits.to_be_bytes()[1..]);
    }
    is_said(first.into_iter().map(Some))?;
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    for four in digits.chunks(4) {
        let bits = bits_of(four);
        match four.len() {
            4 => out.extend_from_slice(&bits.to_be_bytes()[1..]),
            3 if bits & 3 == 0 => out.extend_from_slice(&((bits >> 2) as u16).to_be_bytes()),
            2 if bits & 15 == 0 => out.push((bits >> 4) as u8),
            _ => return None,
        }
    }
    said(out)
}

fn bits_of(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |bits, &digit| bits << 6 | u32::from(VALUES[usize::from(digit)]))
}

/// Whether these bytes begin a text.
fn is_said(bytes: impl Iterator<Item = Option<u8>>) -> Option<()> {
    let mut begun = [0; 12];
    let mut length = 0;
    for byte in bytes {
        begun[length] = byte.filter(|&byte| is_printed(byte))?;
        length += 1;
    }
    match std::str::from_utf8(&begun[..length]) {
        Ok(_) => {}
        Err(error) if error.error_len().is_none() => {}
        Err(_) => return None,
    }
    Some(())
}

fn is_printed(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r')
}

fn said(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    text.bytes().all(is_printed).then_some(text)
}

pub(super) fn hex(bytes: &[u8], upper: bool) -> String {
    bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
}

pub(super) fn base64(bytes: &[u8], url: bool, padded: bool) -> String {
    let digits = if url { URL_DIGITS } else { DIGITS };
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            out.push(char::from(digits[(bits >> (18 - 6 * place) & 63) as usize]));
        }
        if padded {
            out.extend(std::iter::repeat_n('=', 3 - three.len()));
        }
    }
    out
}
