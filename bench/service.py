"""A counting BossDB look-alike in a process of its own: it keeps no voxel, or the last of each box.

Every answer waits for a set latency. A bandwidth limit is shared by all connections, in the
direction to the service. Enough of the protocol for uploads, by this project and by intern.
"""

import argparse
import asyncio
import collections
import itertools
import json
import math
import re
import time
from urllib.parse import parse_qs, unquote, urlsplit

import blosc
import numpy as np

from brainpublish.slices.slabs import CUBOID

CUTOUT = re.compile(r"/v1/cutout/(to_black/)?")
LISTS = {"channel": "channels", "experiment": "experiments"}


class Store:
    """Resources as they were posted, metadata, the counts, and posted bodies if kept."""

    def __init__(self, keep: bool):
        self.keep = keep
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.resources: dict[str, dict] = {}
        self.metadata: dict[tuple, str] = {}
        self.bodies: dict[tuple, tuple] = {}
        self.zero_counts()

    def zero_counts(self) -> None:
        """Begin to count anew."""
        self.counts = collections.Counter()

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer to a request."""
        url = urlsplit(target)
        path = unquote(re.sub("/+", "/", url.path)).rstrip("/")
        if path in ("/_counts", "/_zero", "/_reset"):
            return self._control(path)
        self.counts["requests"] += 1
        self.counts["bytes"] += body if isinstance(body, int) else len(body)
        if CUTOUT.match(path):
            return self._cutout(method, path, body)
        status, value = self._resource(method, path, parse_qs(url.query), body)
        return status, json.dumps(value).encode()

    def _control(self, path: str) -> tuple[int, bytes]:
        counts = json.dumps(self.counts).encode()
        if path == "/_zero":
            self.zero_counts()
        elif path == "/_reset":
            self.reset()
        return 200, counts

    def _cutout(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        self.counts[f"cutout {method}"] += 1
        if method == "POST":
            if self.keep:
                self._keep(path, body)
            return 201, b""
        return 200, self._kept(path)

    def _keep(self, path: str, body: bytes) -> None:
        channel, box = _box_of(path)
        starts = (
            range(part.start, part.stop, size) for part, size in zip(box, CUBOID, strict=True)
        )
        for start in itertools.product(*starts):
            self.bodies[channel, start] = box, body

    def _kept(self, path: str) -> bytes:
        """Return a block that was posted, or one that is a part of it."""
        channel, box = _box_of(path)
        whole, body = self.bodies.get((channel, tuple(part.start for part in box)), (None, b""))
        if whole is None or whole == box:
            return body
        shape = [part.stop - part.start for part in whole]
        voxels = blosc.decompress(bytes(body))
        values = np.frombuffer(voxels, f"u{len(voxels) // math.prod(shape)}").reshape(shape)
        inside = (
            slice(part.start - outer.start, part.stop - outer.start)
            for part, outer in zip(box, whole, strict=True)
        )
        part = np.ascontiguousarray(values[tuple(inside)])
        return blosc.compress(part, typesize=part.itemsize, clevel=1, cname="lz4")

    def _resource(self, method: str, path: str, query: dict, body: bytes) -> tuple[int, dict]:
        if path.startswith("/v1/meta/"):
            return self._meta(method, path, query)
        if path.startswith("/v1/downsample/"):
            return (201, {}) if method == "POST" else (200, {"status": "NOT_DOWNSAMPLED"})
        if path == "/v1/collection":
            return 200, {"collections": []}
        if method == "POST":
            self.resources[path] = self._filled(path, json.loads(body))
            return 201, self.resources[path]
        if path not in self.resources:
            return 404, {"status": 404, "code": 4000, "message": "not found"}
        if method == "PUT":
            self.resources[path] |= json.loads(body)
        return 200, self.resources[path]

    def _meta(self, method: str, path: str, query: dict) -> tuple[int, dict]:
        key = (path, query.get("key", [""])[0])
        if method in ("POST", "PUT"):
            self.metadata[key] = query["value"][0]
            return 201 if method == "POST" else 200, {}
        if key not in self.metadata:
            return 400, {"status": 400, "code": 1003, "message": "no such key"}
        return 200, {"key": key[1], "value": self.metadata[key]}

    def _filled(self, path: str, body: dict) -> dict:
        parts = path.removeprefix("/v1/").split("/")
        parents = dict(zip(parts[:-2:2], parts[1:-2:2], strict=True))
        lists = {"sources": [], "related": [], "channels": [], "experiments": []}
        defaults = {"description": "", "creator": "bench", "public": False, "time_step_unit": ""}
        channel = {"storage_type": "spdb", "bucket": None, "cv_path": None}
        channel |= {"downsample_status": "NOT_DOWNSAMPLED"}
        return {**lists, **defaults, **channel, **parents, **body, "name": parts[-1]}


def _box_of(path: str) -> tuple[str, tuple[slice, ...]]:
    """Return the channel of a cutout's path, and its box z, y, x."""
    channel, *parts = path.rsplit("/", 3)
    x, y, z = (slice(*map(int, part.split(":"))) for part in parts)
    return channel, (z, y, x)


class Link:
    """The wire that all connections share: tells when some bytes have come through."""

    def __init__(self, bytes_per_second: float):
        self._rate = bytes_per_second
        self._free = 0.0

    def delay(self, size: int) -> float:
        """Return the seconds until so many more bytes have come through."""
        if not self._rate:
            return 0.0
        now = time.monotonic()
        self._free = max(now, self._free) + size / self._rate
        return self._free - now


class Connection(asyncio.BufferedProtocol):
    """One kept-alive HTTP/1.1 connection. Bodies are received where they stay."""

    def __init__(self, store: Store, link: Link, latency: float):
        self._store, self._link, self._latency = store, link, latency
        self._scratch = memoryview(bytearray(2**18))
        self._head = bytearray()
        self._body: memoryview | None = None
        self._wanted: int | None = None
        self._size = 0
        self._request = ("", "")

    def connection_made(self, transport):
        """Begin a connection."""
        self._transport = transport
        transport.set_write_buffer_limits(high=2**24)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go: into the body, if one is under way and is kept."""
        return self._scratch if self._body is None else self._body[self._size :]

    def buffer_updated(self, count: int):
        """Take what came in, at the pace of the link."""
        delay = self._link.delay(count)
        if delay > 0.002:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(delay, self._transport.resume_reading)
        if self._wanted is None:
            self._head += self._scratch[:count]
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            begun = bytes(self._head[end + 4 :])
            self._begin(self._head[:end].decode("latin-1"))
            self._head.clear()
            count = len(begun)
            if self._body is not None:
                self._body[:count] = begun
        self._size += count
        if self._size >= self._wanted:
            body = self._size if self._body is None else self._body.obj
            self._body, self._wanted = None, None
            asyncio.get_running_loop().call_later(self._latency, self._reply, body)

    def _begin(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        fields = dict(line.lower().split(": ", 1) for line in lines)
        if "100-continue" in fields.get("expect", ""):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._request = (method, target)
        self._wanted = int(fields.get("content-length", 0))
        self._size = 0
        if self._store.keep or "cutout" not in target:
            self._body = memoryview(bytearray(self._wanted))

    def _reply(self, body) -> None:
        status, content = self._store.answer(*self._request, body)
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n"
        head += "Content-Type: application/json\r\n\r\n"
        if not self._transport.is_closing():
            self._transport.write(head.encode() + content)


async def serve(latency: float, bytes_per_second: float, keep: bool) -> None:
    """Print the port, then serve until killed."""
    store, link = Store(keep), Link(bytes_per_second)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(store, link, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--bandwidth", type=float, default=0.0, help="bytes per second; 0: any")
    parser.add_argument("--keep", action="store_true", help="keep bodies, to be read back")
    options = parser.parse_args()
    asyncio.run(serve(options.latency, options.bandwidth, options.keep))
