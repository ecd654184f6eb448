"""Node classes of our own, registered in the process beside ComfyUI's.

What a graph needs and the pinned ComfyUI does not have. Taking frames out and putting latents in is
:mod:`core.comfy.output_node`; what changes no result is :mod:`core.comfy.acceleration`.
"""
