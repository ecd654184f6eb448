"""``clapper setup``: ask for what a service needs, and write the file of settings."""
