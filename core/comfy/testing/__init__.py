"""Random weights in the shapes of the real networks, for runs of the real ComfyUI without a model.

Belongs here: files that only look like models. Never here: anything a real clip needs.
"""
