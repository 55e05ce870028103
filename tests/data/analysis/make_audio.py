#!/usr/bin/env python3
"""Makes the small sound files of this folder.

usage: make_audio.py MELODIES OUT          needs: pip install numpy scipy soundfile

MELODIES is the development melody set (X.flac with its ground truth X.json, made by its own generator, see README.md). Some of
its recordings are brought to 16 kHz, the real singer cut to 16 s and the flute to 2.7 s; of the truth the notes are kept as they are.
tone.{flac,mp3,ogg} are one second of A4 at -12 dBFS, 44.1 kHz stereo, the right channel 6 dB softer.
"""
import json, sys
import numpy as np, scipy.signal, soundfile

melodies, out = sys.argv[1:]
for name, seconds in [('dev_hum_01', None), ('dev_hum_14', None), ('dev_hum_35', None), ('real_vocadito_1', 16.0), ('dev_ins_00_flute', 2.7)]:
    audio, rate = soundfile.read(f'{melodies}/{name}.flac'); truth = json.load(open(f'{melodies}/{name}.json'))
    end = seconds or len(audio) / rate
    audio = scipy.signal.resample_poly(audio[:int(end * rate)], 160, 441)
    soundfile.write(f'{out}/{name}.flac', audio, 16000, subtype='PCM_16')
    notes = [{k: n[k] for k in ('onset', 'offset', 'midi', 'midi_nominal') if k in n} for n in truth['notes'] if n['offset'] <= end]
    json.dump({'kind': truth.get('kind'), 'tune': truth.get('tune'), 'notes': notes}, open(f'{out}/{name}.json', 'w'), separators=(',', ':'))
tone = 0.25 * np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
for kind in ('flac', 'mp3', 'ogg'): soundfile.write(f'{out}/tone.{kind}', np.stack([tone, tone / 2], 1), 44100)
