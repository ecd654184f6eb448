"""ComfyUI as a library: where it lies, how it starts, and the executor that runs a job in it.

The only package that imports torch or ComfyUI, and it imports them late: importing this package
costs nothing and works without either. Never in here: which nodes a graph has (``core.workflow``),
which model files exist (``core.models``), and anything a requester reads.
"""
