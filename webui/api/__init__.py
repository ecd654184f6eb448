"""The Studio for programs: endpoints, schemas, MCP tools.

Belongs here: what programs send and get. Never here: the page.
"""
