"""The editor's own file format, turned into the API format.

Here belongs what ComfyUI's editor does when it exports: subgraphs are opened, muted and bypassed
nodes left out, reroutes and primitives followed, widgets named by their order. It needs the node
classes of the ComfyUI that will run the graph. Nothing is judged here and nothing is run.
"""

from core.workflow.editor.conversion import convert
from core.workflow.editor.pack_classes import with_known_packs

__all__ = ["convert", "with_known_packs"]
