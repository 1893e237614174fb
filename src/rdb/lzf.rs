//! Defines LZF, which makes long strings of payloads shorter, and makes them the same bytes as the real server does.
//!
//! A control byte below 32 stands before so many bytes and one more; any other for bytes that have come already: its
//! upper three bits for how many and its lower five, with the byte that follows, for how far back.

use super::Reader;

/// Places that are remembered, by the three bytes that stand there.
const HASH_BITS: u32 = 16;
/// How far back bytes may be that come again.
const FARTHEST: usize = 1 << 13;
/// How many bytes may come again at once, and how many may be new.
const MOST_COPIED: usize = (1 << 8) + (1 << 3);
const MOST_NEW: usize = 32;

/// The slot of the three bytes at a place.
fn slot(bytes: &[u8], at: usize) -> usize {
    let three =
        u32::from(bytes[at]) << 16 | u32::from(bytes[at + 1]) << 8 | u32::from(bytes[at + 2]);
    ((three >> (24 - HASH_BITS)).wrapping_sub(three.wrapping_mul(5)) & ((1 << HASH_BITS) - 1))
        as usize
}

/// Appends new bytes behind their control byte.
fn write_new(out: &mut Vec<u8>, bytes: &[u8]) {
    for run in bytes.chunks(MOST_NEW) {
        out.push(run.len() as u8 - 1);
        out.extend_from_slice(run);
    }
}

/// The bytes in a shorter form, if that is shorter by more than about four bytes.
///
/// Which matches are found, and where they end, decides about the bytes: it looks only at the last place that had the
/// same hash, never at the first byte of all, and where a match ends it remembers the last two places alone.
pub fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    let room = bytes.len().checked_sub(4)?;
    let last = bytes.len() - 2;
    let mut places = vec![0u32; 1 << HASH_BITS];
    let mut out = Vec::new();
    // From `new` on bytes are new, and not yet written.
    let (mut new, mut at) = (0, 0);
    while at < last {
        let place = std::mem::replace(&mut places[slot(bytes, at)], at as u32) as usize;
        let run = at - new;
        let written = out.len() + 1 + run + run / MOST_NEW;
        let back = at.wrapping_sub(place + 1);
        if place == 0 || back >= FARTHEST || bytes[place..place + 3] != bytes[at..at + 3] {
            if written >= room {
                return None;
            }
            at += 1;
            continue;
        }
        if written + 4 - usize::from(run % MOST_NEW == 0) >= room {
            return None;
        }
        write_new(&mut out, &bytes[new..at]);
        let most = (bytes.len() - at - 2).min(MOST_COPIED);
        let mut count = 3;
        // Far from the end the first sixteen bytes are compared before any is counted.
        while (count < most || most > 16 && count <= 18)
            && bytes[place + count] == bytes[at + count]
        {
            count += 1;
        }
        let (code, high) = (count - 2, (back >> 8) as u8);
        if code < 7 {
            out.push(high | (code as u8) << 5);
        } else {
            out.extend_from_slice(&[high | 7 << 5, (code - 7) as u8]);
        }
        out.push(back as u8);
        at += count;
        new = at;
        if at >= last {
            break;
        }
        for at in [at - 2, at - 1] {
            places[slot(bytes, at)] = at as u32;
        }
    }
    let run = at - new;
    if out.len() + run + run / MOST_NEW + 4 > room {
        return None;
    }
    write_new(&mut out, &bytes[new..]);
    Some(out)
}

/// What has been compressed, if it makes exactly so many bytes.
pub fn decompress(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    // Nothing that goes wrong makes no bytes, and the real server does not tell this from what does so rightly.
    if length == 0 {
        return Some(Vec::new());
    }
    // No byte of it makes more than a hundred: a false length takes no memory.
    if length / 100 > packed.len() {
        return None;
    }
    let mut reader = Reader::new(packed, length);
    let mut out = Vec::with_capacity(length);
    while let Some(control) = reader.byte() {
        if control < 32 {
            out.extend_from_slice(reader.take(usize::from(control) + 1)?);
        } else {
            let mut count = usize::from(control >> 5) + 2;
            if count == 9 {
                count += usize::from(reader.byte()?);
            }
            let back = (usize::from(control & 0x1f) << 8 | usize::from(reader.byte()?)) + 1;
            let start = out.len().checked_sub(back)?;
            // What it copies may be what it has just written.
            for at in start..start + count {
                out.push(out[at]);
            }
        }
        if out.len() > length {
            return None;
        }
    }
    (out.len() == length).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_comes_back() {
        let mut seed = 7u64;
        let mut next = |bound: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % bound
        };
        for _ in 0..300 {
            let mut bytes = Vec::new();
            for _ in 0..next(30) {
                let (kind, count) = (next(4), next(600));
                bytes.extend((0..count).map(|_| if kind == 0 { 7 } else { next(1 << kind) as u8 }));
            }
            if let Some(packed) = compress(&bytes) {
                assert!(packed.len() < bytes.len());
                assert_eq!(decompress(&packed, bytes.len()), Some(bytes));
            }
        }
    }
}
