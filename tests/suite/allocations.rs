//! Counts what a thread allocates and frees, so that a test can hold real-time code to none.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

thread_local! {
    /// Constant and without a destructor, so that touching it never allocates.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Bytes in use by the whole process, and the most there have been since somebody asked.
static LIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn add_bytes(count: usize) {
    let live = LIVE.fetch_add(count, Ordering::Relaxed) + count;
    MOST.fetch_max(live, Ordering::Relaxed);
}

fn take_bytes(count: usize) {
    LIVE.fetch_sub(count, Ordering::Relaxed);
}

fn count_one() {
    COUNT.with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on unchanged to the system's allocator; counting touches only a thread-local number.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_one();
        add_bytes(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc`, which is the system allocator's own.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count_one();
        take_bytes(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count_one();
        add_bytes(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_one();
        add_bytes(size);
        take_bytes(layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Does the work; its result, and how many bytes more than are left afterwards were in use meanwhile. Counts the whole process: only for
/// processes that do nothing else.
pub fn most_bytes<R>(work: impl FnOnce() -> R) -> (R, usize) {
    MOST.store(LIVE.load(Ordering::Relaxed), Ordering::Relaxed);
    let result = work();
    let most = MOST.load(Ordering::Relaxed);
    (result, most - LIVE.load(Ordering::Relaxed).min(most))
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Does the work and tells how often this thread allocated, reallocated or freed meanwhile.
pub fn counted<R>(work: impl FnOnce() -> R) -> (R, usize) {
    let before = COUNT.with(Cell::get);
    let result = work();
    (result, COUNT.with(Cell::get) - before)
}

#[test]
fn an_allocation_and_its_end_are_counted() {
    let (_, count) = counted(|| drop(std::hint::black_box(vec![1_u8; 100])));
    assert_eq!(count, 2);
    let (sum, count) = counted(|| std::hint::black_box([1_u8; 100]).iter().map(|&one| u32::from(one)).sum::<u32>());
    assert_eq!((sum, count), (100, 0));
}

/// Does real-time work, and fails when it allocates or frees.
pub fn assert_none<R>(work: impl FnOnce() -> R) -> R {
    let (result, count) = counted(work);
    assert_eq!(count, 0, "real-time work allocated or freed {count} times");
    result
}
