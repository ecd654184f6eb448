"""A checkout of ComfyUI at its pin, with its Python packages and node packs.

Belongs here: git, pip and the marks that say what is installed. Never here: a running ComfyUI.
"""
