//! Whole pieces: seeds, variations, continuation, windows, cancelling. What a step may draw is checked against a full forward pass.

use super::parity::signal;
use super::{TINY, tiny};
use cantus_engine::Error;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::musicgen::conditioning::MelodySource;
use cantus_engine::generation::musicgen::{AudioRequest, Melody, MusicGen, Precision, Sampling};
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::time::{SampleRate, Seconds};
use std::ops::Range;
use std::sync::{Arc, Mutex};

const TEXT: &str = "dark techno kick";

fn load(name: &str) -> MusicGen {
    MusicGen::load(&tiny(name), Precision::F32, &JobContext::detached()).unwrap().0
}

fn request(seconds: f64) -> AudioRequest {
    AudioRequest {
        text: TEXT.into(),
        melody: Melody::Wave(signal("a")),
        seconds: Seconds(seconds),
        seed: 1,
        sampling: Sampling::default(),
        continue_from: None,
    }
}

fn greedy() -> Sampling {
    Sampling { temperature: 0.0, ..Sampling::default() }
}

fn generate(model: &MusicGen, request: &AudioRequest) -> AudioBuffer {
    model.generate(request, &JobContext::detached(), &mut |_| ()).unwrap()
}

/// In a window of a greedy piece, every code from `start` on is the likeliest by one full pass over the window.
fn codes_off(model: &MusicGen, codes: &[Vec<u32>], window: Range<usize>, start: usize, melody: &Melody) -> usize {
    let context = JobContext::detached();
    let codes: Vec<Vec<u32>> = codes.iter().map(|codes| codes[window.clone()].to_vec()).collect();
    let (pattern, frames) = (model.pattern(), window.len());
    let columns: Vec<Vec<u32>> = (0..pattern.columns(frames)).map(|at| pattern.lay_out(&codes, at, frames)).collect();
    let prefix = model.prefix(TEXT, melody, &context).unwrap();
    let logits = model.logits(&prefix, &columns, usize::MAX, &context).unwrap().guided(3.0).unwrap();
    let logits = logits.to_vec3::<f32>().unwrap();
    let mut off = 0;
    for (codebook, codes) in codes.iter().enumerate() {
        for (frame, &code) in codes.iter().enumerate().skip(start - window.start) {
            let logits = &logits[codebook][pattern.column(codebook, frame) - 1];
            let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            // Two logits nearer than rounding may change places.
            off += usize::from(best - logits[code as usize] > 1e-4);
        }
    }
    off
}

#[test]
fn a_request_gives_the_same_music_again() {
    for name in TINY {
        let model = load(name);
        let first = generate(&model, &request(1.0));
        assert_eq!((first.rate, first.frames()), (SampleRate(32_000), 32_000));
        assert_eq!(first.channels.len(), model.channels());
        // The second time its prefix is kept from the first; another model has to compute it.
        assert_eq!(generate(&model, &request(1.0)), first);
        assert_eq!(generate(&load(name), &request(1.0)), first);
        assert_ne!(generate(&model, &AudioRequest { seed: 2, ..request(1.0) }), first);
        assert_ne!(generate(&model, &AudioRequest { text: "solo violin".into(), ..request(1.0) }), first);
        assert_ne!(generate(&model, &AudioRequest { melody: Melody::None, ..request(1.0) }), first);
    }
}

#[test]
fn variations_are_what_their_seeds_give() {
    for name in TINY {
        let model = load(name);
        let seeds = [5, 9, 12];
        let mut pieces = vec![vec![Vec::<f32>::new(); model.channels()]; seeds.len()];
        let all = model
            .generate_variations(&request(0.6), &seeds, &JobContext::detached(), &mut |number, piece| {
                pieces[number].iter_mut().zip(&piece.channels).for_each(|(all, new)| all.extend(new));
            })
            .unwrap();
        for (number, &seed) in seeds.iter().enumerate() {
            let alone = generate(&model, &AudioRequest { seed, ..request(0.6) });
            assert_eq!(all[number], alone, "{name}, seed {seed}");
            assert_eq!(pieces[number], alone.channels);
        }
    }
}

#[test]
fn a_piece_goes_on_from_a_recording() {
    for name in TINY {
        let model = load(name);
        let context = JobContext::detached();
        let recording =
            AudioBuffer { rate: SampleRate(32_000), channels: vec![signal("a").channels[0][..13_000].to_vec()] };
        let known = 13_000 / 640;
        let request = AudioRequest { continue_from: Some(recording.clone()), sampling: greedy(), ..request(1.0) };
        let codes = model.generate_codes(&request, &context).unwrap();
        let encoded = model.codec().encode(&recording.channels[0][..known * 640], &context).unwrap();
        for (codebook, codes) in codes.iter().enumerate() {
            assert_eq!(
                codes[..known],
                encoded[codebook / model.channels()],
                "{name}: the beginning is not the recording"
            );
            assert_eq!(codes.len(), 50);
        }
        assert_eq!(codes_off(&model, &codes, 0..50, known, &request.melody), 0, "{name}");
        assert!(codes_off(&model, &codes, 0..50, known, &Melody::None) > 0, "{name}: the melody makes no difference");
        assert_eq!(generate(&model, &request).frames(), 32_000);
        // What is too long to be continued.
        let short = AudioRequest { seconds: Seconds(0.3), ..request };
        assert!(matches!(model.generate_codes(&short, &context), Err(Error::OutOfRange { .. })));
    }
}

#[test]
fn long_pieces_are_made_in_windows() {
    let model = load("mono");
    let context = JobContext::detached();
    let request = AudioRequest { sampling: greedy(), ..request(32.0) };
    let codes = model.generate_codes(&request, &context).unwrap();
    assert!(codes.iter().all(|codes| codes.len() == 1600));
    let heard = |start: f64| {
        let audio = signal("a");
        let melody = MelodySource::Audio(&audio).window(Seconds(start), &context).unwrap();
        Melody::Frames(melody.fitted(235))
    };
    assert_eq!(codes_off(&model, &codes, 0..1500, 0, &heard(0.0)), 0, "the first window");
    assert_eq!(codes_off(&model, &codes, 900..1600, 1500, &heard(18.0)), 0, "the second window");
    assert!(codes_off(&model, &codes, 900..1600, 1500, &heard(0.0)) > 0, "the melody has not moved on");
    assert!(codes_off(&model, &codes, 0..1600, 1500, &heard(0.0)) > 0, "there is only one window");
}

#[test]
fn frames_of_a_melody_move_on_with_the_windows() {
    let model = load("mono");
    let context = JobContext::detached();
    // 64 frames, so that 18 s, which are 140.6 frames, begin at frame 13.
    let frames: Vec<[f32; 12]> = (0..64).map(|at| std::array::from_fn(|class| f32::from(class == at % 12))).collect();
    let request = AudioRequest { melody: Melody::Frames(frames.clone()), sampling: greedy(), ..request(31.0) };
    let codes = model.generate_codes(&request, &context).unwrap();
    let moved = (0..235).map(|at| frames[(141 + at) % 64]).collect();
    assert_eq!(codes_off(&model, &codes, 900..1550, 1500, &Melody::Frames(moved)), 0);
}

#[test]
fn a_cancelled_piece_leaves_its_beginning() {
    for name in TINY {
        let model = load(name);
        let whole = generate(&model, &request(4.0));
        let token = CancelToken::default();
        let context = JobContext::new(token.clone(), Arc::new(|_| ()));
        let mut pieces = vec![Vec::<f32>::new(); model.channels()];
        let outcome = model.generate(&request(4.0), &context, &mut |piece| {
            pieces.iter_mut().zip(&piece.channels).for_each(|(all, new)| all.extend(new));
            if pieces[0].len() > 30_000 {
                token.cancel();
            }
        });
        assert_eq!(outcome, Err(Error::Cancelled));
        let heard = pieces[0].len();
        assert!(heard > 30_000 && heard < 64_000, "{heard} samples came");
        for (piece, whole) in pieces.iter().zip(&whole.channels) {
            assert_eq!(piece[..], whole[..heard], "{name}");
        }
        assert_eq!(generate(&model, &request(4.0)), whole, "a cancel spoils nothing");
    }
}

#[test]
fn progress_goes_up_to_the_end() {
    let model = load("mono");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = heard.clone();
    let context =
        JobContext::new(CancelToken::default(), Arc::new(move |progress| sink.lock().unwrap().push(progress.fraction)));
    model.generate_variations(&request(1.0), &[1, 2, 3], &context, &mut |_, _| ()).unwrap();
    let heard = heard.lock().unwrap();
    assert!(heard.len() > 50 && heard.is_sorted() && heard[0] == 0.0 && heard.last() == Some(&1.0), "{heard:?}");
}

#[test]
fn conditions_may_be_absent_or_strange() {
    let model = load("stereo");
    let strange = vec![[f32::NAN, f32::INFINITY, -1.0, 1e30, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]; 3];
    let silence = AudioBuffer::silent(SampleRate(44_100), 2, 44_100);
    let mut noise = silence.clone();
    noise.channels[1].iter_mut().enumerate().for_each(|(at, sample)| *sample = f32::NAN * (at % 2) as f32);
    let melodies = [
        Melody::None,
        Melody::Frames(Vec::new()),
        Melody::Wave(silence),
        Melody::Wave(noise),
        Melody::Wave(AudioBuffer::mono(SampleRate(8_000), Vec::new())),
        Melody::Frames(strange),
    ];
    let base = request(0.2);
    let mut results = Vec::new();
    for melody in melodies {
        for text in ["", "   ", "ünïcödé 🎹", &"very ".repeat(60)] {
            for cfg_coef in [1.0, 3.0] {
                let sampling = Sampling { cfg_coef, ..base.sampling };
                let request = AudioRequest { text: text.into(), melody: melody.clone(), sampling, ..base.clone() };
                let outcome = model.generate(&request, &JobContext::detached(), &mut |_| ());
                if let Ok(audio) = &outcome {
                    assert!(audio.channels.iter().flatten().all(|sample| sample.is_finite()));
                } else {
                    assert!(matches!(outcome, Err(Error::Model { .. })), "{outcome:?}");
                }
                results.push(outcome);
            }
        }
    }
    assert_eq!(results[0], results[8], "no frames are no melody");
    assert_eq!(results[0], results[16], "silence is no melody");
}

#[test]
fn impossible_requests_are_refused() {
    let model = load("mono");
    let sampling = |change: fn(&mut Sampling)| {
        let mut request = request(1.0);
        change(&mut request.sampling);
        request
    };
    let requests = [
        request(0.0),
        request(-1.0),
        request(0.001),
        request(f64::NAN),
        request(f64::INFINITY),
        request(1e9),
        sampling(|sampling| sampling.temperature = f32::NAN),
        sampling(|sampling| sampling.temperature = -1.0),
        sampling(|sampling| sampling.top_p = 2.0),
        sampling(|sampling| sampling.cfg_coef = f32::INFINITY),
    ];
    for request in requests {
        let outcome = model.generate(&request, &JobContext::detached(), &mut |_| ());
        assert!(matches!(outcome, Err(Error::OutOfRange { .. })), "{request:?}: {outcome:?}");
    }
}
