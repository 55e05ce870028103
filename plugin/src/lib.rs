//! Thread: any. The plugin shell: host, parameters, window and state around the engine. Wiring only.

mod clap_entry;
mod contained;
mod controls;
mod dirty;
/// The window, reachable for the tests that draw it without a host.
#[doc(hidden)]
pub mod editor;
mod params;
mod process;
mod state;
mod tasks;
mod vst3_entry;
mod wake;

use cantus_engine::generation::score::Role;
use cantus_engine::instance::{AudioEnds, Instance, Notice};
use cantus_engine::session::journal;
use cantus_engine::time::SampleRate;
use contained::{Place, contained};
use dirty::Dirty;
use nice_plug::prelude::*;
use params::CantusParams;
use process::Block;
use std::num::NonZeroU32;
use std::sync::Arc;
use tasks::Task;
use wake::Wake;

/// The plugin as the host sees it.
pub struct Cantus {
    params: Arc<CantusParams>,
    instance: Arc<Instance>,
    dirty: Arc<Dirty>,
    /// The ends the audio thread owns; `None` until the first activation, or when the system gave us no threads.
    ends: Option<AudioEnds>,
    /// What lives from one block to the next.
    block: Block,
    /// A block panicked: until the next activation the track passes through.
    fallen: bool,
    /// What wakes an open window.
    wake: Wake,
}

impl Default for Cantus {
    fn default() -> Self {
        let dirty = Arc::new(Dirty::of_new_instance());
        let wake = Wake::default();
        let notice = {
            let (dirty, window) = (dirty.clone(), wake.notifier());
            Arc::new(move |notice| {
                window.request_repaint();
                if notice == Notice::Dirty {
                    dirty.request();
                }
            })
        };
        let instance = Arc::new(Instance::new(notice));
        let params = Arc::new(CantusParams::new(instance.clone()));
        Self { params, instance, dirty, ends: None, block: Block::default(), fallen: false, wake }
    }
}

const MONO: NonZeroU32 = new_nonzero_u32(1);
const STEREO: NonZeroU32 = new_nonzero_u32(2);
const STEM_NAMES: [&str; Role::ALL.len()] = {
    let mut names = [""; Role::ALL.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = Role::ALL[place].title();
        place += 1;
    }
    names
};

/// Main and sidechain in, main and eight stems out. Hosts that cannot do that fall back to plain stereo or mono.
const LAYOUTS: &[AudioIOLayout] = &[
    AudioIOLayout {
        main_input_channels: Some(STEREO),
        main_output_channels: Some(STEREO),
        aux_input_ports: &[STEREO],
        aux_output_ports: &[STEREO; 8],
        names: PortNames {
            layout: Some("Stereo with stems"),
            aux_inputs: &["Sidechain"],
            aux_outputs: &STEM_NAMES,
            ..PortNames::const_default()
        },
    },
    AudioIOLayout {
        main_input_channels: Some(STEREO),
        main_output_channels: Some(STEREO),
        ..AudioIOLayout::const_default()
    },
    AudioIOLayout {
        main_input_channels: Some(MONO),
        main_output_channels: Some(MONO),
        ..AudioIOLayout::const_default()
    },
    // VST3 hosts may change how many channels a port has, but not how many ports there are.
    AudioIOLayout {
        main_input_channels: Some(MONO),
        main_output_channels: Some(MONO),
        aux_input_ports: &[STEREO],
        aux_output_ports: &[STEREO; 8],
        names: PortNames {
            layout: Some("Mono with stems"),
            aux_inputs: &["Sidechain"],
            aux_outputs: &STEM_NAMES,
            ..PortNames::const_default()
        },
    },
];

impl Plugin for Cantus {
    const NAME: &'static str = "Cantus";
    const VENDOR: &'static str = "Cantus";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = LAYOUTS;
    const MIDI_INPUT: MidiConfig = MidiConfig::Basic;
    const MIDI_OUTPUT: MidiConfig = MidiConfig::Basic;

    type Editor = editor::CantusEditor;
    type SysExMessage = ();
    type BackgroundTask = Task;

    fn task_executor(&mut self) -> TaskExecutor<Self> {
        tasks::executor(self.dirty.clone())
    }

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        self.dirty.connect(executor);
        let create =
            || editor::create(self.params.clone(), self.instance.clone(), self.dirty.clone(), self.wake.notifier());
        contained(Place::OpenWindow, Some(&self.instance), create).flatten()
    }

    /// Switches that give orders come back off, and the choice of a variation is the session's: opening a project orders nothing.
    fn filter_state(state: &mut PluginState) {
        for id in ["capture", "recall", "generate", "cancel"] {
            state.params.insert(id.to_owned(), nice_plug::plugin::ParamValue::Bool(false));
        }
        state.params.insert("active".to_owned(), nice_plug::plugin::ParamValue::I32(0));
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        let channels = layout.main_input_channels.map_or(2, NonZeroU32::get) as usize;
        // Hosts give whole rates; rounding only guards against 44099.99.
        let rate = SampleRate(config.sample_rate.round().max(1.0) as u32);
        let instance = self.instance.clone();
        let ends = contained(Place::Activate, Some(&instance), || {
            self.block.prepare(&self.params, config.process_mode, context.plugin_api());
            self.instance.stage_files(None);
            let ends = self.instance.activate(rate, channels, config.max_buffer_size as usize);
            let ends = ends.map(|mut ends| {
                // What the player of before left sounding at other instruments ends with the first block of the new one.
                if let Some(before) = &self.ends {
                    ends.player.inherit(&before.player);
                }
                ends
            });
            self.instance.keep_journal(journal::default_dir());
            self.instance.set_input_offset(self.params.input_offset());
            self.instance.set_auto_arm(self.params.auto_arm_order());
            self.instance.set_count_in(self.params.count_in.value().unsigned_abs());
            self.dirty.open();
            ends.inspect_err(|error| self.instance.tell(error.to_string())).ok()
        });
        // Without threads the track still passes its audio through.
        self.ends = ends.flatten();
        self.fallen = false;
        true
    }

    fn deactivate(&mut self) {
        contained(Place::Deactivate, Some(&self.instance), || self.dirty.close());
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let transport = context.transport();
        let (playing, rate) = (transport.playing, transport.sample_rate);
        self.wake.block(playing, buffer.as_slice_immutable().first().map_or(&[], |channel| &**channel), rate);
        let ends = self.ends.as_mut().filter(|_| !self.fallen);
        let work = || self.block.process(&self.params, ends, buffer, aux, context);
        if contained(Place::Process, Some(&self.instance), work).is_none() || self.fallen {
            self.fallen = true;
            let stems = aux.outputs.iter_mut().flat_map(|output| output.as_slice().iter_mut());
            stems.for_each(|samples| samples.fill(0.0));
        }
        // We listen also while the track is silent.
        ProcessStatus::KeepAlive
    }
}

impl ClapPlugin for Cantus {
    const CLAP_ID: &'static str = "audio.cantus.cantus";
    const CLAP_DESCRIPTION: Option<&'static str> = Some("Turns a hummed melody into a styled rendition, in sync");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::AudioEffect, ClapFeature::Analyzer, ClapFeature::Stereo, ClapFeature::Utility];

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        controls::declare(&self.params, context);
    }
}

impl Vst3Plugin for Cantus {
    const VST3_CLASS_ID: [u8; 16] = *b"CantusMelodyBand";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Fx, Vst3SubCategory::Generator, Vst3SubCategory::Tools];
}
