#!/usr/bin/env bash
# Files out of the editor and into it, in a foreign host and with foreign windows: qtractor's track view, and a GTK 3 window.
#
#   cargo build --package cantus-drag --example drag_probe
#   tests/validate/drag.sh [FAKE_SEQUENCER.so]
#
# Ends with 0 and "PASS …", with 1 and "FAIL …", or with 77 where a program is missing. qtractor wants the sequencer device of
# ALSA; on a kernel that has none, name a library that stands in for it. Nothing of the user's screen, home or JACK is touched.
set -u
here=$(cd "$(dirname "$0")" && pwd)
probe=$here/../../target/debug/examples/libdrag_probe.so
sequencer=${1:-}
work=$(mktemp -d "${TMPDIR:-/tmp}/cantus-drag.XXXXXX")
children=()
tidy_up() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null; done
  for child in "${children[@]}"; do wait "$child" 2>/dev/null; done
  [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap tidy_up EXIT
fail() { echo "FAIL $*"; tail -n 20 "$work"/*.log 2>/dev/null; exit 1; }
for program in Xvfb openbox xdotool xwininfo jackd qtractor; do
  command -v $program >/dev/null || { echo "SKIPPED: there is no $program"; exit 77; }
done
/usr/bin/python3 -c 'import gi; gi.require_version("Gtk", "3.0")' 2>/dev/null || { echo "SKIPPED: there is no GTK 3 for Python"; exit 77; }
[ -f "$probe" ] || { echo "SKIPPED: build the probe first"; exit 77; }
begun=$(date +%s)

# A screen of its own.
Xvfb -displayfd 7 -screen 0 1400x1000x24 -nolisten tcp 7>"$work/display" >"$work/xvfb.log" 2>&1 & children+=($!)
for _ in $(seq 100); do [ -s "$work/display" ] && break; sleep 0.1; done
[ -s "$work/display" ] || fail "Xvfb did not start"
export DISPLAY=:$(cat "$work/display") HOME=$work/home XDG_RUNTIME_DIR=$work/run LIBGL_ALWAYS_SOFTWARE=1
# The file manager of this screen.
mkdir -p "$work/bin"
printf '#!/bin/sh\necho "$1" >>"%s/opened.txt"\n' "$work" >"$work/bin/xdg-open"; chmod +x "$work/bin/xdg-open"
export PATH="$work/bin:$PATH" DBUS_SESSION_BUS_ADDRESS=unix:path=$work/nobody
export CANTUS_DRAG_LOG=$work/probe.log NO_AT_BRIDGE=1
mkdir -p "$HOME" "$work/run" "$work/song" "$work/files"; chmod 700 "$work/run"
openbox >"$work/openbox.log" 2>&1 & children+=($!)

# Half a second of sound each, with names as Cantus gives them.
first="$work/files/Cantus Jazz 100bpm Am 3.wav" second="$work/files/Größe 50% #2.wav"
/usr/bin/python3 - "$first" "$second" <<'P'
import math, struct, sys, wave
for file in sys.argv[1:]:
    with wave.open(file, "wb") as sound:
        sound.setparams((2, 2, 48000, 0, "NONE", ""))
        sound.writeframes(b"".join(struct.pack("<hh", *[int(9000 * math.sin(i / 17))] * 2) for i in range(24000)))
P
sum_before=$(cat "$first" "$second" | sha256sum)
export CANTUS_DRAG_FILES="$first:$second"
cp "$probe" "$work/probe.clap"

# The host.
export JACK_DEFAULT_SERVER=cantus$$ JACK_NO_START_SERVER=1
jackd -n "$JACK_DEFAULT_SERVER" --no-realtime -d dummy -r 48000 -p 1024 >"$work/jackd.log" 2>&1 & children+=($!)
sleep 2
cat >"$work/song/drag.qtr" <<Q
<!DOCTYPE qtractor-session>
<session version="0.9.31" name="drag">
 <properties><directory>$work/song</directory><sample-rate>48000</sample-rate><tempo>120</tempo><ticks-per-beat>960</ticks-per-beat><beats-per-bar>4</beats-per-bar><beat-divisor>2</beat-divisor></properties>
 <state><play-head>0</play-head></state>
 <devices><audio-engine><audio-bus mode="duplex" name="Master"><channels>2</channels><auto-connect>1</auto-connect></audio-bus></audio-engine><midi-engine/></devices>
 <tracks><track type="audio" name="Track 1">
  <properties><input-bus>Master</input-bus><output-bus>Master</output-bus></properties>
  <state><mute>0</mute><solo>0</solo><record>0</record><monitor>0</monitor><gain>1</gain><panning>0</panning></state>
  <view><height>96</height></view><clips/>
  <plugins><plugin type="CLAP"><filename>$work/probe.clap</filename><index>0</index><label>Cantus drag probe</label><activated>1</activated></plugin></plugins>
 </track></tracks>
</session>
Q
[ -n "$sequencer" ] && preload=LD_PRELOAD=$(realpath "$sequencer")
env ${preload:-} QT_QPA_PLATFORM=xcb qtractor "$work/song/drag.qtr" >"$work/qtractor.log" 2>&1 & host=$!; children+=($host)
named() { # named <pattern>: the window that is called so
  for _ in $(seq 80); do
    found=$(xdotool search --onlyvisible --name "$1" 2>/dev/null | tail -1)
    [ -n "$found" ] && { echo "$found"; return 0; }
    sleep 0.5
  done
  return 1
}
place() { # place <window>: its corner on the screen, in X and Y
  X=$(xwininfo -id "$1" | sed -n 's/.*Absolute upper-left X: *//p'); Y=$(xwininfo -id "$1" | sed -n 's/.*Absolute upper-left Y: *//p')
}
told() { # told <pattern>: waits until the probe has told it
  for _ in $(seq 60); do grep -qE "$1" "$CANTUS_DRAG_LOG" 2>/dev/null && return 0; sleep 0.25; done
  return 1
}
drag() { # drag <from x> <from y> <to x> <to y>
  xdotool mousemove "$1" "$2"; sleep 0.3; xdotool mousedown 1; sleep 0.3
  xdotool mousemove_relative 9 0; sleep 0.3
  for step in $(seq 20); do xdotool mousemove $(($1 + ($3 - $1) * step / 20)) $(($2 + ($4 - $2) * step / 20)); sleep 0.06; done
  sleep 1.2
}
song=$(named 'drag\.qtr') || fail "qtractor opened no window"
sleep 2
xdotool windowmove --sync "$song" 60 40; sleep 1
place "$song"; song_x=$X song_y=$Y
# A double click on the plugin in the track's list; a busy machine may take it for two.
for _ in $(seq 5); do
  xdotool mousemove $((X + 183)) $((Y + 182)) click --repeat 2 --delay 60 1
  told '^window opened' && break
done
editor=$(named '^Cantus drag probe - Track 1') || fail "the editor did not open"
sleep 2
xdotool windowmove --sync "$editor" 600 480; sleep 1
place "$editor"; x=$X y=$Y
# Where the probe's own window begins within the host's; qtractor has a bar of its own above it.
inner=$(xwininfo -tree -id "$editor" | grep -E '64[0-9]x42[0-9]\+' | tail -1 | sed -E 's/.*\+(-?[0-9]+)\+(-?[0-9]+)$/\1 \2/')
[ -n "$inner" ] && { x=${inner% *}; y=${inner#* }; }
kill -0 $host 2>/dev/null || fail "qtractor died"

# 1. From the editor onto the track.
drag $((x + 60)) $((y + 40)) $((song_x + 420)) $((song_y + 170)); xdotool mouseup 1
told '^drag Dropped' || fail "the track did not take the file"
sleep 1
xdotool windowactivate --sync "$song" key ctrl+s; sleep 2
grep -q '<clip' "$work/song/drag.qtr" || fail "the saved session has no clip"
grep -q 'Cantus Jazz 100bpm Am 3.wav' "$work/song/drag.qtr" || fail "the clip is not of the dragged file"
echo "ok: from the editor in qtractor onto its track view: a clip in the saved session"

# 2. From the editor onto a GTK window; both files, with everything in their names.
/usr/bin/python3 "$here/drop_window.py" "$second" >"$work/drop_window.txt" 2>"$work/drop_window.log" & children+=($!)
window=$(named '^drop window$') || fail "the GTK window did not open"
xdotool windowmove --sync "$window" 60 700; sleep 1
place "$window"; window_x=$X window_y=$Y
xdotool windowactivate --sync "$editor"; sleep 0.5
drag $((x + 300)) $((y + 40)) $((window_x + 70)) $((window_y + 100)); xdotool mouseup 1
for _ in $(seq 40); do [ "$(grep -c DROPPED "$work/drop_window.txt")" = 2 ] && break; sleep 0.25; done
/usr/bin/python3 - "$first" "$second" "$work/drop_window.txt" <<'P' || fail "the GTK window did not get both files: $(cat "$work/drop_window.txt")"
import pathlib, sys
got = [line.split()[1] for line in open(sys.argv[3]) if line.startswith("DROPPED")]
sys.exit(got != [pathlib.Path(file).as_uri() for file in sys.argv[1:3]])
P
echo "ok: from the editor onto a GTK 3 window: both files, by their names"

# 3. Escape calls it off, and the host does not notice.
: >"$CANTUS_DRAG_LOG"
drag $((x + 60)) $((y + 40)) $((window_x + 70)) $((window_y + 100)); xdotool key Escape; sleep 0.5; xdotool mouseup 1
told '^drag Cancelled' || fail "Escape did not call the drag off"
sleep 1
[ "$(grep -c DROPPED "$work/drop_window.txt")" = 2 ] || fail "a drag that was called off was dropped"
xwininfo -id "$editor" | grep -q IsViewable || fail "Escape closed the host's window"
echo "ok: Escape calls a drag off, and the host's window stays"

# 4. From the GTK window into the editor, embedded in the host.
drag $((window_x + 220)) $((window_y + 100)) $((x + 320)) $((y + 300)); xdotool mouseup 1
told '^dropped .*Größe 50% #2.wav.*Some\(\[3[12]' || fail "the editor embedded in the host did not get the file"
grep -q '^hover Some' "$CANTUS_DRAG_LOG" || fail "the editor did not notice what was held over it"
echo "ok: from a GTK 3 window into the editor embedded in qtractor"

# 5. The path on the clipboard, as another program reads it.
xdotool windowactivate --sync "$editor" mousemove $((x + 100)) $((y + 100)) click 1
told '^copied' || fail "Copy path was not pressed"
sleep 0.5
copied=$(/usr/bin/python3 - <<'P'
import gi
gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk
print(Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text() or "")
P
)
[ "$copied" = "$first" ] || fail "the clipboard holds: $copied"
echo "ok: Copy path, read by GTK"

# 6. Reveal: no file manager answers here, so the folder is opened; nothing dead stays with the host.
xdotool mousemove $((x + 300)) $((y + 100)) click 1
told '^reveal Ok' || fail "Reveal was not pressed"
for _ in $(seq 40); do [ -s "$work/opened.txt" ] && break; sleep 0.25; done
[ "$(cat "$work/opened.txt" 2>/dev/null)" = "$work/files" ] || fail "Reveal opened: $(cat "$work/opened.txt" 2>/dev/null)"
ps -o stat= --ppid "$host" | grep -q Z && fail "a dead child stays with the host"
echo "ok: Reveal, and no dead child stays with the host"

# 7. With the window closed the files are still there, whole.
xdotool windowclose "$editor"; sleep 1
kill -0 $host 2>/dev/null || fail "qtractor died with the editor's window"
[ "$(cat "$first" "$second" | sha256sum)" = "$sum_before" ] || fail "the files changed"
grep -E 'panic' "$work/qtractor.log" && fail "something panicked"
echo "PASS drag: qtractor and GTK 3, $(($(date +%s) - begun)) s"
