"""Tasks, threads, clocks and wake-ups inside one process.

Belongs here: what asyncio and threading need. Never here: anything about videos.
"""
