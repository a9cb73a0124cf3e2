//! The loops of `kernel` in AVX-512: the same bits as the plain ones.
//!
//! `unsafe` are loads and stores through pointers whose bounds the type, or the slice beside them, has just said.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::classes::{
    BACKSLASH, BLANK, BLOCK, Block, CODE_TABLE, Classes, DASH, DIGIT, DOLLAR, ESCAPED, LINE_END, LITERAL, MARGIN,
    POINT, QUOTE, SLASH, STAR, TABLE, WORD as WORD_BYTE,
};
use super::code::{NGRAM_TOKENS, SEED};
use super::events::{
    self, CALLABLE, COUNTS, Events, FLAGS, List, MIN_NAME_BYTES, NAME, NUMBER, OPENS, OTHER, TELLS, WORD,
};
use super::grams::{HASH_BITS, MIX};
use super::kept::{KEPT, KEPT_BITS, Table};
use super::lanes::{self, Borders, LANES};
use super::window::{
    CHANGES, KEPT as KEPT_TOKENS, LAST_SLOTS, NEVER, NO_NAME, POWERS, SEALED, TELLING, Tokens, distance_worth,
};
use super::words;

/// Longest word that is hashed in a lane, in bytes.
const MAX_LANE_BYTES: u64 = 15;

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn classify_512(text: &[u8], classes: &mut Classes) {
    let [table, code_table] = [table_512(&TABLE), table_512(&CODE_TABLE)];
    classes.fill(text, |bytes| block_512(bytes, table, code_table));
}

#[target_feature(enable = "avx512f")]
#[inline]
fn table_512(table: &[u8; 2 * BLOCK]) -> [__m512i; 2] {
    let [low, high] = [&table[..BLOCK], &table[BLOCK..]];
    // SAFETY: 64 bytes are read from either half.
    unsafe {
        [
            _mm512_loadu_si512(low.as_ptr().cast()),
            _mm512_loadu_si512(high.as_ptr().cast()),
        ]
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn block_512(bytes: &[u8; BLOCK], table: [__m512i; 2], code_table: [__m512i; 2]) -> Block {
    // SAFETY: 64 bytes are read from 64.
    let bytes = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
    let high = _mm512_movepi8_mask(bytes);
    let look_up =
        |table: [__m512i; 2]| _mm512_maskz_mov_epi8(!high, _mm512_permutex2var_epi8(table[0], bytes, table[1]));
    let (classes, code_classes) = (look_up(table), look_up(code_table));
    let has = |class: u8| _mm512_test_epi8_mask(classes, _mm512_set1_epi8(class as i8));
    let code_has = |class: u8| _mm512_test_epi8_mask(code_classes, _mm512_set1_epi8(class as i8));
    let spaceless = if high == 0 {
        0
    } else {
        let from = _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8(0xe0u8 as i8));
        let to = _mm512_cmple_epu8_mask(bytes, _mm512_set1_epi8(0xe9u8 as i8));
        from & to & _mm512_cmpneq_epi8_mask(bytes, _mm512_set1_epi8(0xe2u8 as i8))
    };
    Block {
        words: has(WORD_BYTE),
        blanks: has(BLANK),
        line_ends: has(LINE_END),
        literals: has(LITERAL),
        backslashes: has(BACKSLASH),
        escaped: has(ESCAPED),
        dollars: has(DOLLAR),
        digits: code_has(DIGIT),
        quotes: code_has(QUOTE),
        slashes: code_has(SLASH),
        stars: code_has(STAR),
        dashes: code_has(DASH),
        points: code_has(POINT),
        margins: code_has(MARGIN),
        high,
        spaceless,
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
#[inline]
pub(super) fn write_512(bits: u64, at: u32, room: &mut [u32]) -> usize {
    const PLACES: [u8; BLOCK] = {
        let mut places = [0; BLOCK];
        let mut i = 0;
        while i < BLOCK {
            places[i] = i as u8;
            i += 1;
        }
        places
    };
    let room: &mut [u32] = &mut room[..BLOCK];
    let count = bits.count_ones() as usize;
    // SAFETY: 64 bytes are read from 64.
    let places = unsafe { _mm512_loadu_si512(PLACES.as_ptr().cast()) };
    let places = _mm512_maskz_compress_epi8(bits, places);
    let at = _mm512_set1_epi32(at as i32);
    let sixteen = |part| _mm512_add_epi32(_mm512_cvtepu8_epi32(part), at);
    // SAFETY: four times 16 numbers are written to 64.
    unsafe {
        let out = room.as_mut_ptr();
        _mm512_storeu_si512(out.cast(), sixteen(_mm512_castsi512_si128(places)));
        if count > 16 {
            _mm512_storeu_si512(out.add(16).cast(), sixteen(_mm512_extracti32x4_epi32(places, 1)));
        }
        if count > 32 {
            _mm512_storeu_si512(out.add(32).cast(), sixteen(_mm512_extracti32x4_epi32(places, 2)));
            _mm512_storeu_si512(out.add(48).cast(), sixteen(_mm512_extracti32x4_epi32(places, 3)));
        }
    }
    count
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
pub(super) fn places_512(borders: Borders<'_>, from: usize, to: usize, out: [&mut [u32]; 2]) -> [usize; 2] {
    let [starts, ends] = lanes::cut(borders, from, to);
    let at = (from / BLOCK * BLOCK) as u32;
    let [out_starts, out_ends] = out;
    [write_512(starts, at, out_starts), write_512(ends, at + 1, out_ends)]
}

/// Eight words of a text: their first 16 bytes, big endian, as far as they go, and their lengths.
struct Eight {
    first: __m512i,
    then: __m512i,
    lengths: __m512i,
    /// The first byte, whatever it is.
    bytes: __m512i,
}

/// Reads eight words; 16 bytes from each start lie in `text`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn eight(text: &[u8], starts: &[u32; LANES], ends: &[u32; LANES]) -> Eight {
    const REVERSED: [u8; BLOCK] = {
        let mut places = [0; BLOCK];
        let mut i = 0;
        while i < BLOCK {
            places[i] = (i / LANES * LANES % 16 + LANES - 1 - i % LANES) as u8;
            i += 1;
        }
        places
    };
    debug_assert!(starts.iter().all(|start| *start as usize + 16 <= text.len()));
    // SAFETY: arrays have 8 numbers; the caller says that 16 bytes from each start are in the text.
    let (first, then, lengths, reversed) = unsafe {
        let starts = _mm256_loadu_si256(starts.as_ptr().cast());
        let ends = _mm256_loadu_si256(ends.as_ptr().cast());
        (
            _mm512_i32gather_epi64::<1>(starts, text.as_ptr().cast()),
            _mm512_i32gather_epi64::<1>(starts, text.as_ptr().add(LANES).cast()),
            _mm512_cvtepu32_epi64(_mm256_sub_epi32(ends, starts)),
            _mm512_loadu_si512(REVERSED.as_ptr().cast()),
        )
    };
    let in_first = _mm512_min_epu64(lengths, all(8));
    let in_then = _mm512_sub_epi64(_mm512_min_epu64(lengths, all(16)), in_first);
    // The upper bytes of a lane, 0 to 8 of them: a shift by 64 leaves nothing.
    let upper = |bytes, count| {
        let shift = _mm512_sub_epi64(all(64), _mm512_slli_epi64::<3>(count));
        _mm512_srlv_epi64(_mm512_shuffle_epi8(bytes, reversed), shift)
    };
    Eight {
        first: upper(first, in_first),
        then: upper(then, in_then),
        lengths,
        bytes: _mm512_and_si512(first, all(0xff)),
    }
}

/// ASCII capitals made small.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn folded(bytes: __m512i) -> __m512i {
    let from = _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8(b'A' as i8));
    let to = _mm512_cmple_epu8_mask(bytes, _mm512_set1_epi8(b'Z' as i8));
    _mm512_mask_add_epi8(bytes, from & to, bytes, _mm512_set1_epi8(0x20))
}

/// Hashes of eight words of at most [`MAX_LANE_BYTES`].
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
fn hash_eight(first: __m512i, then: __m512i, lengths: __m512i) -> __m512i {
    let state = mix_lanes(first);
    let longer = _mm512_cmpge_epu64_mask(lengths, all(8));
    let state = _mm512_mask_mov_epi64(state, longer, mix_lanes(_mm512_xor_si512(state, then)));
    mix_lanes(_mm512_add_epi64(state, lengths))
}

/// Number of words at the front, a multiple of 8, of which 16 bytes lie in the text. Offsets of gathers are signed.
fn within(text: &[u8], starts: &[u32]) -> usize {
    let reach = text.len().min(i32::MAX as usize).saturating_sub(2 * LANES);
    let (eights, _) = starts.as_chunks::<LANES>();
    LANES * eights.partition_point(|eight| text.len() >= 2 * LANES && eight[LANES - 1] as usize <= reach)
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn hash_512(text: &[u8], starts: &[u32], ends: &[u32], out: &mut [u64]) {
    let whole = within(text, starts);
    let groups = starts[..whole].as_chunks().0.iter().zip(ends.as_chunks().0);
    for (at, (starts, ends)) in (0..whole).step_by(LANES).zip(groups) {
        let Eight {
            first, then, lengths, ..
        } = eight(text, starts, ends);
        let first = _mm512_xor_si512(folded(first), all(words::SEED));
        put(out, at, hash_eight(first, folded(then), lengths));
        let mut long = _mm512_cmpgt_epu64_mask(lengths, all(MAX_LANE_BYTES));
        while long != 0 {
            let lane = long.trailing_zeros() as usize;
            out[at + lane] = lanes::hash_word(words::SEED, text, starts[lane] as usize, ends[lane] as usize);
            long &= long - 1;
        }
    }
    lanes::hash(text, &starts[whole..], &ends[whole..], &mut out[whole..]);
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,popcnt,bmi1")]
pub(super) fn read_512(text: &[u8], count: usize, events: &mut Events) {
    let kept: &Table = &KEPT;
    let table = table_512(&FLAGS);
    let whole = within(text, &events.starts[..count]);
    for at in (0..whole).step_by(LANES) {
        let (starts, ends) = (chunk(&events.starts, at), chunk(&events.ends, at));
        let Eight {
            first,
            then,
            lengths,
            bytes,
        } = eight(text, &starts, &ends);
        let flags = _mm512_and_si512(_mm512_permutex2var_epi8(table[0], bytes, table[1]), all(0xff));
        let high = _mm512_test_epi64_mask(bytes, all(0x80));
        let flags = _mm512_mask_mov_epi64(flags, high, all(u64::from(OTHER)));
        let is_word = _mm512_test_epi64_mask(flags, all(u64::from(WORD)));
        let is_number = _mm512_test_epi64_mask(flags, all(u64::from(NUMBER)));
        let first = _mm512_mask_mov_epi64(first, is_word, folded(first));
        let then = _mm512_mask_mov_epi64(then, is_word, folded(then));
        let seeds = _mm512_mask_mov_epi64(all(SEED), is_number, all(SEED ^ 1));
        let hashes = hash_eight(_mm512_xor_si512(first, seeds), then, lengths);
        put(
            &mut events.values,
            at,
            _mm512_mask_mov_epi64(bytes, is_word | is_number, hashes),
        );
        let narrow = _mm512_cvtepi64_epi8(flags);
        events.flags[at + 1..at + 1 + LANES].copy_from_slice(&_mm_cvtsi128_si64(narrow).to_le_bytes());
        let mut long = (is_word | is_number) & _mm512_cmpgt_epu64_mask(lengths, all(MAX_LANE_BYTES));
        while long != 0 {
            let lane = long.trailing_zeros() as usize;
            let (start, end) = (starts[lane] as usize, ends[lane] as usize);
            events.values[at + lane] = events::value(text, start, end, events.flags[at + lane + 1]);
            long &= long - 1;
        }
        let words = _mm512_and_si512(_mm512_srli_epi64::<6>(hashes), all(KEPT_BITS as u64 / 64 - 1));
        // SAFETY: the index is below the number of words.
        let bits = unsafe { _mm512_i64gather_epi64::<8>(words, kept.bits.as_ptr().cast()) };
        let bit = _mm512_sllv_epi64(all(1), _mm512_and_si512(hashes, all(63)));
        let numbers = _mm256_add_epi32(_mm256_set1_epi32(at as i32), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
        list(&mut events.kept, is_word & _mm512_test_epi64_mask(bits, bit), numbers);
        let named = _mm512_cmpge_epu64_mask(lengths, all(MIN_NAME_BYTES as u64));
        list(&mut events.long, is_word & named, numbers);
    }
    events::read(whole, text, count, events);
}

/// Eight numbers from `at`.
fn chunk(table: &[u32], at: usize) -> [u32; LANES] {
    let lanes = table[at..].first_chunk::<LANES>();
    *lanes.expect("because tables have room for a vector behind the last event")
}

/// Adds the `numbers` that `which` has.
#[target_feature(enable = "avx512f,avx512vl,popcnt")]
#[inline]
fn list(list: &mut List, which: u8, numbers: __m256i) {
    put_small(
        &mut list.numbers,
        list.count,
        _mm256_maskz_compress_epi32(which, numbers),
    );
    list.count += which.count_ones() as usize;
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn put_small(table: &mut [u32], at: usize, lanes: __m256i) {
    let out: &mut [u32] = &mut table[at..at + LANES];
    // SAFETY: 32 bytes are written to 8 numbers.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), lanes) }
}

/// Eight flags from `at`, each in a lane.
#[target_feature(enable = "avx512f")]
#[inline]
fn flags(events: &Events, at: usize) -> __m512i {
    let flags = events.flags[at..].first_chunk::<LANES>();
    let flags = flags.expect("because tables have room for a vector behind the last event");
    _mm512_cvtepu8_epi64(_mm_cvtsi64_si128(i64::from_le_bytes(*flags)))
}

#[target_feature(enable = "avx512f,avx512dq,avx512vl,popcnt")]
pub(super) fn compress_512(events: &Events, count: usize, tokens: &mut Tokens) {
    let whole = count / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        let (before, flags) = (flags(events, at), flags(events, at + 1));
        let has = |flags, flag: u8| _mm512_test_epi64_mask(flags, all(u64::from(flag)));
        let calls = has(flags, OPENS) & has(before, CALLABLE);
        let counts = has(flags, COUNTS) | calls;
        let values = lanes(&events.values, at);
        let slots = _mm512_mask_mov_epi64(all(NO_NAME), has(flags, TELLS), all(TELLING));
        let named = _mm512_and_si512(values, all(LAST_SLOTS - 1));
        let slots = _mm512_mask_mov_epi64(slots, has(flags, NAME), named);
        put(
            &mut tokens.values,
            tokens.count,
            _mm512_maskz_compress_epi64(counts, values),
        );
        put(
            &mut tokens.slots,
            tokens.count,
            _mm512_maskz_compress_epi64(counts, slots),
        );
        let [starts, ends] = [&events.starts, &events.ends].map(|table| {
            let table = chunk(table, at);
            // SAFETY: 32 bytes are read of 8 numbers.
            let lanes = unsafe { _mm256_loadu_si256(table.as_ptr().cast()) };
            _mm256_maskz_compress_epi32(counts, lanes)
        });
        put_small(&mut tokens.starts, tokens.count, starts);
        put_small(&mut tokens.ends, tokens.count, ends);
        tokens.count += counts.count_ones() as usize;
    }
    events::compress(whole, events, count, tokens);
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn roll_512(words: &[u64], out: &mut [u64]) {
    lanes::roll(words, out);
}

/// Eight numbers of `table`, from `at`.
#[target_feature(enable = "avx512f")]
#[inline]
fn lanes(table: &[u64], at: usize) -> __m512i {
    let lanes: &[u64] = &table[at..at + LANES];
    // SAFETY: 64 bytes are read of 8 numbers.
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn put(table: &mut [u64], at: usize, lanes: __m512i) {
    let out: &mut [u64] = &mut table[at..at + LANES];
    // SAFETY: 64 bytes are written to 8 numbers.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), lanes) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn all(value: u64) -> __m512i {
    _mm512_set1_epi64(value as i64)
}

/// `grams::mix` of 8 numbers.
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
fn mix_lanes(x: __m512i) -> __m512i {
    let step = |x| _mm512_mullo_epi64(_mm512_xor_si512(x, _mm512_srli_epi64::<32>(x)), all(MIX));
    let x = step(step(x));
    _mm512_xor_si512(x, _mm512_srli_epi64::<32>(x))
}

#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn worth_512(tokens: &mut Tokens) {
    for at in (KEPT_TOKENS..tokens.count).step_by(LANES) {
        let (values, slots) = (lanes(&tokens.values, at), lanes(&tokens.slots, at));
        let (mut distances, mut changes) = (all(NEVER), all(0));
        for back in (1..NGRAM_TOKENS).rev() {
            let seen = _mm512_cmpeq_epi64_mask(slots, lanes(&tokens.slots, at - back));
            let same = _mm512_cmpeq_epi64_mask(values, lanes(&tokens.values, at - back));
            let distance = _mm512_mask_mov_epi64(all(NEVER), same, all(back as u64));
            distances = _mm512_mask_mov_epi64(distances, seen, distance);
            changes = _mm512_mask_mov_epi64(changes, seen, _mm512_maskz_mov_epi64(same, all(CHANGES[back])));
        }
        let other = _mm512_cmpge_epu64_mask(slots, all(LAST_SLOTS));
        let worths = _mm512_mask_mov_epi64(all(distance_worth(0)), other, mix_lanes(values));
        put(&mut tokens.worths, at, worths);
        put(
            &mut tokens.distances,
            at,
            _mm512_mask_mov_epi64(distances, other, all(NEVER)),
        );
        put(&mut tokens.changes, at, changes);
    }
}

#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn roll_tokens_512(tokens: &mut Tokens) {
    for at in (0..tokens.count - KEPT_TOKENS).step_by(LANES) {
        let mut sums = all(SEALED);
        for (place, power) in POWERS.iter().enumerate() {
            let inside = _mm512_cmple_epu64_mask(lanes(&tokens.distances, at + place), all(place as u64));
            let worths = lanes(&tokens.worths, at + place);
            let worths = _mm512_mask_add_epi64(worths, inside, worths, lanes(&tokens.changes, at + place));
            sums = _mm512_add_epi64(sums, _mm512_mullo_epi64(worths, all(*power)));
        }
        put(
            &mut tokens.sums,
            at,
            _mm512_srli_epi64::<{ 64 - HASH_BITS }>(mix_lanes(sums)),
        );
    }
}
