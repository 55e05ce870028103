//! What a host may call, and with what.

use super::Numbers;
use super::audio_thread::{self, Block, Sound};
use crate::draw::Draw;
use crate::mutate;
use crate::targets::answer;
use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_host::events::Pckn;
use clack_host::events::event_types::{ParamValueEvent, TransportEvent, TransportFlags};
use clack_host::events::io::EventBuffer;
use clack_host::events::{EventFlags, EventHeader};
use clack_host::prelude::{
    HostExtensions, HostHandlers, HostInfo, MainThreadHandler, PluginAudioConfiguration, PluginEntry, PluginInstance,
    SharedHandler, StoppedPluginAudioProcessor,
};
use clack_host::utils::{BeatTime, ClapId, SecondsTime};
use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A host without extensions: whatever the plugin asks it for, it has not.
pub struct Handlers;
pub struct Shared(Arc<AtomicBool>);
pub struct MainThread;

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl MainThreadHandler<'_> for MainThread {}

impl HostHandlers for Handlers {
    type Shared<'a> = Shared;
    type MainThread<'a> = MainThread;
    type AudioProcessor<'a> = ();

    fn declare_extensions(_: &mut HostExtensions<Self>, _: &Shared) {}
}

struct Running {
    blocks: Sender<Block>,
    done: Receiver<&'static str>,
    thread: JoinHandle<StoppedPluginAudioProcessor<Handlers>>,
    most_frames: usize,
    waiting: usize,
}

struct Instance {
    // The thread is joined before the plugin goes.
    running: Option<Running>,
    plugin: PluginInstance<Handlers>,
    callback: Arc<AtomicBool>,
    params: Vec<ClapId>,
    editor: bool,
    next: Next,
}

/// What the next block brings.
#[derive(Default)]
struct Next {
    params: Vec<(u32, ClapId, f64)>,
    notes: Vec<(u32, u16, u16, f64)>,
    ports: Option<(Vec<usize>, Vec<usize>)>,
    reset: bool,
}

/// The host and what it has open.
pub struct Host<'a> {
    entry: &'a PluginEntry,
    screen: Option<u32>,
    instances: Vec<Instance>,
    /// The instance that calls go to.
    at: usize,
    saved: Vec<Vec<u8>>,
    said: String,
    position: f64,
}

/// The longest a block, a stop or a goodbye may take.
const PATIENCE: Duration = Duration::from_secs(30);

const RATES: [f64; 8] = [44_100.0, 48_000.0, 96_000.0, 192_000.0, 8_000.0, 22_050.0, 44_099.99, 1.0];
const BLOCKS: [usize; 8] = [512, 1, 64, 480, 8_192, 2, 333, 4_096];
const VALUES: [f64; 16] = [
    0.0,
    1.0,
    0.5,
    -1.0,
    2.0,
    3.0,
    127.0,
    1e9,
    -1e300,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.999_999,
    1e-320,
    7.5,
    64.0,
];
const BEATS: [f64; 12] = [0.0, 4.0, 8.0, -4.0, 3.999_999, 1e5, 1e12, -1e15, f64::NAN, f64::INFINITY, 0.25, 64.5];
const TEMPOS: [f64; 12] = [120.0, 60.0, 140.0, 93.7, 0.0, -10.0, 1e-9, 1e300, f64::NAN, f64::INFINITY, 1_000.0, 0.5];

impl<'a> Host<'a> {
    pub fn new(entry: &'a PluginEntry, screen: Option<u32>) -> Self {
        let first = Instance::new(entry);
        Self { entry, screen, instances: vec![first], at: 0, saved: Vec::new(), said: String::new(), position: 0.0 }
    }

    pub fn said(self) -> u64 {
        answer(&self.said)
    }

    /// One call.
    pub fn call(&mut self, numbers: &mut Numbers<'_>) {
        let word = numbers.byte() % 20;
        let room = self.instances.len() < 4;
        let instance = &mut self.instances[self.at];
        match word {
            0 => instance.activate(numbers.of(&RATES), numbers.of(&BLOCKS)),
            1 => instance.deactivate(),
            2 => self.process(numbers),
            3 => instance.storm(numbers),
            4 => instance.flush(),
            5 => {
                let state = instance.save();
                self.said.push_str("saved ");
                self.saved.truncate(3);
                self.saved.insert(0, state);
                if numbers.byte() % 2 == 1 {
                    self.check_again();
                }
            }
            6 => {
                let kind = numbers.byte();
                let state = self.saved.get(usize::from(kind) % 4).cloned().unwrap_or_default();
                self.said.push_str(if instance.load(&state) { "loaded " } else { "not loaded " });
            }
            7 => {
                let mut draw = Draw::new(u64::from(numbers.byte()), u64::from(numbers.byte()));
                let state = self.saved.first().cloned().unwrap_or_default();
                let state = match draw.below(3) {
                    0 => mutate::bytes(&state, &[b"\"session\":\"", b"{\"f32\":1e999}"], &mut draw),
                    1 if state.len() > 8 => {
                        let text = mutate::json(&state[8..], &mut draw);
                        [&(text.len() as u64).to_le_bytes()[..], &text].concat()
                    }
                    _ => state[..draw.below(state.len() + 1)].to_vec(),
                };
                self.said.push_str(if instance.load(&state) { "took " } else { "refused " });
            }
            8 => {
                let opens = numbers.byte() % 2 == 0;
                if let Some(screen) = self.screen {
                    instance.window(screen, opens, numbers.byte());
                }
            }
            9 => instance.next.reset = true,
            10 => instance.pump(numbers.byte()),
            11 => instance.next.ports = Some(ports(numbers)),
            12 => {
                for _ in 0..numbers.byte() % 64 {
                    let note = (
                        numbers.of(&[0, 1, 63, 511, 100_000, u32::MAX]),
                        numbers.of(&[0, 1, 15, 16, 300]),
                        numbers.of(&[60, 0, 127, 128, 200, 5_000]),
                        numbers.of(&[1.0, 0.0, 0.5, -1.0, 1e9, f64::NAN]),
                    );
                    instance.next.notes.push(note);
                }
            }
            13 => instance.render_mode(numbers.byte() % 2 == 0),
            14 => {
                let at = self.at;
                self.instances[at] = Instance::new(self.entry);
            }
            15 if room => self.instances.push(Instance::new(self.entry)),
            15 => {
                self.instances.pop();
                self.at = 0;
            }
            16 => self.at = usize::from(numbers.byte()) % self.instances.len(),
            17 => instance.texts(numbers),
            18 => std::thread::sleep(Duration::from_millis(u64::from(numbers.byte() % 16))),
            _ => instance.questions(),
        }
        self.at = self.at.min(self.instances.len() - 1);
    }

    /// What is saved, loaded into another instance and saved again is the same.
    fn check_again(&mut self) {
        let Some(state) = self.saved.first().cloned() else { return };
        let mut other = Instance::new(self.entry);
        assert!(other.load(&state), "the plugin refuses what it saved");
        let first = other.save();
        let mut third = Instance::new(self.entry);
        assert!(third.load(&first), "the plugin refuses what it saved again");
        let text = |state: &[u8]| String::from_utf8_lossy(state.get(8..).unwrap_or_default()).into_owned();
        let (first, second) = (text(&first), text(&third.save()));
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("a state is JSON");
        assert_eq!(value(&first), value(&second), "opened and saved again, it is another project");
    }

    fn process(&mut self, numbers: &mut Numbers<'_>) {
        let (size, sound, count, kind) = (numbers.byte(), numbers.byte(), numbers.byte(), numbers.byte());
        let instance = &mut self.instances[self.at];
        let waits = kind % 4 != 3;
        for number in 0..1 + usize::from(count % 48) {
            let transport = transport(kind, number, &mut self.position);
            let Some(running) = instance.running.as_mut() else { return };
            let frames = match size % 6 {
                0 => running.most_frames,
                1 => 0,
                2 => 1,
                3 => running.most_frames / 2,
                4 => (number * 7 + 1) % (running.most_frames + 1),
                _ => usize::from(size).min(running.most_frames),
            };
            let sound = [Sound::Tone, Sound::Silence, Sound::Nonsense, Sound::Loud][usize::from(sound) % 4];
            let next = std::mem::take(&mut instance.next);
            let ports = next.ports.clone().unwrap_or_else(|| (vec![2, 2], vec![2; 9]));
            // Other ports stay until they are changed again.
            instance.next.ports = next.ports;
            let last = frames.saturating_sub(1) as u32;
            let params = next.params.into_iter().map(|(time, id, value)| (time.min(last), id, value)).collect();
            let block = Block { frames, sound, transport, params, notes: next.notes, ports, reset: next.reset };
            running.blocks.send(block).expect("the audio thread lives");
            running.waiting += 1;
            if waits || running.waiting > 8 {
                running.answer();
            }
            self.position += frames as f64 / 24_000.0;
        }
        if waits {
            self.said.push_str("processed ");
        }
    }
}

fn ports(numbers: &mut Numbers<'_>) -> (Vec<usize>, Vec<usize>) {
    match numbers.byte() % 8 {
        0 => (vec![2, 2], vec![2; 9]),
        1 => (vec![2], vec![2]),
        2 => (vec![1], vec![1]),
        3 => (vec![], vec![2]),
        4 => (vec![4], vec![18]),
        5 => (vec![2, 2], vec![]),
        6 => (vec![1, 2, 3, 4], vec![3; 12]),
        _ => (vec![0, 2], vec![0, 2, 1]),
    }
}

fn transport(kind: u8, number: usize, position: &mut f64) -> Option<TransportEvent> {
    let kind = usize::from(kind);
    if kind % 16 == 0 {
        return None;
    }
    if number == 0 && kind % 5 == 1 {
        *position = BEATS[kind / 5 % BEATS.len()];
    }
    let wild = kind > 128;
    let flags =
        if wild { TransportFlags::from_bits_truncate(kind as u32 * 37 + number as u32) } else { TransportFlags::all() };
    let beats = if wild { BEATS[(kind + number) % BEATS.len()] } else { *position };
    let bits = |value: f64, raw: bool| {
        if raw { BeatTime::from_bits(i64::MIN + number as i64) } else { BeatTime::from_float(value) }
    };
    Some(TransportEvent {
        header: EventHeader::new_core(0, EventFlags::empty()),
        flags,
        song_pos_beats: bits(beats, wild && number % 7 == 6),
        song_pos_seconds: SecondsTime::from_float(if wild { -beats } else { beats / 2.0 }),
        tempo: if wild || kind % 7 == 0 { TEMPOS[(kind / 3 + number) % TEMPOS.len()] } else { 120.0 },
        tempo_inc: if wild { f64::NAN } else { 0.0 },
        loop_start_beats: BeatTime::from_float(BEATS[kind / 2 % BEATS.len()]),
        loop_end_beats: BeatTime::from_float(BEATS[kind / 3 % BEATS.len()]),
        loop_start_seconds: SecondsTime::from_float(0.0),
        loop_end_seconds: SecondsTime::from_float(f64::from(kind as u32)),
        bar_start: BeatTime::from_float((beats / 4.0).floor() * 4.0),
        bar_number: if wild { i32::MIN } else { (beats / 4.0) as i32 },
        time_signature_numerator: if wild { [0, 1, 7, u16::MAX][number % 4] } else { 4 },
        time_signature_denominator: if wild { [0, 3, 8, u16::MAX][kind % 4] } else { 4 },
    })
}

impl Running {
    fn answer(&mut self) {
        while self.waiting > 0 {
            // A block that never ends, or an audio thread that ended by itself.
            self.done.recv_timeout(PATIENCE).expect("a block is processed");
            self.waiting -= 1;
        }
    }
}

impl Instance {
    fn new(entry: &PluginEntry) -> Self {
        let info = HostInfo::new("Cantus attack", "Cantus", "https://example.invalid", "1").unwrap();
        let callback = Arc::new(AtomicBool::new(false));
        let shared = callback.clone();
        let mut plugin = PluginInstance::new(|_| Shared(shared), |_| MainThread, entry, c"audio.cantus.cantus", &info)
            .expect("an instance");
        let handle = plugin.plugin_handle();
        let extension: PluginParams = handle.get_extension().expect("parameters");
        let mut buffer = ParamInfoBuffer::new();
        let ids = (0..extension.count(&handle))
            .filter_map(|index| Some(extension.get_info(&handle, index, &mut buffer)?.id))
            .collect();
        Self { running: None, plugin, callback, params: ids, editor: false, next: Next::default() }
    }

    fn activate(&mut self, sample_rate: f64, most_frames: usize) {
        if self.running.is_some() {
            return;
        }
        let configuration =
            PluginAudioConfiguration { sample_rate, min_frames_count: 1, max_frames_count: most_frames as u32 };
        let Ok(stopped) = self.plugin.activate(|_, _| (), configuration) else { return };
        let (blocks, to_do) = channel();
        let (told, done) = channel();
        let thread = std::thread::spawn(move || audio_thread::serve(stopped, &to_do, &told));
        self.running = Some(Running { blocks, done, thread, most_frames, waiting: 0 });
    }

    fn deactivate(&mut self) {
        let Some(Running { blocks, done, thread, .. }) = self.running.take() else { return };
        drop(blocks);
        let begun = Instant::now();
        while !thread.is_finished() {
            // What is left in the queue is processed first.
            let _ = done.recv_timeout(Duration::from_millis(2));
            self.pump(1);
            assert!(begun.elapsed() < PATIENCE, "the audio thread does not stop");
        }
        let stopped = thread.join().expect("the audio thread ended well");
        self.plugin.deactivate(stopped);
    }

    fn storm(&mut self, numbers: &mut Numbers<'_>) {
        let count = numbers.byte();
        let mut draw = Draw::new(u64::from(numbers.byte()), u64::from(numbers.byte()));
        for _ in 0..count {
            let id = if draw.once_in(40) {
                ClapId::new(draw.any() as u32 >> 1)
            } else {
                self.params[draw.below(self.params.len())]
            };
            let value =
                if draw.once_in(2) { VALUES[draw.below(VALUES.len())] } else { draw.below(1_000) as f64 / 10.0 };
            self.next.params.push((draw.below(9_000) as u32, id, value));
        }
        self.next.params.sort_by_key(|change| change.0);
    }

    fn flush(&mut self) {
        let extension: PluginParams = self.plugin.plugin_handle().get_extension().expect("parameters");
        let Some(mut plugin) = self.plugin.inactive_plugin_handle() else { return };
        let changes = std::mem::take(&mut self.next.params);
        let mut events = EventBuffer::with_capacity(changes.len());
        for (_, id, value) in changes {
            events.push(&ParamValueEvent::new(0, id, Pckn::match_all(), value));
        }
        extension.flush(&mut plugin, &events.as_input(), &mut EventBuffer::new().as_output());
    }

    fn save(&mut self) -> Vec<u8> {
        let handle = self.plugin.plugin_handle();
        let extension: PluginState = handle.get_extension().expect("a state");
        let mut bytes = Vec::new();
        extension.save(&handle, &mut bytes).expect("a state can be saved at any time");
        bytes
    }

    fn load(&mut self, state: &[u8]) -> bool {
        let handle = self.plugin.plugin_handle();
        let extension: PluginState = handle.get_extension().expect("a state");
        extension.load(&handle, &mut &state[..]).is_ok()
    }

    fn window(&mut self, screen: u32, opens: bool, size: u8) {
        let handle = self.plugin.plugin_handle();
        let Some(gui) = handle.get_extension::<PluginGui>() else { return };
        if !opens {
            if self.editor {
                gui.destroy(&handle);
                self.editor = false;
            }
            return;
        }
        if !self.editor {
            let configuration = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };
            if gui.create(&handle, configuration).is_err() {
                return;
            }
            self.editor = true;
            // SAFETY: the screen's own window lives as long as the server.
            let _ = unsafe { gui.set_parent(&handle, Window::from_x11_handle(screen.into())) };
            let _ = gui.show(&handle);
        }
        let (width, height) = (u32::from(size) * 9, u32::from(size) * 5);
        let _ = gui.set_size(&handle, GuiSize { width, height });
    }

    fn pump(&mut self, rounds: u8) {
        for _ in 0..rounds % 8 {
            if self.callback.swap(false, Ordering::AcqRel) {
                self.plugin.call_on_main_thread_callback();
            }
        }
    }

    fn render_mode(&mut self, offline: bool) {
        let handle = self.plugin.plugin_handle();
        if let Some(extension) = handle.get_extension::<PluginRender>() {
            let _ = extension.set(&handle, if offline { RenderMode::Offline } else { RenderMode::Realtime });
        }
    }

    fn texts(&mut self, numbers: &mut Numbers<'_>) {
        let handle = self.plugin.plugin_handle();
        let extension: PluginParams = handle.get_extension().expect("parameters");
        let id = self.params[usize::from(numbers.byte()) % self.params.len()];
        let mut buffer = [0; 64];
        let _ = extension.value_to_text(&handle, id, numbers.of(&VALUES), &mut buffer);
        let words = [
            "",
            "off",
            "-0",
            "1e999",
            "nan",
            "Loop region",
            "12 bars",
            "🎵",
            "999999999999999999999",
            "jazz",
            "5 dB",
            "-inf",
        ];
        let text = CString::new(words[usize::from(numbers.byte()) % words.len()]).unwrap();
        let _ = extension.text_to_value(&handle, id, &text);
        let _ = extension.get_value(&handle, ClapId::new(u32::from(numbers.byte())));
    }

    fn questions(&mut self) {
        let handle = self.plugin.plugin_handle();
        if let Some(latency) = handle.get_extension::<PluginLatency>() {
            assert_eq!(latency.get(&handle), 0);
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Some hosts forget the window.
        if self.editor && self.params.len() % 2 == 0 {
            let handle = self.plugin.plugin_handle();
            if let Some(gui) = handle.get_extension::<PluginGui>() {
                gui.destroy(&handle);
            }
        }
        if !std::thread::panicking() {
            self.deactivate();
        }
    }
}
