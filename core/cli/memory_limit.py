"""Refuse to begin with less memory than Clapper needs.

Libraries that get none end the process with a line nobody understands, interrupt it as Ctrl-C does,
or wait for ever.
"""

from core.errors import SetupProblem

# Bytes at which a service of the draft executor works, over its idle 0.85 and 0.36 GB (VmPeak and
# VmData of Linux, Python 3.11, two cores); below a third of it modules cannot be loaded.
_LEAST = (("RLIMIT_AS", "ulimit -v", 1_000_000_000), ("RLIMIT_DATA", "ulimit -d", 500_000_000))


class MemoryLimited(SetupProblem):
    """A limit of the shell or the service manager leaves this process too little memory."""

    limit_bytes: int
    least_bytes: int
    option: str  # that sets the limit in a shell


def require_memory() -> None:
    """See that no limit on the memory of this process is below what Clapper needs.

    Raises:
        MemoryLimited: one is.
    """
    try:
        import resource  # of POSIX alone
    except ImportError:
        return
    for name, option, least in _LEAST:
        soft, _ = resource.getrlimit(getattr(resource, name))
        if soft != resource.RLIM_INFINITY and soft < least:
            raise MemoryLimited(soft, least, option)
