"""The Studio: the page in the browser, its API for programs, and the Hugging Face Space.

Belongs here: everything that names gradio or spaces, the look, and who may see which file over
HTTP. Never here: what a request costs, who is next, or how a clip is made.
"""
