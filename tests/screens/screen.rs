//! Thread: any. One window without a display: its egui context, and pictures of it.

use super::raster::{Picture, Textures};
use cantus_engine::instance::Instance;
use cantus_engine::instance::view::View;
use cantus_plugin::editor::{Window, theme};
use egui::{Context, Event, Pos2, RawInput, Rect, vec2};
use nice_plug_egui::KeyCapture;
use std::sync::Arc;

/// Frames after which a layout has settled.
const SETTLED: usize = 4;

/// A window and everything egui needs to draw it.
pub struct Screen {
    /// The window itself.
    pub window: Window,
    /// Its context.
    pub context: Context,
    /// What it wanted of the keyboard in the last frame.
    pub keys: Option<KeyCapture>,
    textures: Textures,
    size: (f32, f32),
    scale: f32,
    time: f64,
}

impl Screen {
    /// A window of a size in points, at a scale, dark or light.
    pub fn new(instance: Arc<Instance>, size: (f32, f32), scale: f32, dark: bool) -> Self {
        let context = Context::default();
        theme::apply(&context, dark);
        // Nothing moves by itself, so that a picture does not depend on when it was taken.
        context.all_styles_mut(|style| style.animation_time = 0.0);
        context.set_zoom_factor(scale);
        let mut window = Window::alone(instance);
        (window.preferences().dark, window.preferences().scale) = (dark, (scale * 100.0) as u32);
        Self { window, context, keys: None, textures: Textures::default(), size, scale, time: 0.0 }
    }

    /// Draws one frame after some input; gives what egui wants painted.
    pub fn frame(&mut self, view: &View, events: Vec<Event>) -> egui::FullOutput {
        self.time += 1.0 / 30.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(self.size.0, self.size.1))),
            max_texture_side: Some(4096),
            time: Some(self.time),
            events,
            ..RawInput::default()
        };
        let Self { window, context, keys, .. } = self;
        let mut output = context.run_ui(input, |ui| *keys = Some(window.draw(ui, view)));
        self.textures.update(&mut output.textures_delta);
        output
    }

    /// A picture of the window as it shows a moment, once it has settled.
    pub fn picture(&mut self, view: &View) -> Picture {
        for _ in 0..SETTLED {
            self.frame(view, Vec::new());
        }
        let output = self.frame(view, Vec::new());
        let primitives = self.context.tessellate(output.shapes, output.pixels_per_point);
        let pixels = |points: f32| (points * self.scale).round() as usize;
        let background = theme::of_mode(self.context.global_style().visuals.dark_mode).background;
        let mut picture = Picture::filled(pixels(self.size.0), pixels(self.size.1), background);
        picture.paint(&primitives, &self.textures, output.pixels_per_point);
        picture
    }
}
