//! The vectorised twins of the shingle kernel, chosen at run time; each gives the bits that the portable one gives.
//!
//! ```text
//!   mark    64 bytes ► 1 bit a byte ► positions of starts and ends         VBMI: one table look-up; VBMI2: compressed
//!   hash    8 words at once: two gathers, cut at the length, two products
//!   roll    16 shingles at once: n products of overlapping loads
//!   settle  a run of up to 16 hashes is sorted in one register (10 exchanges), repetitions squeezed out
//! ```
//! Beside the kernel of `contamination` the only file of this crate with `unsafe`: loads and stores through pointers whose
//! bounds the slice beside them has just been asked for, and calls of functions whose instructions the processor was asked
//! for.
#![allow(unsafe_code)]

use super::order::{self, Room};
use super::sketch;
use super::words::{Alphabet, Marks, Portable, Segment};

/// Which instructions the kernel uses. Results are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Plain Rust, for any processor.
    Portable,
    /// AVX2 and BMI of x86-64.
    Avx2,
    /// AVX-512 of x86-64, with VBMI and VBMI2.
    Avx512,
}

impl Level {
    /// The best of this processor.
    pub fn best() -> Self {
        [Self::Avx512, Self::Avx2]
            .into_iter()
            .find(|level| level.is_here())
            .unwrap_or(Self::Portable)
    }

    /// Whether this processor has the instructions.
    pub fn is_here(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("lzcnt")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_here()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vbmi")
                    && is_x86_feature_detected!("avx512vbmi2")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }
}

/// A level that the processor has: made by [`Kernel::new`] alone, which asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel(Level);

impl Kernel {
    /// `level`, or less where the processor does not have it.
    pub(super) fn new(level: Level) -> Self {
        Self(if level.is_here() { level } else { Level::Portable })
    }

    /// Appends the borders of the segment's words to `marks`.
    pub(super) fn mark(self, segment: Segment<'_>, alphabet: Alphabet, marks: &mut Marks) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::mark_512(segment, alphabet, marks) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { x86::mark_256(segment, alphabet, marks) },
            _ => Portable.mark(segment, alphabet, marks),
        }
    }

    /// Appends the hashes of the words of `text` whose both borders are in `marks`.
    pub(super) fn hash(self, text: &[u8], alphabet: Alphabet, marks: &Marks, out: &mut Vec<u32>) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::hash_512(text, alphabet, marks, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { x86::hash_256(text, alphabet, marks, out) },
            _ => Portable.hash(text, alphabet, marks, out),
        }
    }

    /// Appends the sums of every `powers.len()` words in a row.
    pub(super) fn roll(self, words: &[u32], powers: &[u32], out: &mut Vec<u32>) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::roll_512(words, powers, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { x86::roll_256(words, powers, out) },
            _ => Portable.roll(words, powers, out),
        }
    }

    /// Sorts `list` and drops repetitions.
    pub(super) fn sort(self, list: &mut Vec<u32>, room: &mut Room) {
        if order::is_small(list) {
            return;
        }
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                order::by_runs(list, room);
                // SAFETY: `Kernel::new` asked for the instructions.
                unsafe { x86::settle_512(&mut room.spread, &room.ends, list) }
            }
            _ => order::by_digits(list, room),
        }
    }

    /// Throws `set` into `registers`, as `sketch::throw` says.
    pub(super) fn throw(self, set: &[u32], key: u64, round: u64, registers: &mut [u64]) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::throw_512(set, key, round, registers) },
            _ => sketch::throw(set, key, round, registers),
        }
    }

    /// The sum of the stirred elements of `set`.
    pub(super) fn sum(self, set: &[u32]) -> u64 {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::sum_512(set) },
            _ => sketch::sum(set),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::super::sketch;
    use super::super::words::{Alphabet, BLOCK, KEYS, Marks, Portable, Segment, hash_word};

    /// How far ahead of its reading memory is asked for, in bytes.
    const AHEAD: usize = 8 * BLOCK;
    /// Words of one vector of 64 bits each, and of 32.
    const LANES: usize = 8;
    const SETTLED: usize = 16;

    /// 64 bytes as classes: bit i says whether byte i is a word byte.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn classes_512(bytes: __m512i, table: [__m512i; 2], alphabet: Alphabet) -> u64 {
        let looked_up = _mm512_permutex2var_epi8(table[0], bytes, table[1]);
        let high = _mm512_movepi8_mask(bytes);
        let low = _mm512_test_epi8_mask(looked_up, looked_up) & !high;
        low | high & alphabet.high
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn mark_512(segment: Segment<'_>, alphabet: Alphabet, marks: &mut Marks) {
        let table = Alphabet::TABLE;
        // SAFETY: the table is 128 bytes long.
        let table = unsafe {
            [
                _mm512_loadu_si512(table.as_ptr().cast()),
                _mm512_loadu_si512(table[BLOCK..].as_ptr().cast()),
            ]
        };
        let mut at = segment.start;
        for block in segment.bytes.chunks(BLOCK) {
            // A hint: addresses beyond the text are never read.
            _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().wrapping_add(AHEAD).cast());
            let here = if block.len() == BLOCK {
                u64::MAX
            } else {
                (1 << block.len()) - 1
            };
            // SAFETY: bytes that the mask leaves out are not read.
            let bytes = unsafe { _mm512_maskz_loadu_epi8(here, block.as_ptr().cast()) };
            let [starts, ends] = marks.borders(classes_512(bytes, table, alphabet) & here);
            write_512(starts, at, marks.starts.room());
            marks.starts.grow(starts.count_ones());
            write_512(ends, at, marks.ends.room());
            marks.ends.grow(ends.count_ones());
            at += BLOCK as u32;
        }
    }

    /// Positions of the bits, from `at`; the room behind them is overwritten, too.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
    fn write_512(bits: u64, at: u32, room: &mut [u32; BLOCK]) {
        const PLACES: [u8; BLOCK] = {
            let mut places = [0; BLOCK];
            let mut i = 0;
            while i < BLOCK {
                places[i] = i as u8;
                i += 1;
            }
            places
        };
        // SAFETY: 64 bytes are read from 64.
        let places = unsafe { _mm512_loadu_si512(PLACES.as_ptr().cast()) };
        let places = _mm512_maskz_compress_epi8(bits, places);
        let at = _mm512_set1_epi32(at as i32);
        // SAFETY: four times 16 words are written into 64.
        unsafe {
            let out = room.as_mut_ptr();
            let sixteen = |part| _mm512_add_epi32(_mm512_cvtepu8_epi32(part), at);
            _mm512_storeu_si512(out.cast(), sixteen(_mm512_castsi512_si128(places)));
            if bits.count_ones() > 16 {
                _mm512_storeu_si512(out.add(16).cast(), sixteen(_mm512_extracti32x4_epi32(places, 1)));
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn hash_512(text: &[u8], alphabet: Alphabet, marks: &Marks, out: &mut Vec<u32>) {
        let (starts, ends) = marks.words();
        let reach = text.len().saturating_sub(2 * LANES);
        let (eights, _) = starts.as_chunks::<LANES>();
        let whole = eights.partition_point(|eight| eight[LANES - 1] as usize <= reach);
        out.reserve(starts.len());
        for (starts, ends) in eights[..whole].iter().zip(ends.as_chunks::<LANES>().0) {
            let mut hashes = [0u32; LANES];
            // SAFETY: both arrays have 8 words; 16 bytes from each start are in the text, the last start being the largest.
            let long = unsafe {
                let starts = _mm256_loadu_si256(starts.as_ptr().cast());
                let ends = _mm256_loadu_si256(ends.as_ptr().cast());
                let lengths = _mm512_cvtepu32_epi64(_mm256_sub_epi32(ends, starts));
                let first = _mm512_i32gather_epi64::<1>(starts, text.as_ptr().cast());
                let then = _mm512_i32gather_epi64::<1>(starts, text.as_ptr().add(LANES).cast());
                _mm256_storeu_si256(hashes.as_mut_ptr().cast(), hash_lanes(first, then, lengths, alphabet));
                _mm512_cmpgt_epu64_mask(lengths, _mm512_set1_epi64(2 * LANES as i64))
            };
            let mut long = long;
            while long != 0 {
                let lane = long.trailing_zeros() as usize;
                hashes[lane] = hash_word(text, starts[lane], ends[lane], alphabet);
                long &= long - 1;
            }
            out.extend_from_slice(&hashes);
        }
        let rest = whole * LANES;
        Portable.hash_each(text, alphabet, (&starts[rest..], &ends[rest..]), out);
    }

    /// `hash_word` of 8 words of at most 16 bytes.
    #[target_feature(enable = "avx512f,avx512dq")]
    fn hash_lanes(first: __m512i, then: __m512i, lengths: __m512i, alphabet: Alphabet) -> __m256i {
        let all = |value: u64| _mm512_set1_epi64(value as i64);
        let fold = |bytes| {
            let ascii = _mm512_andnot_si512(bytes, all(alphabet.fold));
            _mm512_or_si512(bytes, _mm512_srli_epi64::<2>(ascii))
        };
        // The low bytes of a lane, 0 to 8 of them: a shift by 64 leaves nothing.
        let low = |count| {
            let shift = _mm512_sub_epi64(all(64), _mm512_slli_epi64::<3>(count));
            _mm512_srlv_epi64(all(u64::MAX), shift)
        };
        let in_first = _mm512_min_epu64(lengths, all(8));
        let in_then = _mm512_sub_epi64(_mm512_min_epu64(lengths, all(16)), in_first);
        let first = _mm512_and_si512(fold(first), low(in_first));
        let then = _mm512_and_si512(fold(then), low(in_then));
        let then = _mm512_rol_epi64::<32>(_mm512_mullo_epi64(then, all(KEYS[1])));
        let hash = _mm512_add_epi64(_mm512_mullo_epi64(first, all(KEYS[0])), then);
        let hash = _mm512_xor_si512(hash, _mm512_srli_epi64::<32>(hash));
        let hash = _mm512_mullo_epi64(hash, all(KEYS[2]));
        _mm512_cvtepi64_epi32(_mm512_srli_epi64::<32>(hash))
    }

    /// `Portable::roll_each`, compiled for wider vectors.
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,bmi1,bmi2")]
    pub(super) fn roll_512(words: &[u32], powers: &[u32], out: &mut Vec<u32>) {
        Portable.roll_each(words, powers, out);
    }

    /// As [`roll_512`].
    #[target_feature(enable = "avx2,bmi1,bmi2")]
    pub(super) fn roll_256(words: &[u32], powers: &[u32], out: &mut Vec<u32>) {
        Portable.roll_each(words, powers, out);
    }

    /// Sorts the runs of `spread`, which end at `ends`, on their way to `out`, then squeezes repetitions out. Apart, because
    /// where a run goes would else depend on what is left of the one before it, and runs would wait for each other.
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn settle_512(spread: &mut [u32], ends: &[u32], out: &mut Vec<u32>) {
        let count = spread.len();
        out.clear();
        out.resize(count + SETTLED, 0);
        // Hidden, because made anew for each run, as compilers do, it would wait for the register's last use.
        let most = std::hint::black_box(_mm512_set1_epi32(-1));
        let mut start = 0;
        for end in ends.iter().map(|end| *end as usize) {
            let run = &mut spread[start..end];
            if run.len() > SETTLED {
                run.sort_unstable();
                out[start..end].copy_from_slice(run);
            } else if let Some(room) = out[start..].first_chunk_mut::<SETTLED>() {
                let here = ((1u32 << run.len()) - 1) as u16;
                // SAFETY: lanes that the mask leaves out are not read; 64 bytes are written into 64.
                unsafe {
                    let hashes = _mm512_mask_loadu_epi32(most, here, run.as_ptr().cast());
                    _mm512_storeu_si512(room.as_mut_ptr().cast(), sort_lanes(hashes));
                }
            }
            start = end;
        }
        out.truncate(count);
        dedup_512(out);
    }

    /// `dedup` of a sorted list.
    #[target_feature(enable = "avx512f,avx512dq,popcnt")]
    fn dedup_512(list: &mut Vec<u32>) {
        let vectors = list.len() / SETTLED;
        let first = list.first().map_or(0, |first| !first);
        let mut before = _mm512_set1_epi32(first as i32);
        let mut length = 0;
        for i in (0..vectors).map(|vector| vector * SETTLED) {
            // SAFETY: 16 hashes are read from within the list, and written no further than that: `length` is at most i.
            unsafe {
                let hashes = _mm512_loadu_si512(list.as_ptr().add(i).cast());
                let shifted = _mm512_alignr_epi32::<15>(hashes, before);
                let distinct = _mm512_cmpneq_epu32_mask(hashes, shifted);
                let squeezed = _mm512_maskz_compress_epi32(distinct, hashes);
                _mm512_storeu_si512(list.as_mut_ptr().add(length).cast(), squeezed);
                length += distinct.count_ones() as usize;
                before = hashes;
            }
        }
        for i in vectors * SETTLED..list.len() {
            if length == 0 || list[length - 1] != list[i] {
                list[length] = list[i];
                length += 1;
            }
        }
        list.truncate(length);
    }

    /// Batcher's bitonic sorter of 16 lanes: partners are i ^ 1; i ^ 3, i ^ 1; i ^ 7, i ^ 2, i ^ 1; i ^ 15, i ^ 4, i ^ 2, i ^ 1.
    #[target_feature(enable = "avx512f,avx512dq")]
    #[inline]
    fn sort_lanes(v: __m512i) -> __m512i {
        let exchange = |v, partner, high: u16| {
            let (least, most) = (_mm512_min_epu32(v, partner), _mm512_max_epu32(v, partner));
            _mm512_mask_blend_epi32(high, least, most)
        };
        let by_1 = |v| exchange(v, _mm512_shuffle_epi32::<0b1011_0001>(v), 0xAAAA);
        let by_2 = |v| exchange(v, _mm512_shuffle_epi32::<0b0100_1110>(v), 0xCCCC);
        let in_8 = _mm512_set_epi32(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
        let in_16 = _mm512_set_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        let v = by_1(v);
        let v = by_1(exchange(v, _mm512_shuffle_epi32::<0b0001_1011>(v), 0xCCCC));
        let v = by_1(by_2(exchange(v, _mm512_permutexvar_epi32(in_8, v), 0xF0F0)));
        let v = exchange(v, _mm512_permutexvar_epi32(in_16, v), 0xFF00);
        by_1(by_2(exchange(v, _mm512_shuffle_i32x4::<0b1011_0001>(v, v), 0xF0F0)))
    }

    /// `sketch::throw`, compiled for wider vectors.
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,bmi1,bmi2")]
    pub(super) fn throw_512(set: &[u32], key: u64, round: u64, registers: &mut [u64]) {
        sketch::throw(set, key, round, registers);
    }

    /// `sketch::sum`, compiled for wider vectors.
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,bmi1,bmi2")]
    pub(super) fn sum_512(set: &[u32]) -> u64 {
        sketch::sum(set)
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn mark_256(segment: Segment<'_>, alphabet: Alphabet, marks: &mut Marks) {
        Portable.mark_with(segment, alphabet, marks, |block, alphabet| {
            // SAFETY: two times 32 bytes of 64 are read.
            let [low, high] = [0, 32].map(|at| unsafe { _mm256_loadu_si256(block[at..].as_ptr().cast()) });
            u64::from(classes_256(low, alphabet)) | u64::from(classes_256(high, alphabet)) << 32
        });
    }

    /// 32 bytes as classes; comparisons are signed, so bytes of non-ASCII characters are below all bounds.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn classes_256(bytes: __m256i, alphabet: Alphabet) -> u32 {
        let all = |byte: u8| _mm256_set1_epi8(byte as i8);
        let within = |bytes, first: u8, last: u8| {
            let from = _mm256_cmpgt_epi8(bytes, all(first - 1));
            _mm256_andnot_si256(_mm256_cmpgt_epi8(bytes, all(last)), from)
        };
        let letters = within(_mm256_or_si256(bytes, all(0x20)), b'a', b'z');
        let digits = within(bytes, b'0', b'9');
        let underscores = _mm256_cmpeq_epi8(bytes, all(b'_'));
        let words = _mm256_or_si256(_mm256_or_si256(letters, digits), underscores);
        let high = _mm256_movemask_epi8(bytes) as u32;
        _mm256_movemask_epi8(words) as u32 | high & alphabet.high as u32
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn hash_256(text: &[u8], alphabet: Alphabet, marks: &Marks, out: &mut Vec<u32>) {
        Portable.hash_each(text, alphabet, marks.words(), out);
    }
}
