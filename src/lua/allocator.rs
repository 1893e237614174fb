//! Hands out memory in the browser: small blocks from lists of freed ones, all else from the standard allocator.
//!
//! Scripts make and drop small objects above all. The standard allocator of wasm32 merges and splits free memory each
//! time, a tenth of the time of a script that makes tables. Here a small block has one size for ever. Blocks of a size
//! are cut from pieces, and are given out piece by piece: one list of all that are free would lead through the whole
//! heap, once garbage has been collected some times, and a third of the time would be spent on waiting for memory.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ptr::{NonNull, null_mut};

/// Sizes are rounded up to this; no small block needs to be aligned to more.
const STEP: usize = 8;
/// Blocks up to this size are small.
const LARGEST: usize = 256;
/// Small blocks are cut from pieces of this size, which are aligned to it: a block's address tells where its piece begins.
const PIECE: usize = 16 << 10;
/// How many pieces are asked for at once.
const PIECES: usize = 16;

/// What a free block holds: the next one of its piece.
struct Free {
    next: Option<NonNull<Free>>,
}

/// What a piece begins with.
struct Piece {
    /// Its free blocks, while blocks are not taken from it.
    free: Option<NonNull<Free>>,
    /// The next one on its size's list.
    next: Option<NonNull<Piece>>,
    /// It is on that list.
    is_listed: bool,
}

/// The blocks of one size.
#[derive(Clone, Copy)]
struct Size {
    /// The free blocks of the piece from which blocks are taken.
    free: Option<NonNull<Free>>,
    /// That piece.
    piece: *mut Piece,
    /// Other pieces with free blocks.
    pieces: Option<NonNull<Piece>>,
    /// What is left of the piece that was cut last.
    rest: *mut u8,
    /// How many bytes.
    left: usize,
}

struct Allocator {
    sizes: UnsafeCell<[Size; LARGEST / STEP + 1]>,
    /// Pieces of no size yet.
    unused: UnsafeCell<Unused>,
    /// Bytes in use.
    used: Cell<usize>,
}

/// What is left of the pieces that were asked for last.
struct Unused {
    first: *mut u8,
    count: usize,
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator {
    sizes: UnsafeCell::new([Size::EMPTY; LARGEST / STEP + 1]),
    unused: UnsafeCell::new(Unused { first: null_mut(), count: 0 }),
    used: Cell::new(0),
};

/// Bytes of memory in use: those of free blocks are not.
pub fn used() -> usize {
    ALLOCATOR.used.get()
}

#[cfg(target_feature = "atomics")]
compile_error!("the allocator's lists are for one thread");

// SAFETY: there is one thread (above), and no method calls another while it uses the lists.
unsafe impl Sync for Allocator {}

/// The number of a layout's size, if its blocks are small.
#[inline(always)]
fn small(layout: Layout) -> Option<usize> {
    (layout.size() <= LARGEST && layout.align() <= STEP).then(|| layout.size().div_ceil(STEP))
}

// SAFETY: a block is at least as large and as aligned as its layout asks for: it has the size of its number's, and lies
// a multiple of STEP behind the start of a piece that has this alignment. It is on one list, or in use, never both:
// `alloc` takes it off, and only `dealloc` puts it there. No block lies in two pieces.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.used.set(self.used.get().wrapping_add(layout.size()));
        let Some(number) = small(layout) else {
            // SAFETY: as promised to us.
            return unsafe { System.alloc(layout) };
        };
        // SAFETY: nobody else has a reference (above).
        let size = unsafe { &mut (*self.sizes.get())[number] };
        if let Some(block) = size.free {
            // SAFETY: a block on the list is not in use, and holds a `Free`.
            size.free = unsafe { block.as_ref() }.next;
            return block.as_ptr().cast();
        }
        // SAFETY: nobody else has a reference (above).
        size.refill(number * STEP, unsafe { &mut *self.unused.get() })
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.used.set(self.used.get().wrapping_sub(layout.size()));
        let Some(number) = small(layout) else {
            // SAFETY: as promised to us.
            return unsafe { System.dealloc(block, layout) };
        };
        // SAFETY: nobody else has a reference (above).
        let size = unsafe { &mut (*self.sizes.get())[number] };
        let piece: *mut Piece = block.map_addr(|address| address & !(PIECE - 1)).cast();
        let block: *mut Free = block.cast();
        // SAFETY: the block is no longer in use, and large and aligned enough for a `Free`; its piece begins with a `Piece`.
        unsafe {
            if piece == size.piece {
                block.write(Free { next: size.free });
                size.free = NonNull::new(block);
                return;
            }
            block.write(Free { next: (*piece).free });
            (*piece).free = NonNull::new(block);
            if !(*piece).is_listed {
                (*piece).is_listed = true;
                (*piece).next = size.pieces;
                size.pieces = NonNull::new(piece);
            }
        }
    }

    // SAFETY: what `alloc` gives and `dealloc` takes (above).
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, wanted: usize) -> *mut u8 {
        // SAFETY: as promised to us.
        let new = unsafe { Layout::from_size_align_unchecked(wanted, layout.align()) };
        let used = self.used.get().wrapping_sub(layout.size()).wrapping_add(wanted);
        match (small(layout), small(new)) {
            (None, None) => {
                self.used.set(used);
                // SAFETY: as promised to us.
                unsafe { System.realloc(block, layout, wanted) }
            }
            (old, number) if old == number => {
                self.used.set(used);
                block
            }
            _ => {
                // SAFETY: the new block is another; both are as large as the shorter of the two.
                unsafe {
                    let moved = self.alloc(new);
                    if !moved.is_null() {
                        moved.copy_from_nonoverlapping(block, layout.size().min(wanted));
                        self.dealloc(block, layout);
                    }
                    moved
                }
            }
        }
    }
}

impl Size {
    const EMPTY: Size =
        Size { free: None, piece: null_mut(), pieces: None, rest: null_mut(), left: 0 };

    /// A block, where the piece from which they are taken has none; null if there is no memory.
    #[cold]
    fn refill(&mut self, size: usize, unused: &mut Unused) -> *mut u8 {
        if let Some(mut piece) = self.pieces {
            self.piece = piece.as_ptr();
            // SAFETY: a piece on the list begins with a `Piece`, and has a free block, which holds a `Free`.
            unsafe {
                let piece = piece.as_mut();
                self.pieces = piece.next.take();
                piece.is_listed = false;
                if let Some(block) = piece.free.take() {
                    self.free = block.as_ref().next;
                    return block.as_ptr().cast();
                }
            }
        }
        if self.left < size {
            let Some(piece) = unused.take() else { return null_mut() };
            self.piece = piece.as_ptr();
            let header = size_of::<Piece>().next_multiple_of(STEP);
            // SAFETY: a piece is larger than its header.
            self.rest = unsafe { self.piece.cast::<u8>().add(header) };
            self.left = PIECE - header;
        }
        let block = self.rest;
        // SAFETY: that much is left of the piece.
        self.rest = unsafe { self.rest.add(size) };
        self.left -= size;
        block
    }
}

impl Unused {
    /// A piece without blocks; none if there is no memory.
    fn take(&mut self) -> Option<NonNull<Piece>> {
        if self.count == 0 {
            // One more than is used: they begin at the next multiple of their size.
            // SAFETY: the layout is not of size 0.
            let all = unsafe {
                System.alloc(Layout::from_size_align_unchecked((PIECES + 1) * PIECE, STEP))
            };
            if all.is_null() {
                return None;
            }
            // SAFETY: that is less than the piece in excess.
            self.first = unsafe { all.add(all.align_offset(PIECE)) };
            self.count = PIECES;
        }
        let piece: *mut Piece = self.first.cast();
        self.count -= 1;
        // SAFETY: there are `count` pieces behind this one, and it is aligned for its header.
        unsafe {
            self.first = self.first.add(PIECE);
            piece.write(Piece { free: None, next: None, is_listed: false });
        }
        NonNull::new(piece)
    }
}
