//! Dragging on X11, onto windows of every manner.

use super::screen::Screen;
use super::surface::{Fetches, INSIDE, Lies, Manners, OUTSIDE, Seen, Surface};
use crate::turn;
use cantus_drag::{Drag, DragState, DragWindow, OpenToDrops, start};
use raw_window_handle::{HandleError, HasWindowHandle, RawWindowHandle, WindowHandle, XlibWindowHandle};
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Names that a list of files must not stumble over.
const NAMES: [&str; 3] = ["Cantus Jazz 100bpm Am 3.wav", "Größe 100%, #1 \"live\" [é].mid", "plain.wav"];

/// What the hand does once the drag has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gesture {
    /// Lets go over the window.
    DropInside,
    /// Passes over the window and lets go over nothing.
    PassOver,
    /// Presses Escape over the window, and lets go there.
    Escape,
}

/// What must have come of it.
struct Outcome {
    state: Option<DragState>,
    seen: &'static [Seen],
    fetched: bool,
}

const TAKEN: Outcome =
    Outcome { state: Some(DragState::Dropped), seen: &[Seen::Enter, Seen::Position, Seen::Drop], fetched: true };
const GIVEN_UP: Outcome =
    Outcome { state: Some(DragState::Cancelled), seen: &[Seen::Enter, Seen::Position, Seen::Leave], fetched: false };
/// In words, as rows name them.
const FAILED: Outcome = Outcome { state: None, seen: &[], fetched: false };

struct Files {
    folder: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

fn files(count: usize) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = NAMES.iter().take(count).map(|name| folder.path().join(name)).collect();
    for path in &paths {
        fs::write(path, path.display().to_string()).unwrap();
    }
    Files { folder, paths }
}

/// Reads a list back as any other program would.
fn read_list(list: &str) -> Vec<PathBuf> {
    let decode = |uri: &str| {
        let text = uri.strip_prefix("file://").unwrap();
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes().iter();
        while let Some(&byte) = rest.next() {
            let code = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
            bytes.push(if byte == b'%' { code(&[*rest.next().unwrap(), *rest.next().unwrap()]) } else { byte });
        }
        PathBuf::from(String::from_utf8(bytes).unwrap())
    };
    assert!(list.ends_with("\r\n"));
    list.trim_end().split("\r\n").map(decode).collect()
}

/// Waits for the end; a drag that never ends fails here.
fn ended(drag: &Drag) -> DragState {
    let began = Instant::now();
    loop {
        match drag.poll() {
            DragState::Dragging => assert!(began.elapsed() < Duration::from_secs(40), "the drag never ends"),
            ended => return ended,
        }
        sleep(Duration::from_millis(5));
    }
}

fn drag_onto(
    screen: &Screen,
    manners: Manners,
    gesture: Gesture,
    files: &Files,
) -> (DragState, Vec<Seen>, Vec<String>) {
    let hand = screen.hand();
    let surface = Surface::open(&screen.name, manners);
    let own = Own(surface.editor);
    let stands_in = matches!(manners.lies, Lies::WithinHost | Lies::AroundEditor);
    let open = stands_in.then(|| OpenToDrops::of(DragWindow::of(&own).on_display(&screen.name)));
    sleep(Duration::from_millis(if stands_in { 300 } else { 0 }));
    hand.move_to(OUTSIDE);
    hand.press();
    let drag = start(DragWindow::none().on_display(&screen.name), &files.paths, "a label").unwrap();
    sleep(Duration::from_millis(60));
    hand.move_to(INSIDE);
    sleep(Duration::from_millis(60));
    match gesture {
        Gesture::DropInside => {}
        Gesture::PassOver => hand.move_to(OUTSIDE),
        Gesture::Escape => hand.press_escape(),
    }
    sleep(Duration::from_millis(60));
    hand.release();
    let state = ended(&drag);
    drop(drag);
    drop(open);
    sleep(Duration::from_millis(60));
    (state, surface.seen(), surface.files())
}

fn check_drag(screen: &Screen, name: &str, manners: Manners, gesture: Gesture, expected: &Outcome) {
    let files = files(2);
    let (state, seen, lists) = drag_onto(screen, manners, gesture, &files);
    match &expected.state {
        Some(expected) => assert_eq!(&state, expected, "{name}"),
        None => assert!(matches!(&state, DragState::Failed(why) if why.ends_with("Copy path.")), "{name}: {state:?}"),
    }
    if !expected.seen.is_empty() {
        assert_eq!(seen, expected.seen, "{name}");
    }
    assert_eq!(!lists.is_empty(), expected.fetched, "{name}: {lists:?}");
    for list in lists {
        let found = read_list(&list);
        assert_eq!(found, files.paths, "{name}");
        for path in found {
            assert_eq!(fs::read_to_string(&path).unwrap(), path.display().to_string(), "{name}: the file is whole");
        }
    }
    drop(files.folder);
}

#[test]
fn files_arrive_in_windows_of_every_manner() {
    let _turn = turn();
    let Some(screen) = Screen::open() else { return };
    let well = Manners::default();
    let millis = Duration::from_millis;
    let rows = [
        ("well-mannered", well),
        ("version 3", Manners { aware: Some(3), ..well }),
        ("in a frame", Manners { lies: Lies::Nested, ..well }),
        ("behind a proxy", Manners { lies: Lies::BehindProxy, ..well }),
        ("behind a proxy that went", Manners { lies: Lies::BehindDeadProxy, ..well }),
        ("an editor in a host's window", Manners { lies: Lies::WithinHost, ..well }),
        (
            "an editor that fetches while it is held",
            Manners { lies: Lies::WithinHost, fetches: Fetches::WhileHeld, ..well },
        ),
        ("a host's window around an editor", Manners { lies: Lies::AroundEditor, ..well }),
        ("answers late", Manners { answers_after: Some(millis(700)), ..well }),
        ("fetches late", Manners { fetches: Fetches::AfterDrop(millis(1_000)), ..well }),
        ("says it took nothing, as Qt does", Manners { finishes: Some(false), ..well }),
        ("never says that it has finished", Manners { finishes: None, ..well }),
        ("fetches while it is held", Manners { fetches: Fetches::WhileHeld, ..well }),
    ];
    for (name, manners) in rows {
        check_drag(&screen, name, manners, Gesture::DropInside, &TAKEN);
    }
}

#[test]
fn a_drag_that_is_not_wanted_ends_quietly() {
    let _turn = turn();
    let Some(screen) = Screen::open() else { return };
    let well = Manners::default();
    let unseen = Outcome { seen: &[], ..GIVEN_UP };
    let gone = Outcome { seen: &[Seen::Enter, Seen::Position], ..GIVEN_UP };
    let rows = [
        ("passed over", well, Gesture::PassOver, &GIVEN_UP),
        ("Escape", well, Gesture::Escape, &GIVEN_UP),
        ("refused", Manners { accepts: false, ..well }, Gesture::DropInside, &GIVEN_UP),
        (
            "an editor in a host's window, passed over",
            Manners { lies: Lies::WithinHost, ..well },
            Gesture::PassOver,
            &GIVEN_UP,
        ),
        ("takes no drops", Manners { aware: None, ..well }, Gesture::DropInside, &unseen),
        ("too old", Manners { aware: Some(2), ..well }, Gesture::DropInside, &unseen),
        ("goes under the pointer", Manners { vanishes_at: Some(Seen::Position), ..well }, Gesture::DropInside, &gone),
    ];
    for (name, manners, gesture, expected) in rows {
        check_drag(&screen, name, manners, gesture, expected);
    }
}

#[test]
fn a_drag_that_fails_says_what_to_do() {
    let _turn = turn();
    let Some(screen) = Screen::open() else { return };
    let well = Manners::default();
    let rows = [
        ("never answers", Manners { answers_after: None, ..well }),
        ("goes when it should fetch", Manners { vanishes_at: Some(Seen::Drop), ..well }),
        ("takes nothing", Manners { fetches: Fetches::Never, finishes: Some(false), ..well }),
    ];
    for (name, manners) in rows {
        check_drag(&screen, name, manners, Gesture::DropInside, &FAILED);
    }
}

/// A window as its toolkit shows it.
struct Own(u32);

impl HasWindowHandle for Own {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        let raw = RawWindowHandle::Xlib(XlibWindowHandle::new(self.0.into()));
        // SAFETY: a window's number on an X server points at nothing.
        Ok(unsafe { WindowHandle::borrow_raw(raw) })
    }
}

#[test]
fn a_drag_is_not_dropped_where_it_comes_from() {
    let _turn = turn();
    let files = files(1);
    let Some(screen) = Screen::open() else { return };
    let hand = screen.hand();
    let surface = Surface::open(&screen.name, Manners::default());
    hand.move_to(INSIDE);
    hand.press();
    let own = Own(surface.window);
    let drag = start(DragWindow::of(&own).on_display(&screen.name), &files.paths, "").unwrap();
    sleep(Duration::from_millis(100));
    hand.release();
    assert_eq!(ended(&drag), DragState::Cancelled);
    assert_eq!(surface.seen(), []);
}

/// Without what stands in for the editor, the host's window hears of drags, and the editor does not: the rows above can fail.
#[test]
fn an_editor_that_nobody_stands_in_for_gets_nothing() {
    let _turn = turn();
    let files = files(1);
    let Some(screen) = Screen::open() else { return };
    let hand = screen.hand();
    let surface = Surface::open(&screen.name, Manners { lies: Lies::WithinHost, ..Manners::default() });
    let own = Own(surface.window);
    let named = || screen.proxy_around(surface.window);
    let open = OpenToDrops::of(DragWindow::of(&own).on_display(&screen.name));
    sleep(Duration::from_millis(400));
    assert!(named().is_some(), "the host's window names the one that stands in");
    drop(open);
    assert_eq!((named(), threads()), (None, 0), "nothing is left in the host's window, and no thread");
    hand.move_to(INSIDE);
    hand.press();
    let drag = start(DragWindow::none().on_display(&screen.name), &files.paths, "").unwrap();
    sleep(Duration::from_millis(200));
    drop(drag);
    hand.release();
    assert_eq!(surface.seen(), []);
}

/// Threads of a drag in this process.
fn threads() -> usize {
    let names =
        fs::read_dir("/proc/self/task").unwrap().map(|task| fs::read_to_string(task.unwrap().path().join("comm")));
    names.filter(|name| name.as_ref().is_ok_and(|name| name.starts_with("cantus-dr"))).count()
}

#[test]
fn no_thread_outlives_the_window() {
    let _turn = turn();
    let files = files(1);
    let Some(screen) = Screen::open() else { return };
    let hand = screen.hand();
    let surface = Surface::open(&screen.name, Manners::default());
    hand.move_to(INSIDE);
    hand.press();
    let drag = start(DragWindow::none().on_display(&screen.name), &files.paths, "x").unwrap();
    sleep(Duration::from_millis(250));
    assert_eq!((drag.poll(), threads()), (DragState::Dragging, 1));
    // The button is still down, and the pointer over a window that would take the file.
    drop(drag);
    assert_eq!(threads(), 0);
    sleep(Duration::from_millis(100));
    assert_eq!(surface.seen(), [Seen::Enter, Seen::Position, Seen::Leave]);
    hand.release();
}

#[test]
fn a_second_drag_ends_the_first() {
    let _turn = turn();
    let files = files(1);
    let Some(screen) = Screen::open() else { return };
    let hand = screen.hand();
    hand.move_to(OUTSIDE);
    hand.press();
    let first = start(DragWindow::none().on_display(&screen.name), &files.paths, "first").unwrap();
    sleep(Duration::from_millis(100));
    let second = start(DragWindow::none().on_display(&screen.name), &files.paths, "second").unwrap();
    assert_eq!(ended(&first), DragState::Cancelled);
    assert_eq!(second.poll(), DragState::Dragging);
    hand.release();
    assert_eq!(ended(&second), DragState::Cancelled);
}

#[test]
fn what_cannot_be_dragged_is_refused_at_once() {
    let missing = start(DragWindow::none(), &[PathBuf::from("/nowhere/Cantus 1.wav")], "");
    assert!(missing.is_err_and(|why| why.contains("/nowhere/Cantus 1.wav")));
    assert!(start(DragWindow::none(), &[], "").is_err());
    let _turn = turn();
    let files = files(1);
    let lost = start(DragWindow::none().on_display(":29876"), &files.paths, "").unwrap();
    assert!(matches!(ended(&lost), DragState::Failed(why) if why.contains("X server")));
}
