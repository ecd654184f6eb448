"""Make ComfyUI's steps faster without changing what they compute; one switch for all of it.

Each module here replaces a function of ComfyUI at start and asks the switch at every call, so both
ways can be compared in one process. Never in here: what costs picture quality.
"""
