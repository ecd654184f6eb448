"""Model files: which ones a family needs, and how they come to this machine unharmed.

Here belong the registry (:mod:`core.models.catalog`), the header check, the download into the hub
cache and the links into ComfyUI's folders. Nothing here loads weights, knows a graph or a front.
"""
