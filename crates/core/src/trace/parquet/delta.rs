//! Numbers as Parquet's `DELTA_BINARY_PACKED`: the differences of neighbours in blocks, each block less its smallest
//! difference, in quarters of as few bits as the greatest of the quarter needs.

const BLOCK: usize = 128;
const QUARTERS: usize = 4;
const QUARTER: usize = BLOCK / QUARTERS;

/// The numbers of one page.
pub struct Delta {
    /// Values of 32 bits: their differences wrap there, so that none needs more bits than a value has.
    narrow: bool,
    first: Option<i64>,
    last: i64,
    block: [i64; BLOCK],
    filled: usize,
    blocks: usize,
    packed: Vec<u8>,
    bounded: bool,
    /// Smallest and greatest value, once there is one.
    bounds: (i64, i64),
}

impl Delta {
    /// `bounded`: the smallest and the greatest value are wanted too.
    pub fn new(narrow: bool, bounded: bool) -> Delta {
        Delta {
            narrow,
            bounded,
            first: None,
            last: 0,
            block: [0; BLOCK],
            filled: 0,
            blocks: 0,
            packed: Vec::new(),
            bounds: (0, 0),
        }
    }

    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.blocks * BLOCK + self.filled
    }

    #[inline(always)]
    pub fn extend(&mut self, mut values: &[i64]) {
        if self.first.is_none() {
            let Some((&first, rest)) = values.split_first() else { return };
            (self.first, self.last, self.bounds) = (Some(first), first, (first, first));
            values = rest;
        }
        if self.bounded {
            for &value in values {
                self.bounds = (self.bounds.0.min(value), self.bounds.1.max(value));
            }
        }
        while let Some(&first) = values.first() {
            let (now, later) = values.split_at(values.len().min(BLOCK - self.filled));
            let block = &mut self.block[self.filled..][..now.len()];
            block[0] = first.wrapping_sub(self.last);
            for (place, pair) in block[1..].iter_mut().zip(now.windows(2)) {
                *place = pair[1].wrapping_sub(pair[0]);
            }
            self.last = now[now.len() - 1];
            self.filled += now.len();
            if self.filled == BLOCK {
                self.flush();
            }
            values = later;
        }
    }

    /// Whether the page's last number is `value`.
    pub fn ends_with(&self, value: i64) -> bool {
        self.first.is_some() && self.last == value
    }

    /// The page's last number, `count` times more.
    #[inline(always)]
    pub fn repeat(&mut self, mut count: usize) {
        while count > 0 {
            let now = count.min(BLOCK - self.filled);
            self.block[self.filled..][..now].fill(0);
            self.filled += now;
            if self.filled == BLOCK {
                self.flush();
            }
            count -= now;
        }
    }

    /// Appends the page's numbers to `out` and begins anew; returns their bounds, if they are wanted.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Option<(i64, i64)> {
        let count = self.len();
        if self.filled > 0 {
            self.flush();
        }
        varint(out, BLOCK as u64);
        varint(out, QUARTERS as u64);
        varint(out, count as u64);
        let bounds = self.first.filter(|_| self.bounded).map(|_| self.bounds);
        varint(out, zigzag(self.first.take().unwrap_or(0)));
        out.extend_from_slice(&self.packed);
        self.packed.clear();
        self.blocks = 0;
        bounds
    }

    /// Packs the differences of the block.
    #[inline(never)]
    fn flush(&mut self) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { self.flush_wide() };
        }
        self.flush_block();
    }

    /// [`Delta::flush_block`], four numbers at a time.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn flush_wide(&mut self) {
        self.flush_block();
    }

    /// Of a block that is not full, what shares a quarter with its differences is padding, and whole quarters are left
    /// out, as the format wants it.
    #[inline(always)]
    fn flush_block(&mut self) {
        let filled = self.filled;
        let block = &mut self.block;
        if self.narrow {
            for difference in &mut block[..filled] {
                *difference = i64::from(*difference as i32);
            }
        }
        let least = block[..filled].iter().copied().fold(i64::MAX, i64::min);
        for difference in &mut block[..filled] {
            *difference = difference.wrapping_sub(least);
        }
        block[filled..].fill(0);
        varint(&mut self.packed, zigzag(least));
        let widths = self.packed.len();
        self.packed.extend_from_slice(&[0; QUARTERS]);
        self.blocks += usize::from(filled == BLOCK);
        self.filled = 0;
        if block[..filled].iter().fold(0, |all, difference| all | difference) == 0 {
            return;
        }
        for (index, quarter) in block.chunks_exact(QUARTER).enumerate() {
            let all = quarter.iter().fold(0, |all, &difference| all | difference as u64);
            let width = u64::BITS - all.leading_zeros();
            self.packed[widths + index] = width as u8;
            pack(quarter, width, &mut self.packed);
        }
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// Appends a number seven bits at a time, the least significant first.
pub fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends the low `width` bits of each of a quarter's numbers.
fn pack(numbers: &[i64], width: u32, out: &mut Vec<u8>) {
    macro_rules! by_width {
        ($($known:literal)*) => {
            match width {
                0 => {}
                $($known => pack_known::<$known>(numbers, out),)*
                _ => pack_any(numbers, width, out),
            }
        };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
}

/// With the width known, the loop becomes straight code.
#[inline(never)]
fn pack_known<const WIDTH: u32>(numbers: &[i64], out: &mut Vec<u8>) {
    let Ok(numbers) = <&[i64; QUARTER]>::try_from(numbers) else { return };
    let mut packed = [0u32; QUARTER];
    let (mut waiting, mut bits, mut at) = (0u64, 0, 0);
    for &number in numbers {
        waiting |= (number as u64) << bits;
        bits += WIDTH;
        if bits >= u32::BITS {
            packed[at] = waiting as u32;
            at += 1;
            waiting >>= u32::BITS;
            bits -= u32::BITS;
        }
    }
    let mut bytes = [0; QUARTER * 4];
    for (place, word) in bytes.chunks_exact_mut(4).zip(packed) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&bytes[..WIDTH as usize * 4]);
}

fn pack_any(numbers: &[i64], width: u32, out: &mut Vec<u8>) {
    let (mut waiting, mut bits) = (0u128, 0);
    for &number in numbers {
        waiting |= u128::from(number as u64) << bits;
        bits += width;
        while bits >= 8 {
            out.push(waiting as u8);
            waiting >>= 8;
            bits -= 8;
        }
    }
}
