"""The step from payloads to a bucket on a service, as the workflow runs it."""

from pathlib import Path

from brainpublish.atlas.bucket import publish
from brainpublish.destination import open_atlas
from brainpublish.files import read_json, write_json
from brainpublish.settled import made_from

LEDGERS = Path("results", "ledger", "atlas")


def publish_bucket(settings: dict, payloads: str | Path, receipt: str | Path) -> None:
    """Publish a bucket's features, and write the receipt as the last act.

    Args:
        settings: the bucket's section of the config and the destination, under these names.
        payloads: path of the features' payloads.
        receipt: path of the receipt to write.
    """
    with open_atlas(settings["destination"]) as endpoint:
        held = publish(endpoint, settings["bucket"], read_json(payloads), LEDGERS)
    write_json(receipt, {**held, **made_from(settings)})
