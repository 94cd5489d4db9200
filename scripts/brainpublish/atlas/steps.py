"""The step from payloads to a bucket on a service, as the workflow runs it."""

from pathlib import Path

from brainpublish.atlas.bucket import publish
from brainpublish.destination import open_atlas
from brainpublish.files import read_json, write_json

LEDGERS = Path("results", "ledger", "atlas")


def publish_bucket(
    bucket: dict, destination: dict, payloads: str | Path, receipt: str | Path
) -> None:
    """Publish a bucket's features, and write the receipt as the last act."""
    with open_atlas(destination) as endpoint:
        write_json(receipt, publish(endpoint, bucket, read_json(payloads), LEDGERS))
