#!/usr/bin/env python3
"""Turns the ONNX graph inside the PyPI package basic-pitch 0.4.0 into safetensors, and writes reference tensors.

usage: export_basic_pitch.py WEIGHTS_OUT REFERENCE_OUT       needs: pip install basic-pitch==0.4.0 onnx onnxruntime safetensors numpy

The forward pass below (plain numpy) is the specification for a port; it is checked against onnxruntime before anything is written.
"""
import os, sys
import numpy as np, onnx, onnxruntime
from onnx import numpy_helper
from safetensors.numpy import save_file
import importlib.util

RATE, HOP, SAMPLES, OCTAVE, BINS, CONTOUR = 22050, 256, 43844, 36, 309, 264
SHIFTS = [-36, 0, 36, 57, 72, 84, 93, 101]     # bins of harmonics 1/2, 1, 2 ... 7 at 36 bins an octave
# name, shape [output, input, frames, bins], shape of the bias
LAYERS = {'contour.conv1': (8, 8, 3, 39), 'contour.conv2': (1, 8, 5, 5), 'note.conv1': (32, 1, 7, 7), 'note.conv2': (1, 32, 7, 3),
          'onset.conv1': (32, 8, 5, 5), 'onset.conv2': (1, 33, 3, 3)}

def weights(path):
    g = onnx.load(path).graph
    init = {i.name: numpy_helper.to_array(i) for i in g.initializer}
    w = {}
    for node in g.node:
        if node.op_type != 'Conv': continue
        k, b = init[node.input[1]], init[node.input[2]]
        name = next((n for n, s in LAYERS.items() if s == k.shape), None)
        if name: w[name + '.weight'], w[name + '.bias'] = k.copy(), b.copy()
        elif k.shape == (1, 1, 1, 256): w['cqt.lowpass'] = k.reshape(256).copy()
        elif k.shape == (OCTAVE, 1, 1, 256):
            # The first of the two in the graph is the negated imaginary part; only the magnitude of the pair is used.
            w.setdefault('cqt.sine', k.reshape(OCTAVE, 256).copy())
            if not np.array_equal(w['cqt.sine'], k.reshape(OCTAVE, 256)): w['cqt.cosine'] = k.reshape(OCTAVE, 256).copy()
    w['cqt.scale'] = next(v for v in init.values() if v.shape == (BINS, 1, 1)).reshape(BINS).copy()
    norm = {n: v for n, v in init.items() if 'batch_normalization/FusedBatchNormV3;' in n and v.shape == (1,)}
    uses = {n.op_type: next(norm[x] for x in n.input if x in norm) for n in g.node if any(x in norm for x in n.input)}
    w['norm.scale'], w['norm.bias'] = uses['Mul'].copy(), uses['Add'].copy()
    assert len(w) == 4 + 2 + 2 * len(LAYERS), sorted(w)
    return {k: np.ascontiguousarray(v, np.float32) for k, v in w.items()}

def conv(x, k, b, stride=1):
    """x [C,T,F], k [O,C,kt,kf], 'same' padding; a stride of 3 along F pads one bin less below"""
    O, C, kt, kf = k.shape; T, F = x.shape[1:]; out = (F + stride - 1) // stride
    total = max((out - 1) * stride + kf - F, 0); below = total // 2
    x = np.pad(x, ((0, 0), (kt // 2, kt // 2), (below, total - below)))
    y = np.zeros((O, T, out), np.float32) + b[:, None, None]
    for i in range(kt):
        for j in range(kf): y += np.tensordot(k[:, :, i, j], x[:, i:i + T, j:j + (out - 1) * stride + 1:stride], 1)
    return y

def cqt(w, audio):
    """[T,309] magnitudes: each octave one halving of the rate below the one above it, with the same kernels"""
    octaves = []; hop = HOP; x = audio.astype(np.float64)
    for level in range(9):
        p = np.pad(x, 128, mode='reflect'); n = (len(p) - 256) // hop + 1
        f = np.stack([p[t * hop:t * hop + 256] for t in range(n)])
        octaves.insert(0, (f @ w['cqt.cosine'].T) ** 2 + (f @ w['cqt.sine'].T) ** 2)
        x = np.convolve(np.pad(x, 127), w["cqt.lowpass"][::-1], "valid")[::2]; hop //= 2
    return np.concatenate(octaves, 1)[:, -BINS:] * w['cqt.scale'] ** 2

def forward(w, audio):
    power = cqt(w, audio); db = 10 * np.log10(power + 1e-10)
    db -= db.min(); top = db.max(); x = db / top if top else db * 0
    x = x * w['norm.scale'] + w['norm.bias']
    padded = np.pad(x, ((0, 0), (36, CONTOUR)))          # harmonics beyond either end are 0
    h = np.stack([padded[:, 36 + s:36 + s + CONTOUR] for s in SHIFTS]).astype(np.float32)   # [8,T,264]
    relu = lambda z: np.maximum(z, 0); sigmoid = lambda z: 1 / (1 + np.exp(-z))
    layer = lambda n, z, s=1: conv(z, w[n + '.weight'], w[n + '.bias'], s)
    contour = sigmoid(layer('contour.conv2', relu(layer('contour.conv1', h))))
    note = sigmoid(layer('note.conv2', relu(layer('note.conv1', contour, 3))))
    onset = sigmoid(layer('onset.conv2', np.concatenate([note, relu(layer('onset.conv1', h, 3))])))
    return dict(contour=contour[0], note=note[0], onset=onset[0])

def signal():
    """two seconds: a chord struck twice, a gliding voice above, a low note, a little noise; 16-bit"""
    r = np.random.default_rng(4); t = np.arange(SAMPLES) / RATE; y = np.zeros(SAMPLES)
    hz = lambda m: 440 * 2 ** ((m - 69) / 12)
    def tone(on, off, f, a, decay):
        ph = 2 * np.pi * np.cumsum(f * np.ones(SAMPLES)) / RATE; env = np.clip((t - on) / .008, 0, 1) * np.clip((off - t) / .03, 0, 1) * np.exp(-decay * np.maximum(t - on, 0))
        return a * env * sum(np.sin(k * ph) / k ** 1.2 for k in range(1, 9))
    for on in (.15, .8):
        for m in (48, 55, 64): y += tone(on, on + .55, hz(m), .12, 2)
    y += tone(.3, 1.7, hz(76 + 2 * np.clip((t - .9) / .1, 0, 1) + .3 * np.sin(2 * np.pi * 5.5 * t)), .1, 0) + tone(1.4, 1.9, hz(29), .2, 1)
    y += .002 * r.standard_normal(SAMPLES)
    return np.round(y / np.abs(y).max() * .7 * 32767).astype(np.int16)

def main(weights_out, reference_out):
    path = os.path.join(os.path.dirname(importlib.util.find_spec('basic_pitch').origin), 'saved_models/icassp_2022/nmp.onnx')
    w = weights(path); pcm = signal(); audio = (pcm / 32768).astype(np.float32)
    out = onnxruntime.InferenceSession(path).run(['StatefulPartitionedCall:1', 'StatefulPartitionedCall:2', 'StatefulPartitionedCall:0'], {'serving_default_input_2:0': audio[None, :, None]})
    want = dict(zip(('note', 'onset', 'contour'), (o[0] for o in out))); got = forward(w, audio)
    for k in want:
        worst = np.abs(want[k] - got[k]).max(); print(k, want[k].shape, 'largest', want[k].max(), 'differs by', worst); assert worst < 1e-4
    save_file(w, weights_out)
    # Every fourth frame is kept, so that the file stays small.
    save_file(dict(audio_i16=pcm, **{k: np.ascontiguousarray(v[::4]) for k, v in want.items()}), reference_out)

if __name__ == '__main__': main(*sys.argv[1:3])
