"""The receipt of a channel: what was published where, and what of it was read back."""

from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.bossdb.upload import Counts
from brainpublish.provenance import now, software

PACKAGES = ("intern", "numpy", "glymur", "pillow", "tensorstore", "blosc")


def channel_receipt(
    endpoint: Endpoint,
    channel: dict,
    extent: tuple[int, int, int],
    source: dict,
    counts: Counts,
    verify: dict,
    after: dict,
) -> dict:
    """Put a channel's receipt together, as plain values.

    Args:
        endpoint: where the channel is.
        channel: its settings.
        extent: z, y, x in voxels.
        source: number of slices and digest of the manifest.
        counts: the sum over all slabs.
        verify: how much was read back: mode, and the share of a sample.
        after: downsample, public and links.
    """
    return {
        "destination": {"kind": endpoint.kind, "host": _public_host(endpoint)},
        "channel": channel["name"],
        "type": channel["type"],
        "extent": list(extent),
        "dtype": channel["dtype"],
        "voxel_size": channel["voxel_size"],
        "voxel_unit": channel["voxel_unit"],
        "source": source,
        "cuboids": {
            name: getattr(counts, name) for name in ("total", "sent", "kept", "erased", "empty")
        },
        "bytes": {"raw": counts.raw, "wire": counts.wire},
        "verified": {**verify, "cuboids": counts.verified, "mismatches": 0},
        **after,
        "software": software(PACKAGES),
        "finished": now(),
    }


def _public_host(endpoint: Endpoint) -> str:
    # The embedded service listens on another port in each job; its store's name lasts.
    return endpoint.id if endpoint.kind == "local" else endpoint.host
