"""Messages between the processes that work on the same rows."""
