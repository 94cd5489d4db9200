# Takes the config; leaves what all rules ask of it: sections, plans, receipts.
import functools
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, f"{workflow.basedir}/scripts")

from brainpublish import runs
from brainpublish.bossdb.bounds import UPLOADS
from brainpublish.codedigest import code_digest, run_jobs_from
from brainpublish.config import (
    channels_of,
    destination_of,
    load_config,
    resource_section,
)
from brainpublish.findings import Refusal
from brainpublish.settled import (
    distrust_times,
    entry_of,
    is_settled,
    made_from,
    record_of,
)
from brainpublish.summary import run_summary


wildcard_constraints:
    volume=r"[A-Za-z0-9_-]+",
    channel=r"[A-Za-z0-9_-]+",
    bucket=r"[A-Za-z0-9_.-]+",
    slab=r"\d+",


run_jobs_from(f"{workflow.basedir}/scripts")
if workflow.is_main_process:
    runs.end_left_over_jobs(functools.partial(print, file=sys.stderr))
    distrust_times()

try:
    CONFIG = load_config(
        config, Path(workflow.basedir, "config/schemas/config.schema.json")
    )
except Refusal as refusal:
    raise WorkflowError(str(refusal)) from None

CHANNELS = channels_of(CONFIG)
DESTINATION = destination_of(CONFIG)
# Upload jobs share the requests in flight.
workflow.register_resource("uploads", UPLOADS)


@functools.cache
def code_of(script):
    return code_digest(Path(workflow.basedir, "scripts", script))


def channel_section(wildcards):
    return CHANNELS[wildcards.volume][wildcards.channel]


def image_plan(wildcards):
    section = channel_section(wildcards)
    if section["role"] == "image":
        return []
    return f"results/volumes/{wildcards.volume}/{image_of(wildcards.volume)}/plan.json"


def image_of(volume):
    return next(
        name for name, section in CHANNELS[volume].items() if section["role"] == "image"
    )


def masks_and_images():
    """Return settings and plan of each annotation, and the plan of its image."""
    plan = "results/volumes/{}/{}/plan.json"
    return [
        {
            "channel": section,
            "plan": plan.format(volume, channel),
            "image": plan.format(volume, image_of(volume)),
        }
        for volume, channels in CHANNELS.items()
        for channel, section in channels.items()
        if section["role"] == "annotation"
    ]


def every_channel(path):
    return [
        path.format(volume=volume, channel=channel)
        for volume, channels in CHANNELS.items()
        for channel in channels
    ]


def every_bucket(path):
    return [path.format(bucket=bucket) for bucket in CONFIG["buckets"]]


def channel_receipts():
    return every_channel("results/receipts/bossdb/{volume}/{channel}.json")


def bucket_receipts():
    return every_bucket("results/receipts/atlas/{bucket}.json")
