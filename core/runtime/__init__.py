"""Tasks, threads, clocks, wake-ups and progress events inside one process.

Belongs here: what asyncio and threading need. Never here: anything about videos.
"""
