"""Nodes that only the editor knows: its export leaves them out."""

import re

PRIMITIVE = "PrimitiveNode"  # gives a typed value to the widgets that it is wired to
SETTERS = {"SetNode", "easy setNode"}  # give a name to what they take, and hand it on
GETTERS = {"GetNode", "easy getNode"}
REROUTES = {"Reroute", "Reroute (rgthree)"}
PASSING = {*REROUTES, *SETTERS}
# What only the editor shows or does: notes, and nodes that mute, bypass or give to others.
_SHOWN = re.compile(
    r"Note$|^Label|^Bookmark|^(Fast (Groups )?|Random )(Un)?(Muter|Bypasser)|Everywhere"
    r"|(Relay|Repeater) \(rgthree"
)


def runs(kind: str) -> bool:
    """Tell whether nodes of the class ``kind`` are ComfyUI's, and in the export."""
    return kind not in {*PASSING, *GETTERS, PRIMITIVE} and not _SHOWN.search(kind)


def has_no_sockets(kind: str) -> bool:
    """Tell whether a group node shows nothing of nodes of the class ``kind``."""
    return not runs(kind) and kind not in {*REROUTES, PRIMITIVE}
