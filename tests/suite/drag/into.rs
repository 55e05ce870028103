//! Files that egui was told of, as the window asks for them.

use cantus_drag::{dropped, hovering};
use egui::{Context, DroppedFile, Event, HoveredFile, RawInput, pos2};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug)]
struct OnDisk(PathBuf);

impl DroppedFile for OnDisk {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("nobody should read it on the window's thread".into())
    }
}

/// One frame, with files held over the window and dropped on it.
fn frame(context: &Context, held: &[&str], let_go: &[&str]) -> (Option<(usize, bool)>, Option<Vec<PathBuf>>) {
    let input = RawInput {
        events: vec![Event::PointerMoved(pos2(30.0, 40.0))],
        hovered_files: held.iter().map(|path| HoveredFile { path: Some(path.into()), ..Default::default() }).collect(),
        dropped_files: let_go.iter().map(|path| Arc::new(OnDisk(path.into())) as _).collect(),
        ..RawInput::default()
    };
    let mut seen = (None, None);
    let mut output = context.run_ui(input, |ui| {
        let over = hovering(ui.ctx());
        let files = dropped(ui.ctx());
        for position in over.iter().map(|over| over.position).chain(files.iter().map(|files| files.position)) {
            assert_eq!(position, Some(pos2(30.0, 40.0)));
        }
        seen = (over.map(|over| (over.paths.len(), over.welcome)), files.map(|files| files.paths));
    });
    // Nothing is drawn here.
    output.textures_delta.clear();
    seen
}

#[test]
fn dropped_files_are_told_once_and_held_ones_as_long_as_they_are() {
    let context = Context::default();
    assert_eq!(frame(&context, &["/a/hum.WAV", "/a/notes.txt"], &[]), (Some((2, true)), None));
    assert_eq!(frame(&context, &["/a/notes.txt"], &[]), (Some((1, false)), None));
    let both = vec![PathBuf::from("/a/hum.wav"), PathBuf::from("/a/tune.mid")];
    assert_eq!(frame(&context, &[], &["/a/hum.wav", "/a/tune.mid"]), (None, Some(both)));
    assert_eq!(frame(&context, &[], &[]), (None, None));
}
