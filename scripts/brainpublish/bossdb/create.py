"""The job that makes a volume's resources on BossDB, from files to files."""

from brainpublish.bossdb.channels import ChannelPlan
from brainpublish.bossdb.connect import connected
from brainpublish.bossdb.record import ledger_folder
from brainpublish.bossdb.resources import ensure_resources
from brainpublish.files import write_json
from brainpublish.settled import made_from
from brainpublish.slices.plan import read_plan


def create_volume(settings: dict, connections: int, plans: list[str], output: str) -> None:
    """Make a volume's resources or compare them, and write down which were made.

    Args:
        settings: settings of the channels, the image first, and the destination; and, where a
            run found that channels were lost, the word for that, under anew.
        connections: requests in flight, over all jobs of the run.
        plans: paths of the channels' plans, in the same order.
        output: path to write.
    """
    planned = [
        ChannelPlan(channel, read_plan(path)[0].extent)
        for channel, path in zip(settings["channels"], plans, strict=True)
    ]
    with connected(settings["destination"], connections) as client:
        client.check_token()
        endpoint = client.endpoint
        outcomes = ensure_resources(client, planned, lambda name: ledger_folder(endpoint.id, name))
    record = {"destination": endpoint.id, "resources": outcomes, "anew": settings.get("anew")}
    write_json(output, {**record, **made_from(settings)})
