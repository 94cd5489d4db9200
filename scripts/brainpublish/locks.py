"""Locks on files that the system lets go of however a process ends, where a file system has them.

Some network and cluster file systems have none.
"""

import errno
import fcntl

_NONE = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


class NoLocks(Exception):
    """The file system has no locks."""


def locked(handle: int, kind: int) -> bool:
    """Take or change the lock of a file, or let go of it; say whether it is so now.

    Args:
        handle: of the open file.
        kind: see `fcntl.flock`; with LOCK_NB it is not waited for another's lock to end.

    Raises:
        NoLocks: if the file system has none.
    """
    try:
        fcntl.flock(handle, kind)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NONE:
            raise NoLocks from None
        raise
    return True
