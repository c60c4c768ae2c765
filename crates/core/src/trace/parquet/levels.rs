//! Which rows of a page have a value, as Parquet's definition levels.

use super::delta::varint;

/// One bit a row.
#[derive(Default)]
pub struct Levels {
    words: Vec<u64>,
    rows: usize,
    present: usize,
}

impl Levels {
    /// Appends up to 64 rows; bit `i` of `mask` says whether row `i` of them has a value.
    #[inline]
    pub fn push(&mut self, mask: u64, rows: usize) {
        let shift = self.rows % 64;
        if shift == 0 {
            self.words.push(mask);
        } else {
            if let Some(last) = self.words.last_mut() {
                *last |= mask << shift;
            }
            if shift + rows > 64 {
                self.words.push(mask >> (64 - shift));
            }
        }
        self.rows += rows;
        self.present += mask.count_ones() as usize;
    }

    /// Appends the levels of the page to `out` and begins anew; returns how many rows have no value.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        if self.present == self.rows || self.present == 0 {
            // One run of the same level.
            varint(out, (self.rows as u64) << 1);
            out.push(u8::from(self.present > 0));
        } else {
            let groups = self.rows.div_ceil(8);
            varint(out, (groups as u64) << 1 | 1);
            let bits = self.words.iter().flat_map(|word| word.to_le_bytes());
            out.extend(bits.take(groups));
        }
        let length = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
        let absent = self.rows - self.present;
        self.words.clear();
        (self.rows, self.present) = (0, 0);
        absent
    }
}
