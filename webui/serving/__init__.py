"""How the page reaches a browser: in the reader's language, compressed, with an early first paint.

Belongs here: layers around Gradio's application. Never here: what the page contains.
"""
