"""Jobs, clips and errors as the page and the API show them.

Belongs here: HTML and JSON of records. Never here: a query.
"""
