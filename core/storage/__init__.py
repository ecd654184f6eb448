"""Rows: the database, its schema, and functions that read and change rows.

Belongs here: SQL, and only here. Functions take a connection and leave the transaction to their
caller, except the two small stores that own theirs (``outbox``, ``database``). Never here: when a
job may run, what it costs, or a word that a person reads.
"""
