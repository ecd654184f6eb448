"""Between the processes that work on the same rows: messages, and who of them may do what."""
