"""What the Python hosts share: the song's measures, its files, and the plugin's diary.

The song is at 100 BPM in 4/4 and 48 kHz, so that a beat is exactly 28800 frames. The hum lies on bars 2 to 9.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy

RATE = 48_000
BPM = 100.0
BEAT = 28_800
HUM_BEAT = 4
END_BEAT = 36
FRAMES = 40 * BEAT
PATIENCE_SECONDS = 240.0

BUNDLE = sys.argv[1]
FOLDER = Path(sys.argv[2])


def track():
    """The track as an array [channel, frame]: silence, the hum, silence."""
    return read("track.f32")


def read(name):
    """Interleaved stereo samples of a file in the folder, as [channel, frame]."""
    samples = numpy.fromfile(FOLDER / name, dtype="<f4")
    return numpy.ascontiguousarray(samples.reshape(-1, 2).T)


def write(name, audio):
    """Keeps what the host gave, as interleaved stereo samples."""
    stereo = numpy.asarray(audio, dtype="<f4")[:2]
    numpy.ascontiguousarray(stereo.T).tofile(FOLDER / name)


def diary():
    """Every event that the plugin noted so far."""
    path = os.environ.get("CANTUS_TRACE", "")
    if not path or not os.path.exists(path):
        return []
    lines = Path(path).read_text().splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]


def wait_for(kind, meanwhile=lambda: time.sleep(0.05), after=0):
    """Waits until the diary holds an event of a kind behind its first `after` events."""
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE_SECONDS:
        for event in diary()[after:]:
            if event["event"] in ("failed", "message") and event["event"] != kind:
                sys.exit(f"the plugin says: {event['message']}")
            if event["event"] == kind and event.get("ready", True):
                return event
        meanwhile()
    sys.exit(f"waited {PATIENCE_SECONDS:.0f} s for the plugin's \"{kind}\"")
