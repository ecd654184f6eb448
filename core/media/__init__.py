"""Files in and out: admitting what people send, finishing what executors make.

Belongs here: formats, limits, decoding in a child process, muxing, posters, provenance.
Never here: who sent it, what it costs, where it goes.
"""
