"""What the system answers a program whose bytes have no room on a disk."""

import errno

# the disk is full, somebody's share of it is, or a file may not become as large
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
