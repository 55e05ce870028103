//! Thread: any. Where the host calls us, a mistake of ours ends here: a panic that left a call of C would end the host.
//!
//! What panicked is told as a sentence and logged; the call returns what does least harm. Builds for the tests can order a panic
//! at each of these places.

use cantus_engine::instance::Instance;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A place where the host calls us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Place {
    /// A block of audio.
    Process = 1,
    /// Before the first block.
    Activate = 2,
    /// After the last block.
    Deactivate = 3,
    /// The project is saved.
    Save = 4,
    /// A project is opened.
    Load = 5,
    /// A frame of the window.
    Window = 6,
    /// The window is opened.
    OpenWindow = 7,
    /// The project is marked as changed, on the main thread.
    Mark = 8,
}

impl Place {
    /// What the musician reads.
    fn sentence(self) -> &'static str {
        match self {
            Self::Process => {
                "A mistake inside Cantus stopped its playback; the track passes through. Your takes are safe: save the project, \
                 then switch the plugin off and on."
            }
            Self::Activate | Self::Deactivate => {
                "A mistake inside Cantus kept it from starting; the track passes through. Save the project and open it again."
            }
            Self::Save => {
                "A mistake inside Cantus kept it from saving. The project holds what was saved before: export what you need."
            }
            Self::Load => {
                "A mistake inside Cantus kept it from opening what the project holds. Nothing was changed; it is saved again as it was."
            }
            Self::Window | Self::OpenWindow => {
                "A mistake inside Cantus disturbed its window. Your takes are safe: save the project, then close and open the window."
            }
            Self::Mark => "A mistake inside Cantus was caught. Save the project to be safe.",
        }
    }
}

/// Does what the host asked for; `None` after a panic, which `instance` has then been told of.
pub fn contained<R>(place: Place, instance: Option<&Instance>, work: impl FnOnce() -> R) -> Option<R> {
    let caught = if seam::ordered(place) {
        // Only the block that is to panic may allocate: unwinding does.
        nice_plug::util::permit_alloc(|| caught(|| seam::panicking(work)))
    } else {
        caught(work)
    };
    if caught.is_none() {
        // RT-OK: after a panic the block is late in any case, and the track no longer plays.
        nice_plug::util::permit_alloc(|| {
            seam::told(place.sentence());
            if let Some(instance) = instance {
                // RT-OK: as above; never while blocks are well.
                instance.tell(place.sentence().to_owned());
            }
        });
    }
    caught
}

fn caught<R>(work: impl FnOnce() -> R) -> Option<R> {
    // Whatever was half done is given up by the caller, who gets nothing.
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Panics that the tests order. Not part of any build for real use.
#[cfg(feature = "ordered-panics")]
mod seam {
    use super::Place;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    static ORDERED: AtomicU32 = AtomicU32::new(0);
    static TOLD: Mutex<&'static str> = Mutex::new("");

    /// The next call at this place panics, once.
    #[unsafe(no_mangle)]
    extern "C" fn cantus_order_panic(place: u32) {
        ORDERED.store(place, Ordering::SeqCst);
    }

    /// Writes the last sentence that was told after a panic, and forgets it; returns its length in bytes.
    ///
    /// # Safety
    /// `to` has room for `room` bytes.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn cantus_told(to: *mut u8, room: usize) -> usize {
        let mut told = TOLD.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let length = told.len().min(room);
        // SAFETY: as the caller promises.
        unsafe { std::ptr::copy_nonoverlapping(told.as_ptr(), to, length) };
        *told = "";
        length
    }

    pub fn ordered(place: Place) -> bool {
        ORDERED.compare_exchange(place as u32, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    pub fn panicking<R>(work: impl FnOnce() -> R) -> R {
        // Half of the work is done when it happens.
        let _ = work();
        // PANIC: this is the test's order.
        panic!("ordered by a test")
    }

    pub fn told(sentence: &'static str) {
        *TOLD.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = sentence;
    }
}

#[cfg(not(feature = "ordered-panics"))]
mod seam {
    use super::Place;

    pub fn ordered(_: Place) -> bool {
        false
    }

    pub fn panicking<R>(work: impl FnOnce() -> R) -> R {
        work()
    }

    pub fn told(_: &'static str) {}
}
