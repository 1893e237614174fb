//! Draws LOLWUT: small computer art of the server's versions.

use super::args::Args;
use crate::error::Error;
use crate::resp::Reply;
use crate::server::random::Random;
use crate::server::{Context, REDIS_VERSION};

pub(super) fn lolwut(context: &mut Context, args: &mut Args) -> Result<Reply, Error> {
    let mut version = 0;
    if args.remaining() >= 2 && args.option("version") {
        version = args.integer()?;
    }
    let mut sizes = [None; 3];
    let art = match version {
        5 | 6 => {
            for size in &mut sizes {
                *size = if args.is_empty() { None } else { Some(args.integer()?) };
            }
            let [width, first, second] = sizes;
            let random = &mut context.server.random;
            match version {
                5 => schotter(
                    random,
                    width.unwrap_or(66).clamp(1, 1000),
                    first.unwrap_or(8).clamp(1, 200),
                    second.unwrap_or(12).clamp(1, 200),
                ),
                _ => city(
                    random,
                    width.unwrap_or(80).clamp(1, 1000),
                    first.unwrap_or(20).clamp(1, 1000),
                ),
            }
        }
        _ => String::new(),
    };
    Ok(Reply::Verbatim(*b"txt", format!("{art}Redis ver. {REDIS_VERSION}\n").into_bytes()))
}

/// A grid of points that are on or off.
struct Canvas {
    width: i64,
    height: i64,
    on: Vec<u8>,
}

impl Canvas {
    fn new(width: i64, height: i64) -> Canvas {
        Canvas { width, height, on: vec![0; (width.max(0) * height.max(0)) as usize] }
    }

    fn set(&mut self, x: i64, y: i64, shade: u8) {
        if (0..self.width).contains(&x) && (0..self.height).contains(&y) {
            self.on[(y * self.width + x) as usize] = shade;
        }
    }

    fn get(&self, x: i64, y: i64) -> u8 {
        if (0..self.width).contains(&x) && (0..self.height).contains(&y) {
            self.on[(y * self.width + x) as usize]
        } else {
            0
        }
    }

    /// A straight line (Bresenham).
    fn line(&mut self, (mut x, mut y): (i64, i64), (to_x, to_y): (i64, i64)) {
        let (wide, high) = ((to_x - x).abs(), (to_y - y).abs());
        let (step_x, step_y) = (if x < to_x { 1 } else { -1 }, if y < to_y { 1 } else { -1 });
        let mut error = wide - high;
        loop {
            self.set(x, y, 1);
            if (x, y) == (to_x, to_y) {
                return;
            }
            let twice = error * 2;
            if twice > -high {
                error -= high;
                x += step_x;
            }
            if twice < wide {
                error += wide;
                y += step_y;
            }
        }
    }
}

/// Version 5: rows of squares that get out of order from the third row on, in Braille patterns, after Georg Nees.
fn schotter(random: &mut Random, columns: i64, per_row: i64, per_column: i64) -> String {
    // A Braille character is two points wide and four high.
    let width = columns * 2;
    let padding = if width > 4 { 2 } else { 0 };
    let side = (width - padding * 2) as f64 / per_row as f64;
    let height = (side * per_column as f64) as i64 + padding * 2;
    let mut canvas = Canvas::new(width, height);
    for row in 0..per_column {
        for column in 0..per_row {
            let centre = |index: i64| (index as f64 * side + side / 2.0 + padding as f64) as i64;
            let (mut x, mut y, mut angle) = (centre(column), centre(row), 0.0);
            if row > 1 {
                // The further down, the more.
                let disorder = row as f64 / per_column as f64;
                let mut swing = || {
                    let amount = (random.next() >> 11) as f64 / (1_u64 << 53) as f64 * disorder;
                    if random.below(2) == 0 { amount } else { -amount }
                };
                angle = swing();
                x += (swing() * side / 3.0) as i64;
                y += (swing() * side / 3.0) as i64;
            }
            square(&mut canvas, (x, y), side, angle);
        }
    }
    let mut text = braille(&canvas);
    text.push_str("\nGeorg Nees - schotter, plotter on paper, 1968. ");
    text
}

fn square(canvas: &mut Canvas, (x, y): (i64, i64), side: f64, angle: f64) {
    let half_diagonal = (side / std::f64::consts::SQRT_2).round();
    let corner = |index: u32| {
        let direction = std::f64::consts::FRAC_PI_4 * f64::from(2 * index + 1) + angle;
        let place =
            |centre: i64, offset: f64| (offset * half_diagonal + centre as f64).round() as i64;
        (place(x, direction.sin()), place(y, direction.cos()))
    };
    for index in 0..4 {
        canvas.line(corner(index), corner(index + 1));
    }
}

fn braille(canvas: &Canvas) -> String {
    // The bit of each point in a Braille character, by column and row.
    const BITS: [[u32; 4]; 2] = [[0, 1, 2, 6], [3, 4, 5, 7]];
    let mut text = String::new();
    for y in (0..canvas.height).step_by(4) {
        for x in (0..canvas.width).step_by(2) {
            let mut pattern = 0;
            for (across, bits) in (0..).zip(BITS) {
                for (down, bit) in (0..).zip(bits) {
                    pattern |= u32::from(canvas.get(x + across, y + down)) << bit;
                }
            }
            text.push(char::from_u32(0x2800 + pattern).unwrap_or(' '));
        }
        text.push('\n');
    }
    text
}

/// Version 6: a city of random houses below a sky that darkens downwards, in blocks of colour.
fn city(random: &mut Random, width: i64, height: i64) -> String {
    let mut canvas = Canvas::new(width, height);
    // Bands of sky, lightest on top; the border between two is ragged.
    for x in 0..width {
        for (band, shade) in (1..=3).zip([2_u8, 1, 0]) {
            let from = height * band / 6 + random.below(2) as i64;
            (from..height).for_each(|y| canvas.set(x, y, 3 - shade));
        }
    }
    // Houses from the far and light to the near and dark.
    for (distance, shade) in [(6, 2_u8), (4, 3), (2, 4)] {
        let mut x = -(random.below(4) as i64);
        while x < width {
            let wide = 5 + random.below(6) as i64;
            let high = (height / 8).max(1) + random.below((height / distance).max(1) as u64) as i64;
            for column in x..x + wide {
                for row in height - high..height {
                    let window =
                        (column - x) % 3 == 1 && (height - row) % 3 == 2 && random.below(3) == 0;
                    canvas.set(column, row, if window { 0 } else { shade });
                }
            }
            x += wide + random.below(5) as i64;
        }
    }
    let mut text = String::new();
    for y in 0..height {
        for x in 0..width {
            // White, light grey, grey, dark grey, black.
            let colour = match canvas.get(x, y) {
                0 => "0;97;107m",
                1 | 2 => "0;37;47m",
                3 => "0;90;100m",
                _ => "0;30;40m",
            };
            text.push_str("\x1b[");
            text.push_str(colour);
            text.push_str(" \x1b[0m");
        }
        text.push('\n');
    }
    text.push_str("\nA city at night, drawn by chance. ");
    text
}
