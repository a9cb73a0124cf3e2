//! The sketch: FastSimilaritySketch (Dahlgaard, Knudsen, Thorup 2017, "Fast Similarity Sketching"), and its bands.
//!
//! Round i throws every element of the set into one of t registers with a value in [i, i + 1); a register keeps the
//! least. Rounds go on until no register is empty: round t + j throws everything into register j, so 2t are enough.
//! Two sets agree in a register with probability J, as with MinHash, but for O(t log t + n) instead of O(t n) work.
//!
//! ```text
//!   registers  63          32 31           0
//!              ┌─────────────┬──────────────┐
//!              │ round       │ value (32)   │  × bands × rows
//!              └─────────────┴──────────────┘
//!   bands      ┌──────────┬──────────┬─ ─ ─┬──────────┬──────────┐
//!              │ band 0   │ band 1   │     │ band b−1 │ set      │  u64 little endian: column `bands`
//!              └──────────┴──────────┴─ ─ ─┴──────────┴──────────┘
//!                └ lowest bit 1 in band 0, 0 in all others         └ hash of the whole set
//! ```

use super::kernel::{Kernel, Level};
use super::planner::Banding;

/// Keys of the throws, the bands and the set hash: digits of pi.
const THROW_KEY: u64 = 0x082E_FA98_EC4E_6C89;
const BAND_KEY: u64 = 0x4528_21E6_38D0_1377;
const SET_KEY: u64 = 0xBE54_66CF_34E9_0C6C;
/// A register that nothing was thrown into.
const EMPTY: u64 = u64::MAX;

/// Mixes 64 bits: both halves of the product with an odd key, folded.
pub(crate) fn mix(value: u64, key: u64) -> u64 {
    let product = u128::from(value ^ key) * u128::from(key | 1);
    (product as u64) ^ (product >> 64) as u64
}

/// Sketches sets of shingles; keeps its buffers.
#[derive(Clone, Debug)]
pub struct Sketcher {
    kernel: Kernel,
    banding: Banding,
    round_keys: Vec<u64>,
    registers: Vec<u64>,
    seed: u64,
}

impl Sketcher {
    /// A sketcher of `bands` × `rows` registers. Sketches of different seeds cannot be compared.
    pub fn new(banding: Banding, seed: u64) -> Self {
        Self::at(banding, seed, Level::best())
    }

    /// The same by `level`, or less where the processor does not have it.
    pub fn at(banding: Banding, seed: u64, level: Level) -> Self {
        let registers = banding.registers();
        Self {
            kernel: Kernel::new(level),
            banding,
            round_keys: (0..2 * u64::from(registers))
                .map(|round| mix(mix(seed ^ THROW_KEY, SET_KEY).wrapping_add(round), BAND_KEY))
                .collect(),
            registers: vec![EMPTY; registers as usize],
            seed,
        }
    }

    /// The registers of `set`, whose elements are hashes; all empty when the set is.
    pub fn sketch(&mut self, set: &[u32]) -> &[u64] {
        self.registers.fill(EMPTY);
        if !set.is_empty() {
            let count = self.registers.len();
            let full = (0..count).any(|round| {
                self.throw_anywhere(set, round);
                !self.registers.contains(&EMPTY)
            });
            if !full {
                (0..count).for_each(|register| self.throw_at(set, register));
            }
        }
        &self.registers
    }

    /// The band hashes of `set`, then the hash of the whole set.
    pub fn bands(&mut self, set: &[u32], out: &mut Vec<u64>) {
        self.sketch(set);
        let rows = self.banding.rows as usize;
        out.extend(self.registers.chunks_exact(rows).enumerate().map(|(band, registers)| {
            let hash = hash_list(registers, BAND_KEY ^ self.seed.wrapping_add(band as u64));
            hash & !1 | u64::from(band == 0)
        }));
        // A sum can run many elements at once; the elements of a set are distinct, so nothing cancels.
        out.push(mix(self.kernel.sum(set), set.len() as u64));
    }

    fn throw_anywhere(&mut self, set: &[u32], round: usize) {
        self.kernel
            .throw(set, self.round_keys[round], round as u64, &mut self.registers);
    }

    /// Round t + `register`, which only an empty register can notice.
    fn throw_at(&mut self, set: &[u32], register: usize) {
        if self.registers[register] == EMPTY {
            let round = self.registers.len() + register;
            let key = self.round_keys[round];
            let least = set.iter().map(|element| stir(*element, key) & 0xFFFF_FFFF).min();
            self.registers[register] = (round as u64) << 32 | least.unwrap_or(0);
        }
    }
}

/// Throws `set` in one round: each element into a register that keeps the least. In eights, so that vectors can stir.
#[inline(always)]
pub(super) fn throw(set: &[u32], key: u64, round: u64, registers: &mut [u64]) {
    let count = registers.len() as u64;
    let mut throw = |hashes: &[u64]| {
        for hash in hashes {
            let register = &mut registers[(((hash >> 32) * count) >> 32) as usize];
            *register = (*register).min(round << 32 | hash & 0xFFFF_FFFF);
        }
    };
    let (eights, rest) = set.as_chunks::<8>();
    eights
        .iter()
        .for_each(|eight| throw(&eight.map(|element| stir(element, key))));
    rest.iter().for_each(|element| throw(&[stir(*element, key)]));
}

/// The sum of the stirred elements.
#[inline(always)]
pub(super) fn sum(set: &[u32]) -> u64 {
    set.iter()
        .fold(0u64, |sum, element| sum.wrapping_add(stir(*element, SET_KEY)))
}

/// Mixes a hash with a round's key: a product, and its upper half over the lower one.
#[inline(always)]
fn stir(element: u32, key: u64) -> u64 {
    let product = (u64::from(element) ^ key).wrapping_mul(key | 1);
    product ^ product >> 32
}

/// Share of registers in which two sketches agree: the estimate of the Jaccard index.
pub fn estimate(a: &[u64], b: &[u64]) -> f64 {
    let equal = a.iter().zip(b).filter(|(a, b)| a == b).count();
    equal as f64 / a.len().max(1) as f64
}

fn hash_list(values: &[u64], key: u64) -> u64 {
    let start = mix(values.len() as u64, key);
    values
        .iter()
        .fold(start, |hash, value| mix(hash ^ value, key).rotate_left(29))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANDING: Banding = Banding { bands: 32, rows: 8 };

    /// Two sets of which `shared` elements are in both and `own` in each alone.
    fn sets(seed: u64, shared: u64, own: u64) -> [Vec<u32>; 2] {
        let element = |i: u64| {
            let hash = mix(i.wrapping_add(seed << 32), 0x1234_5678_9ABC_DEF1);
            (mix(hash, BAND_KEY) >> 32) as u32
        };
        let set = |range: std::ops::Range<u64>| (0..shared).chain(range).map(element).collect();
        [set(shared..shared + own), set(shared + own..shared + 2 * own)]
    }

    /// Root mean square error of the estimate over `trials` pairs.
    fn error(shared: u64, own: u64, trials: u64) -> f64 {
        let truth = shared as f64 / (shared + 2 * own) as f64;
        let mut sketcher = Sketcher::new(BANDING, 42);
        let squares: f64 = (0..trials)
            .map(|trial| {
                let [a, b] = sets(trial, shared, own);
                let a = sketcher.sketch(&a).to_vec();
                (estimate(&a, sketcher.sketch(&b)) - truth).powi(2)
            })
            .sum();
        (squares / trials as f64).sqrt()
    }

    #[test]
    fn the_estimate_errs_no_more_than_minhash() {
        // MinHash of 256 registers errs by sqrt(J (1 - J) / 256). Mutation: throwing every round into one register.
        for (shared, own) in [(700, 150), (1400, 300), (60, 20), (3000, 1500), (7, 2), (10, 100)] {
            let truth = shared as f64 / (shared + 2 * own) as f64;
            let minhash = (truth * (1.0 - truth) / 256.0).sqrt();
            let error = error(shared, own, 400);
            assert!(
                error < 1.05 * minhash,
                "{shared} {own}: {error:.4} against {minhash:.4}"
            );
        }
    }

    #[test]
    fn registers_of_the_smallest_sets_are_all_filled() {
        for count in 1..20 {
            let [set, _] = sets(1, count, 0);
            assert!(!Sketcher::new(BANDING, 42).sketch(&set).contains(&EMPTY));
        }
        assert!(Sketcher::new(BANDING, 42).sketch(&[]).iter().all(|r| *r == EMPTY));
    }

    /// Mutation: another constant or bound in one of the twins.
    #[test]
    fn all_levels_give_the_same_bands() {
        for count in [1, 7, 8, 9, 100, 1000, 5000] {
            let [set, _] = sets(count, count, 0);
            let bands = [Level::Portable, Level::Avx512].map(|level| {
                let mut out = Vec::new();
                Sketcher::at(BANDING, 5, level).bands(&set, &mut out);
                out
            });
            assert_eq!(bands[0], bands[1], "{count}");
        }
    }

    #[test]
    fn bands_are_a_function_of_set_and_seed() {
        let [a, b] = sets(3, 50, 50);
        let bands = |set: &[u32], seed| {
            let mut out = Vec::new();
            Sketcher::new(BANDING, seed).bands(set, &mut out);
            out
        };
        assert_eq!(bands(&a, 1), bands(&a, 1));
        assert_eq!(bands(&a, 1).len(), 33);
        assert!(bands(&a, 1)[..32].iter().zip(&bands(&a, 2)).all(|(a, b)| a != b));
        assert_eq!(bands(&a, 1)[32], bands(&a, 2)[32]);
        assert_ne!(bands(&a, 1)[32], bands(&b, 1)[32]);
        let lowest: Vec<u64> = bands(&a, 1)[..32].iter().map(|band| band & 1).collect();
        assert_eq!(lowest.iter().sum::<u64>() + 1 - lowest[0], 1);
    }
}
