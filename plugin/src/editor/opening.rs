//! Thread: gui. Opening the window: how big, at which scale, and what wakes it.

use super::Window;
use super::preferences::SMALLEST;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{Editor, HostMethods, ParentWindowHandle, ResizeHint, SizeConstraints, SpawnedEditor};
use nice_plug::plugin::TrackInfo;
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, RepaintNotifier, create_egui_editor,
};
use std::error::Error;
use std::sync::Arc;

/// The editor that the plugin names: the framework's, which forgets the user's scale when the host asks how big the window will be.
pub struct CantusEditor {
    inner: EguiEditor<Window>,
    state: Arc<EguiEditorState>,
}

impl CantusEditor {
    pub(super) fn new(window: Window, notifier: RepaintNotifier) -> Option<Self> {
        let preferences = &window.kept.now;
        let (width, height) = preferences.size;
        let state = EguiEditorState::from_size(LogicalSize::new(width, height), preferences.zoom());
        let smallest = LogicalSize::new(SMALLEST.0, SMALLEST.1);
        let constraints = SizeConstraints::Logical { min_size: Some(smallest), max_size: None };
        let hint = ResizeHint { size_constraints: constraints, ..ResizeHint::RESIZABLE };
        let settings = EguiNiceSettings::new().with_tile("Cantus").with_resize_hint(hint);
        let inner = create_egui_editor(state.clone(), notifier, settings, window)?;
        Some(Self { inner, state })
    }
}

impl Editor for CantusEditor {
    type Handle = EguiEditorHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn Error>> {
        self.inner.spawn(parent, wait_for_parent, fallback_scale_factor, gui_context, host)
    }

    fn size(&self) -> NativeSize<u32> {
        let size = self.inner.size();
        let zoom = self.state.user_scale_factor();
        let scaled = |points: u32| (points as f32 * zoom).round() as u32;
        NativeSize::new(scaled(size.width), scaled(size.height))
    }

    fn resize_hint(&self) -> ResizeHint {
        self.inner.resize_hint()
    }

    fn track_info_updated(&self, info: TrackInfo) {
        self.inner.track_info_updated(info);
    }

    unsafe fn assume_standalone_in_process(&self) {
        // SAFETY: the caller's promise is passed on as it is.
        unsafe { self.inner.assume_standalone_in_process() };
    }
}
