//! Thread: gui. Dragging by AppKit, as macOS does it. Nobody has run this yet: it was only type-checked.

use crate::drag_out::{DragState, Progress};
use objc2::rc::Retained;
use objc2::runtime::{NSObject, NSObjectProtocol, ProtocolObject};
use objc2::{AnyThread, DefinedClass, MainThreadMarker, MainThreadOnly, define_class, msg_send};
use objc2_app_kit::{
    NSApplication, NSDragOperation, NSDraggingContext, NSDraggingItem, NSDraggingSession, NSDraggingSource, NSEvent,
    NSEventModifierFlags, NSEventType, NSView, NSWorkspace,
};
use objc2_foundation::{NSArray, NSPoint, NSRect, NSSize, NSString, NSURL};
use raw_window_handle::{RawWindowHandle, WindowHandle};
use std::path::PathBuf;
use std::sync::Arc;

/// Side of a file's picture, in points.
const PICTURE: f64 = 32.0;

define_class!(
    /// Hears how a drag ends.
    // SAFETY: NSObject has no rules for its subclasses, and this one has no Drop.
    #[unsafe(super(NSObject))]
    #[thread_kind = MainThreadOnly]
    #[name = "CantusDragSource"]
    #[ivars = Arc<Progress>]
    struct Source;

    // SAFETY: nothing of it is overridden.
    unsafe impl NSObjectProtocol for Source {}

    // SAFETY: the methods have the types that AppKit calls them with.
    unsafe impl NSDraggingSource for Source {
        #[unsafe(method(draggingSession:sourceOperationMaskForDraggingContext:))]
        fn operations(&self, _session: &NSDraggingSession, _context: NSDraggingContext) -> NSDragOperation {
            NSDragOperation::Copy
        }

        #[unsafe(method(draggingSession:endedAtPoint:operation:))]
        fn ended(&self, _session: &NSDraggingSession, _at: NSPoint, operation: NSDragOperation) {
            let taken = operation != NSDragOperation::None;
            self.ivars().set(if taken { DragState::Dropped } else { DragState::Cancelled });
        }
    }
);

impl Source {
    fn new(progress: Arc<Progress>, main: MainThreadMarker) -> Retained<Self> {
        let source = Self::alloc(main).set_ivars(progress);
        // SAFETY: the initialiser of NSObject takes nothing.
        unsafe { msg_send![super(source), init] }
    }
}

/// Begins a drag and returns; AppKit goes on with it. Must be called in the mouse event that begins it, on the main thread, where
/// baseview draws.
pub(crate) fn begin(window: WindowHandle<'_>, files: &[PathBuf], progress: Arc<Progress>) -> Result<(), String> {
    const NO_WINDOW: &str = "This window cannot begin a drag. Use Copy path.";
    let main = MainThreadMarker::new().ok_or("A drag must begin on the main thread. Use Copy path.")?;
    let RawWindowHandle::AppKit(handle) = window.as_raw() else { return Err(NO_WINDOW.into()) };
    // SAFETY: the handle is borrowed from a window that is open, and its view lives as long.
    let view: &NSView = unsafe { handle.ns_view.cast().as_ref() };
    let around = view.window().ok_or(NO_WINDOW)?;
    let pointer = around.mouseLocationOutsideOfEventStream();
    let within = view.convertPoint_fromView(pointer, None);
    let frame =
        NSRect::new(NSPoint::new(within.x - PICTURE / 2.0, within.y - PICTURE / 2.0), NSSize::new(PICTURE, PICTURE));
    let items: Vec<Retained<NSDraggingItem>> = files
        .iter()
        .map(|file| {
            let path = NSString::from_str(&file.to_string_lossy());
            let url = NSURL::fileURLWithPath_isDirectory(&path, false);
            let item =
                NSDraggingItem::initWithPasteboardWriter(NSDraggingItem::alloc(), &ProtocolObject::from_retained(url));
            let picture = NSWorkspace::sharedWorkspace().iconForFile(&path);
            // SAFETY: a picture is one of the kinds of content that are allowed.
            unsafe { item.setDraggingFrame_contents(frame, Some(&picture)) };
            item
        })
        .collect();
    let time = NSApplication::sharedApplication(main).currentEvent().map_or(0.0, |event| event.timestamp());
    let event = NSEvent::mouseEventWithType_location_modifierFlags_timestamp_windowNumber_context_eventNumber_clickCount_pressure(
        NSEventType::LeftMouseDragged,
        pointer,
        NSEventModifierFlags::empty(),
        time,
        around.windowNumber(),
        None,
        0,
        1,
        1.0,
    )
    .ok_or(NO_WINDOW)?;
    let source = ProtocolObject::from_retained(Source::new(progress, main));
    view.beginDraggingSessionWithItems_event_source(&NSArray::from_retained_slice(&items), &event, &source);
    Ok(())
}
