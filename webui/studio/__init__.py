"""What page and API share: submitting, acting on jobs, files of clips.

Belongs here: the way from a web request to core. Never here: Gradio components.
"""
