"""One writer at a time over all threads and processes, with a clean place for half-made files."""

import contextlib
import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from brainpublish.files import sync_folder, write_bytes

# Between processes the lock is asked for again and again; threads of one process queue first.
POLL_SECONDS = 0.005


class Workspace:
    """The right to write, and a scratch folder on the same file system as the data.

    Files are made in the scratch folder and renamed into place. So a killed process leaves
    nothing half-made among the data, and a file's final name may have any length.
    """

    def __init__(self, folder: str | Path):
        self._scratch = Path(folder) / "scratch"
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._queue = threading.Lock()
        lock_file = Path(folder) / "write.lock"
        self._lock = FileLock(lock_file, thread_local=False, poll_interval=POLL_SECONDS)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the right to write; what a killed writer left in the scratch folder is removed."""
        with self._queue, self._lock:
            self._sweep()
            yield

    def _sweep(self) -> None:
        for left in self._scratch.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()

    def put_file(self, target: Path, data: bytes, mode: int = 0o644) -> None:
        """Replace the file `target` atomically. Only while writing.

        Its content is on disk before it has its name; that it has its name may be lost by a
        power cut, which leaves the old file, or none.
        """
        made = self._new_place()
        # Not by `write_bytes`: that the scratch folder survives a power cut is of no use.
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        made.replace(target)

    def put_folder(self, target: Path, files: dict[str, bytes], mode: int = 0o644) -> None:
        """Make the new folder `target` with some files, all at once. Only while writing."""
        made = self._new_place()
        for name, data in files.items():
            write_bytes(made / name, data, mode)
        made.rename(target)
        sync_folder(target.parent)

    def drop_file(self, target: Path) -> None:
        """Remove a file for good. Only while writing."""
        target.unlink()
        sync_folder(target.parent)

    def drop_folder(self, target: Path) -> None:
        """Remove a folder and all that it holds, as one step. Only while writing."""
        dropped = self._new_place()
        target.rename(dropped)
        sync_folder(target.parent)
        shutil.rmtree(dropped)

    def _new_place(self) -> Path:
        return self._scratch / uuid.uuid4().hex
