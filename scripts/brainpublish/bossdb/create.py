"""The job that makes a volume's resources on BossDB, from files to files."""

from brainpublish.bossdb.channels import ChannelPlan
from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.ledger import ledger_folder
from brainpublish.bossdb.resources import ensure_resources
from brainpublish.destination import open_bossdb
from brainpublish.files import write_json
from brainpublish.settled import made_from
from brainpublish.slices.steps import read_plan


def create_volume(settings: dict, plans: list[str], output: str) -> None:
    """Make a volume's resources or compare them, and write down which were made.

    Args:
        settings: settings of the channels, the image first, and the destination.
        plans: paths of the channels' plans, in the same order.
        output: path to write.
    """
    planned = [
        ChannelPlan(channel, read_plan(path)[0].extent)
        for channel, path in zip(settings["channels"], plans, strict=True)
    ]
    with open_bossdb(settings["destination"]) as endpoint, BossdbClient(endpoint) as client:
        client.check_token()
        outcomes = ensure_resources(client, planned, lambda name: ledger_folder(endpoint.id, name))
    write_json(output, {"destination": endpoint.id, "resources": outcomes, **made_from(settings)})
