# Takes sections of the config and what earlier runs left; leaves the settings of each job that
# talks to BossDB, and whether it is settled.
from brainpublish.bossdb.record import (
    ledger_folder,
    loss_of_channel,
    state_of_channel,
)


def upload_gate():
    return (
        "results/headers_checked.json"
        if CONFIG["bossdb"]["gate"] == "slab"
        else CHECKED
    )


def settings_of_resources(volume):
    sections = CHANNELS[volume].values()
    return {
        "channels": [resource_section(section) for section in sections],
        "destination": DESTINATION["bossdb"],
        "gate": upload_gate(),
        "anew": resources_anew(volume),
        "code": code_of("create_resources.py"),
    }


@functools.cache
def resources_anew(volume):
    """Return what channels an earlier run found lost: until they are made, and with that record."""
    # Remembered, as `upload_anew` is.
    record, sections = resources_record(volume), CHANNELS[volume].values()
    made = entry_of(record, "destination")
    folders = [ledger_folder(made, each["name"]) for each in sections] if made else []
    lost = filter(None, map(loss_of_channel, folders))
    return " ".join(lost) or entry_of(record, "anew")


def resources_record(volume):
    return f"results/uploads/{volume}/resources.json"


def create_settings(wildcards):
    return settings_of_resources(wildcards.volume)


def create_is_settled(wildcards):
    return resources_are_settled(wildcards.volume)


@functools.cache
def resources_are_settled(volume):
    # Each slab of a volume asks, and is to hear the same.
    expected = made_from(settings_of_resources(volume))
    return stands("create_resources", resources_record(volume), expected, [])


def volume_plans(wildcards):
    settled = create_is_settled(wildcards)
    plans = [
        f"results/volumes/{wildcards.volume}/{channel}/plan.json"
        for channel in CHANNELS[wildcards.volume]
    ]
    return [ancient(plan) for plan in plans] if settled else plans


def verification():
    return {key: CONFIG["bossdb"][key] for key in ("verify", "sample_share")}


@functools.cache
def channel_state(volume, channel):
    """Return what records of uploads must name to be true still, if the channel was made."""
    made = entry_of(resources_record(volume), "destination")
    name = CHANNELS[volume][channel]["name"]
    return made and (state_of_channel(ledger_folder(made, name)) or "no ledger")


@functools.cache
def upload_anew(volume, channel, slab):
    """Return the state of a channel that a slab's record does not name, and what it names."""
    # Remembered: by the time that Snakemake asks once more, it has removed the record.
    record = record_of(upload_record(volume, channel, slab))
    state = channel_state(volume, channel)
    is_stale = record and state and record.get("state") != state
    return f"{state} after {record.get('state')}" if is_stale else record.get("anew")


def upload_record(volume, channel, slab):
    return f"results/uploads/{volume}/{channel}/{slab}.json"


def upload_settings(wildcards):
    return {
        "channel": channel_section(wildcards),
        "volume": wildcards.volume,
        "depth": depth_of(wildcards.volume, wildcards.channel),
        "destination": DESTINATION["bossdb"],
        "verify": verification(),
        "gate": upload_gate(),
        "anew": upload_anew(**wildcards),
        "code": code_of("upload_slab.py"),
    }


def upload_is_settled(wildcards):
    if not create_is_settled(wildcards):
        # It may find that a channel was made anew, or that someone else wrote to it.
        return False
    folder, slab = channel_folder(wildcards), wildcards.slab
    inputs = [f"{folder}/stack.zarr/0/c/{slab}/0/0", f"{folder}/slabs/{slab}.json"]
    expected = made_from(upload_settings(wildcards))
    return stands("upload_slab", upload_record(**wildcards), expected, inputs)


def publish_settings(wildcards):
    return {
        "channel": channel_section(wildcards),
        "destination": DESTINATION["bossdb"],
        "verify": verification(),
        "after": {key: CONFIG["bossdb"][key] for key in ("downsample", "public")},
        "code": code_of("publish_channel.py"),
    }


def publish_is_settled(wildcards):
    inputs = [f"{channel_folder(wildcards)}/slices.tsv"]
    inputs += [path.format(**wildcards) for path in slab_uploads(wildcards)]
    record = f"results/receipts/bossdb/{wildcards.volume}/{wildcards.channel}.json"
    expected = made_from(publish_settings(wildcards))
    return stands("publish_channel", record, expected, inputs)
