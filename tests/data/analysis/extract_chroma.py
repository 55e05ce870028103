#!/usr/bin/env python3
"""Keeps the chroma entries of the MusicGen-melody reference tensors, for the chroma parity test.

usage: extract_chroma.py REFERENCE.safetensors OUT.safetensors          needs: pip install safetensors numpy

REFERENCE is the `reference.safetensors` of the tiny MusicGen-melody fixtures, computed by Hugging Face transformers 5.23.0
(`MusicgenMelodyFeatureExtractor`) with the real chroma parameters. Kept entries:
chroma.{a,b}.wav_i16    signals at 32 kHz, x = i16 / 32768; b is shorter than one window
chroma.{a,b}.soft       normalised chroma before the argmax, [frames, 12]
chroma.{a,b}.onehot     one-hot of the argmax, [frames, 12]
chroma.filters          first 1200 of the 8193 columns of the filterbank, [12, 1200]
chroma.filters_colsum   sum over the twelve rows of every column
"""
import sys
from safetensors.numpy import load_file, save_file

names = ['filters', 'filters_colsum'] + [f'{s}.{e}' for s in 'ab' for e in ('wav_i16', 'soft', 'onehot')]
all_entries = load_file(sys.argv[1])
kept = {f'chroma.{name}': all_entries[f'chroma.{name}'] for name in names}
save_file(kept, sys.argv[2], metadata={'source': 'transformers 5.23.0 MusicgenMelodyFeatureExtractor'})
for name, value in kept.items(): print(name, value.dtype, value.shape)
