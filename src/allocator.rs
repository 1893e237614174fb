//! Hands out memory in the browser: small blocks from lists of freed ones, all else from the standard allocator.
//!
//! Scripts make and drop small objects above all. The standard allocator of wasm32 merges and splits free memory each
//! time, a tenth of the time of a script that makes tables. Here a block of a size that has been freed before is taken
//! from the list of its size, and never leaves it.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::{NonNull, null_mut};

/// Sizes are rounded up to this; no small block needs to be aligned to more.
const STEP: usize = 8;
/// Blocks up to this size are small.
const LARGEST: usize = 256;
/// Small blocks are cut from pieces of this size.
const PIECE: usize = 16 << 10;

/// What a free block holds: the next one of its size.
struct Free {
    next: Option<NonNull<Free>>,
}

/// The blocks of one size.
#[derive(Clone, Copy)]
struct Size {
    free: Option<NonNull<Free>>,
    /// What is left of the last piece.
    rest: *mut u8,
    /// How many bytes.
    left: usize,
}

struct Allocator {
    sizes: UnsafeCell<[Size; LARGEST / STEP + 1]>,
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator {
    sizes: UnsafeCell::new([Size { free: None, rest: null_mut(), left: 0 }; LARGEST / STEP + 1]),
};

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
// a multiple of STEP behind the start of a piece that has this alignment. It is on the list, or in use, never both:
// `alloc` takes it off, and only `dealloc` puts it there.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
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
        size.cut(number * STEP)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(number) = small(layout) else {
            // SAFETY: as promised to us.
            return unsafe { System.dealloc(block, layout) };
        };
        // SAFETY: nobody else has a reference (above).
        let size = unsafe { &mut (*self.sizes.get())[number] };
        let block: *mut Free = block.cast();
        // SAFETY: the block is no longer in use, and large and aligned enough for a `Free`.
        unsafe { block.write(Free { next: size.free }) };
        size.free = NonNull::new(block);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, wanted: usize) -> *mut u8 {
        // SAFETY: as promised to us.
        let new = unsafe { Layout::from_size_align_unchecked(wanted, layout.align()) };
        match (small(layout), small(new)) {
            // SAFETY: as promised to us.
            (None, None) => unsafe { System.realloc(block, layout, wanted) },
            (old, number) if old == number => block,
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
    /// A block that has not been used before; null if there is no memory.
    #[cold]
    fn cut(&mut self, size: usize) -> *mut u8 {
        if self.left < size {
            // SAFETY: the layout is not of size 0.
            let piece = unsafe { System.alloc(Layout::from_size_align_unchecked(PIECE, STEP)) };
            if piece.is_null() {
                return null_mut();
            }
            (self.rest, self.left) = (piece, PIECE);
        }
        let block = self.rest;
        // SAFETY: that much is left of the piece.
        self.rest = unsafe { self.rest.add(size) };
        self.left -= size;
        block
    }
}
