"""ComfyUI graphs as data: loaded, checked, and filled with the values of one request.

Here belong templates, bindings, the node schema and the adoption of a user's own export. Nothing
here imports ComfyUI or torch, reads a model file's weights or talks to a front.
"""
