"""pedalboard (VST3): a host that tells no transport at all. The take is free; the rendition is auditioned in a loop.

Usage: pedalboard_host.py Cantus.vst3 FOLDER
"""

import time

import numpy
import pedalboard
import song

BLOCK = 512


def run(plugin, audio):
    """Lets audio pass in blocks, as one stream."""
    return plugin.process(audio, song.RATE, buffer_size=BLOCK, reset=False)


def silence(frames):
    return numpy.zeros((2, frames), dtype=numpy.float32)


def set_switch(plugin, name, on):
    """Turns a switch, which the plugin sees with its next block."""
    plugin.parameters[name].raw_value = 1.0 if on else 0.0
    run(plugin, silence(BLOCK))


def choose(plugin, name, text):
    """Sets a choice by the text it shows."""
    parameter = plugin.parameters[name]
    for step in range(513):
        if parameter.get_text_for_raw_value(step / 512).strip().lower().startswith(text.lower()):
            parameter.raw_value = step / 512
            return
    raise SystemExit(f"{name} never shows {text}")


def idle(plugin):
    """Time passes as it would on a stage: a little sound, a little wait."""
    run(plugin, silence(BLOCK))
    time.sleep(0.01)


def audition(plugin, frames):
    """Auditions the rendition from its beginning."""
    set_switch(plugin, "audition", False)
    run(plugin, silence(8 * BLOCK))
    set_switch(plugin, "audition", True)
    return run(plugin, silence(frames))


def main():
    plugin = pedalboard.load_plugin(song.BUNDLE)
    choose(plugin, "capture_mode", "Free")
    choose(plugin, "style", "jazz")
    run(plugin, silence(64 * BLOCK))
    set_switch(plugin, "capture", True)
    run(plugin, song.track()[:, : song.END_BEAT * song.BEAT])
    set_switch(plugin, "capture", False)
    heard = song.wait_for("analysis", lambda: idle(plugin))
    set_switch(plugin, "generate", True)
    song.wait_for("rendition", lambda: idle(plugin))
    song.wait_for("playing", lambda: idle(plugin))
    frames = 20 * song.BEAT
    song.write("playback.f32", audition(plugin, frames))
    (song.FOLDER / "project").write_bytes(plugin.raw_state)

    events = len(song.diary())
    second = pedalboard.load_plugin(song.BUNDLE)
    second.raw_state = (song.FOLDER / "project").read_bytes()
    run(second, silence(BLOCK))
    song.wait_for("playing", lambda: idle(second), after=events)
    song.write("reopened.f32", audition(second, frames))
    print(f"{heard['notes']} notes, {len(plugin.parameters)} parameters, no transport")


main()
