"""dawdreamer (VST3): offline rendering with tempo and a moving song, but no loop range.

Usage: dawdreamer_host.py Cantus.vst3 FOLDER
"""

import dawdreamer
import numpy
import song


def engine_with(name, sound):
    """A song at its tempo: a track with `sound`, and the plugin behind it."""
    engine = dawdreamer.RenderEngine(song.RATE, 512)
    engine.set_bpm(song.BPM)
    player = engine.make_playback_processor("track", sound)
    plugin = engine.make_plugin_processor(name, song.BUNDLE)
    engine.load_graph([(player, []), (plugin, ["track"])])
    return engine, player, plugin


def numbers(plugin):
    """Parameter numbers by the name a user reads."""
    return {entry["name"]: entry["index"] for entry in plugin.get_parameters_description()}


def choose(plugin, name, text):
    """Sets a choice by the text it shows."""
    index = numbers(plugin)[name]
    for step in range(513):
        plugin.set_parameter(index, step / 512)
        if plugin.get_parameter_text(index).strip().lower().startswith(text.lower()):
            return
    raise SystemExit(f"{name} never shows {text}")


def render(engine, frames):
    """Plays from the song's beginning."""
    engine.render(frames / song.RATE)
    return engine.get_audio()


def main():
    engine, player, plugin = engine_with("first", song.track())
    number = numbers(plugin)
    choose(plugin, "Capture mode", "Next bars")
    choose(plugin, "Capture bars", "8")
    choose(plugin, "Style", "jazz")
    render(engine, 2 * song.BEAT)
    # On from the middle of bar 1: the next eight bars are those of the hum.
    switch = numpy.zeros(song.FRAMES, dtype=numpy.float32)
    switch[2 * song.BEAT :] = 1.0
    plugin.set_automation(number["Capture"], switch)
    render(engine, song.FRAMES)
    heard = song.wait_for("analysis")
    plugin.set_automation(number["Capture"], numpy.ones(song.FRAMES, dtype=numpy.float32))
    plugin.set_parameter(number["Generate"], 1.0)
    render(engine, song.BEAT)
    song.wait_for("rendition")
    song.wait_for("playing")
    playback = render(engine, song.FRAMES)
    song.write("playback.f32", playback)
    plugin.save_state(str(song.FOLDER / "project"))

    player.set_data(numpy.zeros((2, song.FRAMES), dtype=numpy.float32))
    events = len(song.diary())
    engine, player, plugin = engine_with("second", song.track())
    plugin.load_state(str(song.FOLDER / "project"))
    render(engine, song.BEAT)
    song.wait_for("playing", after=events)
    song.write("reopened.f32", render(engine, song.FRAMES))
    print(f"{heard['notes']} notes, {len(number)} parameters")


main()
