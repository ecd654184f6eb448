"""The page: its form, events and look.

Belongs here: Gradio components and what they call. Never here: rules about requests.
"""
