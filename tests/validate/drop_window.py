#!/usr/bin/python3
"""A GTK 3 window that takes and gives files by drag and drop: what Cantus did not write.

Prints "DROPPED <uri>" for each file that is dropped on its left half. Its right half is a source of the files named on the
command line. Wants Debian's own Python with python3-gi and gir1.2-gtk-3.0.
"""
import pathlib
import sys

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

uris = [pathlib.Path(file).absolute().as_uri() for file in sys.argv[1:]]
window = Gtk.Window(title="drop window")
window.set_default_size(300, 200)
halves = Gtk.Box(homogeneous=True)
window.add(halves)

takes = Gtk.EventBox()
takes.add(Gtk.Label(label="drop here"))
takes.drag_dest_set(Gtk.DestDefaults.ALL, [], Gdk.DragAction.COPY)
takes.drag_dest_add_uri_targets()


def took(_widget, _context, _x, _y, data, _info, _time):
    for uri in data.get_uris():
        print("DROPPED", uri, flush=True)


takes.connect("drag-data-received", took)
halves.add(takes)

gives = Gtk.EventBox()
gives.add(Gtk.Label(label="drag me"))
gives.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
gives.drag_source_add_uri_targets()
gives.connect("drag-data-get", lambda _widget, _context, data, _info, _time: data.set_uris(uris))
gives.connect("drag-end", lambda _widget, _context: print("GAVE", flush=True))
halves.add(gives)

window.connect("destroy", Gtk.main_quit)
GLib.timeout_add_seconds(180, Gtk.main_quit)
window.show_all()
print("READY", flush=True)
Gtk.main()
