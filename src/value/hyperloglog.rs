//! Defines the HyperLogLog: a string that estimates how many different elements it was given, in Redis's own bytes.
//!
//! Behind a header there are 16384 registers. The hash of an element chooses one, which keeps the greatest number of
//! zeros that was seen at the end of the rest of a hash, plus one: the rarer, the more elements there were.
//!
//! Dense, a register takes six bits, the first the lowest ones. Sparse, registers of equal value are runs:
//!
//! | bits | registers |
//! |---|---|
//! | `00llllll` | `l` + 1 that are 0 |
//! | `01llllll llllllll` | `l` + 1 that are 0 |
//! | `1vvvvvll` | `l` + 1 that are `v` + 1 |
//!
//! The functions here take bytes that [`is_valid`] has accepted. Their runs may still be wrong, as anybody can write
//! a string: then the answer is `None`.

/// Number of registers.
pub const REGISTERS: usize = 1 << 14;
/// Bits of a hash beyond those that choose the register.
const REST: u32 = 64 - REGISTERS.trailing_zeros();
/// Four bytes of magic, the encoding, three that are not used, and the last estimate in eight.
const HEADER: usize = 16;
const MAGIC: &[u8] = b"HYLL";
const ENCODING: usize = 4;
const ESTIMATE: usize = 8;
/// Where the bit is that tells that the estimate is out of date, and the bit.
const STALE: (usize, u8) = (15, 0x80);
const DENSE_LENGTH: usize = HEADER + REGISTERS * 6 / 8;
/// What a run can say: the greatest value, and the most registers of one value.
const MOST_IN_RUN: (u8, usize) = (32, 4);

/// One that has seen nothing.
pub fn new() -> Vec<u8> {
    let mut hll = vec![0; HEADER];
    hll[..MAGIC.len()].copy_from_slice(MAGIC);
    hll[ENCODING] = 1;
    push_run(&mut hll, 0, REGISTERS);
    invalidate(&mut hll);
    hll
}

/// Whether a string looks like a HyperLogLog.
pub fn is_valid(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER
        && bytes.starts_with(MAGIC)
        && match bytes[ENCODING] {
            0 => bytes.len() == DENSE_LENGTH,
            encoding => encoding == 1,
        }
}

/// Whether the registers are not runs.
pub fn is_dense(hll: &[u8]) -> bool {
    hll[ENCODING] == 0
}

/// The estimate that was made last, if nothing has changed since then.
pub fn cached(hll: &[u8]) -> Option<u64> {
    let bytes = hll.get(ESTIMATE..HEADER)?.try_into().ok()?;
    (hll[STALE.0] & STALE.1 == 0).then_some(u64::from_le_bytes(bytes))
}

/// Keeps an estimate in the header.
pub fn cache(hll: &mut [u8], estimate: u64) {
    hll[ESTIMATE..HEADER].copy_from_slice(&estimate.to_le_bytes());
}

/// The estimate in the header is out of date.
pub fn invalidate(hll: &mut [u8]) {
    hll[STALE.0] |= STALE.1;
}

/// Adds an element; whether that changed a register. Runs become dense when they would take more than so many bytes,
/// the header among them (`hll-sparse-max-bytes`).
pub fn add(hll: &mut Vec<u8>, element: &[u8], most_bytes: usize) -> Option<bool> {
    let hash = hash(element);
    let rest = hash >> REGISTERS.trailing_zeros() | 1 << REST;
    let zeros = rest.trailing_zeros() as u8;
    raise(hll, hash as usize % REGISTERS, zeros + 1, most_bytes)
}

/// Raises a register to a value; whether that changed it.
pub fn raise(hll: &mut Vec<u8>, index: usize, value: u8, most_bytes: usize) -> Option<bool> {
    let changed = if is_dense(hll) {
        raise_dense(hll, index, value)
    } else {
        raise_sparse(hll, index, value, most_bytes)?
    };
    if changed {
        invalidate(hll);
    }
    Some(changed)
}

fn raise_dense(hll: &mut [u8], index: usize, value: u8) -> bool {
    // Three bytes hold four registers.
    let (at, shift) = (HEADER + index / 4 * 3, index % 4 * 6);
    let Some([first, second, third]) = hll.get_mut(at..at + 3) else { return false };
    let bits = u32::from_le_bytes([*first, *second, *third, 0]);
    let value = u32::from(value);
    let changed = bits >> shift & 63 < value;
    if changed {
        [*first, *second, *third, _] = (bits & !(63 << shift) | value << shift).to_le_bytes();
    }
    changed
}

/// Changes as little as Redis does, so that the bytes are the same: what is not touched is not put together anew.
fn raise_sparse(hll: &mut Vec<u8>, index: usize, value: u8, most_bytes: usize) -> Option<bool> {
    if value > MOST_IN_RUN.0 {
        make_dense(hll)?;
        return Some(raise_dense(hll, index, value));
    }
    let (mut before, mut at, mut first) = (HEADER, HEADER, 0);
    let old = loop {
        let run = run_at(hll, at)?;
        if index < first + run.length {
            break run;
        }
        (before, at, first) = (at, at + run.bytes, first + run.length);
    };
    if old.value >= value {
        return Some(false);
    }
    let mut new = Vec::with_capacity(5);
    push_run(&mut new, old.value, index - first);
    push_run(&mut new, value, 1);
    push_run(&mut new, old.value, first + old.length - 1 - index);
    let length = hll.len() + new.len() - old.bytes;
    if length > hll.len() && length > most_bytes {
        make_dense(hll)?;
        return Some(raise_dense(hll, index, value));
    }
    // The second byte of the last run may not be there.
    let end = hll.len().min(at + old.bytes);
    hll.splice(at..end, new);
    hll.truncate(length);
    join_runs(hll, before);
    Some(true)
}

/// Puts runs of the same value together that now stand side by side. The change has touched no more than five.
fn join_runs(hll: &mut Vec<u8>, mut at: usize) {
    for _ in 0..5 {
        let Some(run) = run_at(hll, at) else { break };
        match run_at(hll, at + run.bytes) {
            Some(next)
                if run.value > 0
                    && run.value == next.value
                    && run.length + next.length <= MOST_IN_RUN.1 =>
            {
                let mut both = Vec::with_capacity(1);
                push_run(&mut both, run.value, run.length + next.length);
                hll.splice(at..at + 2, both);
            }
            _ => at += run.bytes,
        }
    }
}

/// A run of registers of equal value.
pub struct Run {
    /// As PFDEBUG DECODE calls it: `z` and `Z` of zeros, `v` of another value.
    pub letter: u8,
    /// The registers' value.
    pub value: u8,
    /// Number of registers.
    pub length: usize,
    /// Bytes that it takes.
    bytes: usize,
}

/// The runs of one that is not dense.
pub fn runs(hll: &[u8]) -> impl Iterator<Item = Run> {
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let run = run_at(hll, at)?;
        at += run.bytes;
        Some(run)
    })
}

fn run_at(hll: &[u8], at: usize) -> Option<Run> {
    let byte = *hll.get(at)?;
    let low = usize::from(byte & 63);
    Some(match byte >> 6 {
        0 => Run { letter: b'z', value: 0, length: low + 1, bytes: 1 },
        1 => {
            // Redis finds a zero behind the end of every string.
            let second = hll.get(at + 1).copied().unwrap_or(0);
            let length = (low << 8 | usize::from(second)) + 1;
            Run { letter: b'Z', value: 0, length, bytes: 2 }
        }
        _ => Run { letter: b'v', value: (byte >> 2 & 31) + 1, length: low % 4 + 1, bytes: 1 },
    })
}

/// Appends a run, of nothing none.
fn push_run(out: &mut Vec<u8>, value: u8, length: usize) {
    let Some(length) = length.checked_sub(1) else { return };
    match value.checked_sub(1) {
        Some(value) => out.push(0x80 | value << 2 | length as u8),
        None if length < 64 => out.push(length as u8),
        None => out.extend_from_slice(&[0x40 | (length >> 8) as u8, length as u8]),
    }
}

/// The values of all registers.
pub fn registers(hll: &[u8]) -> Option<Vec<u8>> {
    let mut registers = vec![0; REGISTERS];
    if is_dense(hll) {
        let fours = registers.as_chunks_mut::<4>().0.iter_mut();
        for (four, [first, second, third]) in fours.zip(hll[HEADER..].as_chunks().0) {
            let bits = u32::from_le_bytes([*first, *second, *third, 0]);
            *four = [0, 6, 12, 18].map(|shift| (bits >> shift & 63) as u8);
        }
        return Some(registers);
    }
    let mut at = 0;
    for run in runs(hll) {
        registers.get_mut(at..at + run.length)?.fill(run.value);
        at += run.length;
    }
    (at == REGISTERS).then_some(registers)
}

/// Gives each register its six bits; false if they have them.
pub fn make_dense(hll: &mut Vec<u8>) -> Option<bool> {
    if is_dense(hll) {
        return Some(false);
    }
    let registers = registers(hll)?;
    hll.truncate(HEADER);
    hll.resize(DENSE_LENGTH, 0);
    hll[ENCODING] = 0;
    for (index, value) in registers.into_iter().enumerate() {
        raise_dense(hll, index, value);
    }
    Some(true)
}

/// Estimates how many different elements have led to these registers: Otmar Ertl, "New cardinality estimation
/// algorithms for HyperLogLog sketches", algorithm 6.
pub fn estimate(registers: &[u8]) -> u64 {
    const COUNT: f64 = REGISTERS as f64;
    const ALPHA: f64 = 0.5 / std::f64::consts::LN_2;
    let mut histogram = [0u32; 64];
    for register in registers {
        histogram[usize::from(register % 64)] += 1;
    }
    let [zeros, values @ ..] = &histogram;
    let (values, full) = values.split_at(REST as usize);
    let mut sum = COUNT * tau((COUNT - f64::from(full[0])) / COUNT);
    for number in values.iter().rev() {
        sum = (sum + f64::from(*number)) * 0.5;
    }
    sum += COUNT * sigma(f64::from(*zeros) / COUNT);
    let estimate = (ALPHA * COUNT * COUNT / sum).round();
    // What is beyond all numbers becomes the least one of 64 bits, as in C.
    if estimate.is_finite() { estimate as u64 } else { 1 << 63 }
}

/// The part of registers that are 0: x + sum over k from 1 of x^(2^k) * 2^(k-1).
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut factor, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * factor;
        factor += factor;
        if sum == before {
            return sum;
        }
    }
}

/// The part of registers that are full: (1 - x - sum over k from 1 of (1 - x^(2^-k))^2 * 2^-k) / 3.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut factor, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        factor *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * factor;
        if sum == before {
            return sum / 3.0;
        }
    }
}

/// MurmurHash64A, by Austin Appleby, with Redis's seed.
fn hash(bytes: &[u8]) -> u64 {
    const SEED: u64 = 0xadc8_3b19;
    const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;
    let mix = |number: u64| number ^ number >> 47;
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(FACTOR);
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        let word = mix(u64::from_le_bytes(*word).wrapping_mul(FACTOR)).wrapping_mul(FACTOR);
        hash = (hash ^ word).wrapping_mul(FACTOR);
    }
    if !tail.is_empty() {
        let mut word = [0; 8];
        word[..tail.len()].copy_from_slice(tail);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    }
    mix(mix(hash).wrapping_mul(FACTOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_hash(text: &str, index: usize, value: u8) {
        let mut hll = new();
        assert_eq!(add(&mut hll, text.as_bytes(), 3000), Some(true));
        let registers = registers(&hll).expect("it is sound");
        let set = registers.iter().position(|register| *register > 0);
        assert_eq!((set, registers[index]), (Some(index), value), "{text}");
    }

    /// As the real server's PFDEBUG DECODE shows them.
    #[test]
    fn elements_raise_registers() {
        check_hash("", 5938, 2);
        check_hash("a", 12711, 2);
        check_hash("abcdefgh", 1383, 1);
        check_hash("abcdefghijk", 14121, 1);
    }

    /// So many registers of each value.
    #[track_caller]
    fn check_estimate(values: &[(u8, usize)], expected: u64) {
        let registers: Vec<u8> =
            values.iter().flat_map(|(value, count)| vec![*value; *count]).collect();
        assert_eq!(registers.len(), REGISTERS);
        assert_eq!(estimate(&registers), expected, "{values:?}");
    }

    #[test]
    fn estimates() {
        check_estimate(&[(0, REGISTERS)], 0);
        check_estimate(&[(0, REGISTERS - 1), (1, 1)], 1);
        check_estimate(&[(63, REGISTERS)], 1 << 63);
        check_estimate(&[(51, REGISTERS)], 1 << 63);
    }

    #[test]
    fn it_does_what_plain_registers_do() {
        let mut seed = 5u64;
        let mut next = |bound: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % bound
        };
        for round in 0..60 {
            let (mut hll, mut model) = (new(), vec![0; REGISTERS]);
            let (spread, values) = ([20, 300, REGISTERS][round % 3], [3, 32, 51][round / 3 % 3]);
            for _ in 0..400 {
                let (index, value) = (next(spread), 1 + next(values) as u8);
                let raised = model[index] < value;
                model[index] = model[index].max(value);
                assert_eq!(raise(&mut hll, index, value, 500), Some(raised));
                assert!(is_valid(&hll) && (is_dense(&hll) || hll.len() <= 500));
            }
            assert_eq!(registers(&hll), Some(model.clone()));
            make_dense(&mut hll);
            assert_eq!((registers(&hll), hll.len()), (Some(model), DENSE_LENGTH));
        }
    }

    #[test]
    fn nothing_that_looks_like_one_is_too_wrong() {
        let mut seed = 9u64;
        let mut next = |bound: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % bound
        };
        for _ in 0..2000 {
            let mut hll = new();
            hll.truncate(HEADER + next(3));
            for _ in 0..next(40) {
                hll.push(next(256) as u8);
            }
            for _ in 0..20 {
                raise(&mut hll, next(REGISTERS), 1 + next(34) as u8, 3000);
                raise(&mut hll, next(200), 1 + next(34) as u8, 3000);
            }
            if let Some(registers) = registers(&hll) {
                estimate(&registers);
            }
        }
    }
}
