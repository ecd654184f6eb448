"""The signals that ask a program to end."""

import signal

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last, a terminal that is closed, is of POSIX alone
ENDING_SIGNALS = tuple(one for one in signal.Signals if one.name in _NAMES)
