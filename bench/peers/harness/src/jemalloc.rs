// SPDX-License-Identifier: MIT
//! Debian's jemalloc as the allocator, called as tikv-jemallocator calls it: sizes are known when memory is given back.

use std::alloc::{GlobalAlloc, Layout};
use std::mem::size_of;
use std::os::raw::{c_char, c_int, c_void};
use std::ptr::null_mut;

#[link(name = "jemalloc")]
extern "C" {
    fn mallocx(size: usize, flags: c_int) -> *mut c_void;
    fn rallocx(memory: *mut c_void, size: usize, flags: c_int) -> *mut c_void;
    fn sdallocx(memory: *mut c_void, size: usize, flags: c_int);
    fn mallctl(
        name: *const c_char,
        old: *mut c_void,
        old_size: *mut usize,
        new: *mut c_void,
        new_size: usize,
    ) -> c_int;
}

struct Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

const ZERO: c_int = 0x40;

/// Alignment of 16 comes by itself with sizes that need it.
fn flags(layout: &Layout) -> c_int {
    if layout.align() <= 16 && layout.align() <= layout.size() {
        0
    } else {
        layout.align().trailing_zeros() as c_int
    }
}

unsafe impl GlobalAlloc for Jemalloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        mallocx(layout.size(), flags(&layout)) as *mut u8
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        mallocx(layout.size(), flags(&layout) | ZERO) as *mut u8
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        sdallocx(memory as *mut c_void, layout.size(), flags(&layout));
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let resized = Layout::from_size_align_unchecked(size, layout.align());
        rallocx(memory as *mut c_void, size, flags(&resized)) as *mut u8
    }
}

/// Memory that a warm-up has given back stays with the process, so that what is measured does not fault its pages in again.
/// For the first arena, which is all there is before threads are started, and for those to come.
pub fn keep_memory() {
    let names = [
        "arena.0.dirty_decay_ms\0",
        "arena.0.muzzy_decay_ms\0",
        "arenas.dirty_decay_ms\0",
        "arenas.muzzy_decay_ms\0",
    ];
    for name in names {
        let mut never: isize = -1;
        let new = &mut never as *mut isize as *mut c_void;
        let name = name.as_ptr() as *const c_char;
        let result = unsafe { mallctl(name, null_mut(), null_mut(), new, size_of::<isize>()) };
        assert_eq!(result, 0);
    }
}
