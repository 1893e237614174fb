//! Defines places on the earth as scores of a sorted set, and areas in which they are looked for.
//!
//! A place is a cell of a grid: each of `STEPS` steps halves the cell's longitude and its latitude. The bits that say
//! which half it was, a latitude's before the longitude's of the next step, are a number: cells with the same first bits
//! are one larger cell, and so are a range of scores.

use std::f64::consts::PI;

/// A longitude and a latitude in degrees.
pub type Position = (f64, f64);

/// How often a place's cell is halved each way: 52 bits, which a score holds exactly.
const STEPS: u32 = 26;
/// Longitudes.
const LONGITUDES: (f64, f64) = (-180.0, 180.0);
/// Latitudes that a place may have: those of the Web Mercator map.
const LATITUDES: (f64, f64) = (-85.051_128_78, 85.051_128_78);
/// Metres.
const EARTH_RADIUS: f64 = 6_372_797.560_856;
/// Half of the equator on the map, in metres.
const HALF_MAP: f64 = 20_037_726.37;
const RADIANS: f64 = PI / 180.0;

/// Where to look for places; its measures are in `unit`s of so many metres.
pub struct Shape {
    /// The middle.
    pub center: Position,
    /// Metres.
    pub unit: f64,
    /// What lies around it.
    pub area: Area,
}

/// What lies around a middle.
#[derive(Clone, Copy)]
pub enum Area {
    /// Everything within a radius.
    Circle(f64),
    /// A box of this width and this height.
    Box(f64, f64),
}

/// A cell after some steps: its row and its column.
#[derive(Clone, Copy)]
struct Cell {
    latitude: u32,
    longitude: u32,
    step: u32,
}

/// The number of a place's cell; none if there is no such place.
pub fn score((longitude, latitude): Position) -> Option<f64> {
    let is_within = |(least, most): (f64, f64), degrees| degrees >= least && degrees <= most;
    let is_place = is_within(LONGITUDES, longitude) && is_within(LATITUDES, latitude);
    is_place.then(|| Cell::of((longitude, latitude), LATITUDES, STEPS).bits() as f64)
}

/// The middle of the cell with this number.
pub fn position(score: f64) -> Position {
    let cell = Cell::from_bits(bits(score), STEPS);
    let middle = |(least, most): (f64, f64), range: (f64, f64)| {
        f64::midpoint(least, most).clamp(range.0, range.1)
    };
    (middle(cell.longitudes(), LONGITUDES), middle(cell.latitudes(), LATITUDES))
}

/// A score as an unsigned integer, as a processor of the x86 family makes one of it: so are what is too large and what is
/// negative.
fn bits(score: f64) -> u64 {
    const HALF: f64 = (1_u64 << 63) as f64;
    let whole = |number: f64| {
        if (-HALF..HALF).contains(&number) { number as i64 as u64 } else { 1 << 63 }
    };
    if score < HALF { whole(score) } else { whole(score - HALF) ^ 1 << 63 }
}

/// The name of a place as geohash.org writes it: eleven letters and digits, the last of which says nothing.
pub fn name(score: f64) -> [u8; 11] {
    const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let bits = Cell::of(position(score), (-90.0, 90.0), STEPS).bits();
    let mut name = [LETTERS[0]; 11];
    for (place, letter) in (1..).zip(&mut name[..10]) {
        *letter = LETTERS[(bits >> (2 * STEPS - place * 5) & 31) as usize];
    }
    name
}

/// Metres between two places on a sphere.
pub fn distance(one: Position, other: Position) -> f64 {
    let half_sine = |from: f64, to: f64| ((to * RADIANS - from * RADIANS) / 2.0).sin();
    let v = half_sine(one.0, other.0);
    if v == 0.0 {
        return EARTH_RADIUS * (other.1 * RADIANS - one.1 * RADIANS).abs();
    }
    let u = half_sine(one.1, other.1);
    let a = u * u + (one.1 * RADIANS).cos() * (other.1 * RADIANS).cos() * v * v;
    2.0 * EARTH_RADIUS * a.sqrt().asin()
}

/// The bits, each with a zero before it.
fn spread(bits: u32) -> u64 {
    let mut spread = u64::from(bits);
    for (shift, mask) in MASKS.iter().rev() {
        spread = (spread | spread << shift) & mask;
    }
    spread
}

/// Every second of the bits.
fn gather(bits: u64) -> u32 {
    let mut gathered = bits & EVERY_SECOND;
    for ((shift, _), mask) in
        MASKS.iter().zip([MASKS[1].1, MASKS[2].1, MASKS[3].1, MASKS[4].1, 0xffff_ffff])
    {
        gathered = (gathered | gathered >> shift) & mask;
    }
    gathered as u32
}

const EVERY_SECOND: u64 = 0x5555_5555_5555_5555;
/// How far bits move apart, and which are in use then: of pairs, fours, bytes and so on.
const MASKS: [(u32, u64); 5] = [
    (1, EVERY_SECOND),
    (2, 0x3333_3333_3333_3333),
    (4, 0x0f0f_0f0f_0f0f_0f0f),
    (8, 0x00ff_00ff_00ff_00ff),
    (16, 0x0000_ffff_0000_ffff),
];

impl Cell {
    fn of((longitude, latitude): Position, latitudes: (f64, f64), step: u32) -> Cell {
        let halved = |degrees: f64, (least, most): (f64, f64)| {
            ((degrees - least) / (most - least) * f64::from(1 << step)) as u32
        };
        Cell {
            latitude: halved(latitude, latitudes),
            longitude: halved(longitude, LONGITUDES),
            step,
        }
    }

    fn from_bits(bits: u64, step: u32) -> Cell {
        Cell { latitude: gather(bits), longitude: gather(bits >> 1), step }
    }

    fn bits(self) -> u64 {
        spread(self.latitude) | spread(self.longitude) << 1
    }

    /// From the first to before which score its places have.
    fn scores(self) -> (f64, f64) {
        let shift = 2 * (STEPS - self.step);
        ((self.bits() << shift) as f64, ((self.bits() + 1) << shift) as f64)
    }

    fn latitudes(self) -> (f64, f64) {
        self.part(self.latitude, LATITUDES)
    }

    fn longitudes(self) -> (f64, f64) {
        self.part(self.longitude, LONGITUDES)
    }

    fn part(self, place: u32, (least, most): (f64, f64)) -> (f64, f64) {
        let degrees = |place: f64| least + place / f64::from(1 << self.step) * (most - least);
        (degrees(f64::from(place)), degrees(f64::from(place) + 1.0))
    }

    /// The cell so many rows to the north and so many columns to the east, beyond the end of the map if need be.
    fn beside(self, north: i32, east: i32) -> Cell {
        let moved = |place: u32, by: i32| match by {
            0 => place,
            by => place.wrapping_add_signed(by) & ((1 << self.step) - 1),
        };
        Cell {
            latitude: moved(self.latitude, north),
            longitude: moved(self.longitude, east),
            step: self.step,
        }
    }
}

impl Shape {
    /// How far a place is from the middle, in metres; none if it is outside.
    pub fn distance(&self, place: Position) -> Option<f64> {
        match self.area {
            Area::Circle(radius) => {
                let found = distance(self.center, place);
                // What is no number is inside.
                if found > radius * self.unit { None } else { Some(found) }
            }
            Area::Box(width, height) => {
                let east = distance(place, (self.center.0, place.1));
                let north = distance(place, (place.0, self.center.1));
                let is_outside = north > height * self.unit / 2.0 || east > width * self.unit / 2.0;
                if is_outside { None } else { Some(distance(self.center, place)) }
            }
        }
    }

    /// The ranges of scores in which to look for places, in that order, each without its end.
    pub fn ranges(&self) -> Vec<(f64, f64)> {
        let (north, east) = match self.area {
            Area::Circle(radius) => (radius, radius),
            Area::Box(width, height) => (height / 2.0, width / 2.0),
        };
        let reach = match self.area {
            Area::Circle(radius) => radius,
            Area::Box(..) => (east * east + north * north).sqrt(),
        };
        let (longitude, latitude) = self.center;
        let rows = self.unit * north / EARTH_RADIUS / RADIANS;
        // A degree of longitude is shortest at the side of the area that is nearest to a pole.
        let nearest_to_pole = if latitude < 0.0 { latitude - rows } else { latitude + rows };
        let columns = self.unit * east / EARTH_RADIUS / (nearest_to_pole * RADIANS).cos() / RADIANS;
        let (least, most) =
            ((longitude - columns, latitude - rows), (longitude + columns, latitude + rows));
        let mut cell = Cell::of(self.center, LATITUDES, steps(reach * self.unit, latitude));
        let is_too_small = cell.beside(1, 0).latitudes().1 < most.1
            || cell.beside(-1, 0).latitudes().0 > least.1
            || cell.beside(0, 1).longitudes().1 < most.0
            || cell.beside(0, -1).longitudes().0 > least.0;
        if is_too_small && cell.step > 1 {
            cell = Cell::of(self.center, LATITUDES, cell.step - 1);
        }
        // Where the cell itself reaches beyond the area nothing is to be found in the next.
        let (rows, columns) = (cell.latitudes(), cell.longitudes());
        let is_useless = |north: i32, east: i32| {
            cell.step >= 2
                && (north > 0 && rows.1 > most.1
                    || north < 0 && rows.0 < least.1
                    || east > 0 && columns.1 > most.0
                    || east < 0 && columns.0 < least.0)
        };
        let neighbours = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)];
        let mut ranges = vec![cell.scores()];
        for (north, east) in neighbours {
            let range = cell.beside(north, east).scores();
            // In a grid of four the neighbours on both sides are one.
            let is_again = ranges.len() > 1 && ranges.last() == Some(&range);
            if !is_again && !is_useless(north, east) {
                ranges.push(range);
            }
        }
        ranges
    }
}

/// How many steps make cells that are large enough for so many metres around a place.
fn steps(mut metres: f64, latitude: f64) -> u32 {
    if metres == 0.0 {
        return STEPS;
    }
    let mut steps = 1_i32;
    while metres < HALF_MAP {
        metres *= 2.0;
        steps += 1;
    }
    // So that the cell and its neighbours hold it all, also near the poles, where cells are narrow.
    steps -= 2 + i32::from(latitude.abs() > 66.0) + i32::from(latitude.abs() > 80.0);
    steps.clamp(1, STEPS as i32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_spread_and_gathered() {
        for bits in [0, 1, 2, 0x1234_5678, 0xdead_beef, u32::MAX] {
            let expected =
                (0..32).fold(0, |sum, bit| sum | u64::from(bits >> bit & 1) << (2 * bit));
            assert_eq!(spread(bits), expected);
            assert_eq!(gather(expected | expected << 1), bits);
            assert_eq!(gather(expected << 1), 0);
        }
    }

    #[test]
    fn a_score_is_the_nearest_place() {
        let mut random = crate::server::random::Random::new(1);
        for _ in 0..1000 {
            let mut degrees =
                |most: f64| random.below(1 << 40) as f64 / (1_u64 << 40) as f64 * 2.0 * most - most;
            let place = (degrees(180.0), degrees(85.0));
            let found = position(score(place).expect("it is a place"));
            assert!((found.0 - place.0).abs() < 3e-6 && (found.1 - place.1).abs() < 3e-6);
            assert!(distance(place, found) < 0.5);
        }
        assert_eq!(score((180.1, 0.0)), None);
        assert_eq!(score((0.0, -85.1)), None);
        assert_eq!(score((f64::NAN, 0.0)), None);
    }

    /// What lies within an area is found, whatever the area.
    #[test]
    fn the_ranges_hold_what_is_inside() {
        let mut random = crate::server::random::Random::new(2);
        for _ in 0..2000 {
            let mut degrees =
                |most: f64| random.below(1 << 40) as f64 / (1_u64 << 40) as f64 * 2.0 * most - most;
            let center = (degrees(170.0), degrees(60.0));
            let radius = 10_f64.powf(degrees(3.0) + 3.0);
            let near = radius / 111_000.0;
            let place = (center.0 + degrees(near), center.1 + degrees(near));
            let shape = Shape { center, unit: 1.0, area: Area::Circle(radius) };
            let Some(score) = score(place) else { continue };
            if shape.distance(position(score)).is_some() {
                let holds = |(first, end): &(f64, f64)| (*first..*end).contains(&score);
                assert!(shape.ranges().iter().any(holds), "{center:?} {radius} {place:?}");
            }
        }
    }
}
