"""The plain HTTP interface for programs with a token, under ``/api/v1``.

Belongs here: its addresses, what is sent and answered, its messages to programs. Never here: the
page, and Gradio's endpoints.
"""
