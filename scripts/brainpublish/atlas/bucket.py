"""A bucket made equal to what was prepared: created, updated or kept, then read back.

What the ledger proves and the service's listing still shows is not sent and not read; the
receipt says of each feature which proof it has. Every write is marked in the ledger before it
is sent, and read back before it counts, one after the other. A killed run is continued by the
next one.
"""

import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainpublish.atlas.client import AtlasClient, Conflict, NotFound, Unauthorized, Unfinished
from brainpublish.atlas.endpoint import AtlasEndpoint
from brainpublish.atlas.ledger import Ledger
from brainpublish.atlas.tokens import (
    GLOBAL_KEY_VARIABLE,
    BucketToken,
    file_name,
    find_token,
    keep_token,
    looked_at,
    mark_created,
    share_advice,
)
from brainpublish.files import json_text
from brainpublish.findings import Refusal
from brainpublish.provenance import now, software

log = logging.getLogger(__name__)

CREATED, UPDATED, KEPT, REMOVED, NONE = "created", "updated", "kept", "removed", "none"
TREE_ATTEMPTS = 3
LIBRARIES = ("iblatlas", "iblbrainviewer", "requests")
DESCRIPTIONS = ("short_desc", "long_desc")


@dataclass
class Sync:
    """One bucket on its way to a service."""

    endpoint: AtlasEndpoint
    client: AtlasClient
    name: str
    ledger: Ledger
    token: BucketToken | None = None
    outcomes: dict[str, str] = field(default_factory=dict)
    read_back: set[str] = field(default_factory=set)


def ledger_path(folder: str | Path, endpoint: AtlasEndpoint, bucket: str) -> Path:
    """Return where the ledger of a bucket on a service is kept."""
    return Path(folder) / endpoint.id / f"{bucket}.json"


def publish(
    endpoint: AtlasEndpoint, bucket: dict, features: dict[str, dict], ledgers: str | Path
) -> dict[str, Any]:
    """Make a bucket on a service equal to what is given, and return its receipt.

    `bucket` is its section of the config, `features` is {name: {regions, digest, payload}}.
    Features of the bucket that are not given stay untouched, unless the section says `prune`;
    even then only those go that this project's ledger knows.

    Raises Refusal if the service does not do it, or holds something else afterwards.
    """
    name = bucket["name"]
    with AtlasClient(endpoint.api) as client:
        ledger = Ledger(ledger_path(ledgers, endpoint, name))
        sync = Sync(endpoint, client, name, ledger, find_token(endpoint, name))
        try:
            return _publish(sync, bucket, features)
        except Unauthorized:
            raise Refusal(_refused_token(sync)) from None
        except Unfinished as refusal:
            raise Refusal(f"{refusal} {_so_far(sync, len(features))}") from None


def _publish(sync: Sync, bucket: dict, features: dict[str, dict]) -> dict[str, Any]:
    listing = _ensure_bucket(sync, bucket)
    listed = listing["features"]
    written = _changed(sync, features, listed)
    log.info("%d of %d features are new or changed", len(written), len(features))
    sync.ledger.doubt({name: features[name]["digest"] for name in written})
    for name in written:
        _send(sync, name, features[name]["payload"], name in listed)
    _read_back(sync, {name: features[name] for name in written})
    left = _left(sync, features)
    removed = _prune(sync, left, listed) if bucket.get("prune") else []
    tree = _set_metadata(sync, bucket, listing["metadata"])
    _check_listing(sync, features, removed)
    staying = [] if bucket.get("prune") else [name for name in left if name in listed]
    if staying:
        log.warning("not in the config any more, but still there: %s", ", ".join(staying))
    return {**_receipt(sync, features, tree), "removed": removed, "left": staying}


def _ensure_bucket(sync: Sync, bucket: dict) -> dict[str, Any]:
    """Return the listing of the bucket, after creating it if the service never had it."""
    try:
        listing = sync.client.bucket(sync.name)
    except NotFound:
        listing = _create_bucket(sync, bucket)
    _refuse_look_alike(sync, listing)
    if sync.token is None:
        raise Refusal(
            f"The bucket {sync.name} exists on {sync.endpoint.host}, and its token is not "
            f"here. {looked_at()} {share_advice(sync.name)}, or choose another name. Nothing was "
            "changed."
        )
    mark_created(sync.endpoint, sync.name)
    sync.ledger.begin(listing["metadata"].get("maker"))
    return listing


def _create_bucket(sync: Sync, bucket: dict) -> dict[str, Any]:
    if sync.ledger.exists or (sync.token and sync.token.created):
        raise Refusal(_gone(sync))
    key = sync.endpoint.global_key()
    if key is None:
        raise Refusal(
            f"The bucket {sync.name} does not exist on {sync.endpoint.host}, and there is no "
            f"global key to create it with. {looked_at()} Set {GLOBAL_KEY_VARIABLE} to the "
            "key that the service's documentation publishes."
        )
    token = keep_token(sync.endpoint, sync.name)
    metadata = {
        "uuid": sync.name,
        "maker": f"brainpublish {secrets.token_hex(8)}",
        "token": token,
        **{key: bucket.get(key) or "" for key in DESCRIPTIONS},
    }
    try:
        sync.client.create_bucket(sync.name, metadata, key)
    except Unauthorized:
        raise Refusal(
            f"The atlas service {sync.endpoint.host} refused the global key (401), so the "
            f"bucket {sync.name} was not created. The key comes from the environment variable "
            f"{GLOBAL_KEY_VARIABLE}, else from {file_name(sync.endpoint.tokens_file)}."
        ) from None
    except Conflict:
        # Our own first attempt may have done it; the first write tells, by its token.
        log.warning("the service says that bucket %s exists by now", sync.name)
    sync.token = find_token(sync.endpoint, sync.name)
    return _new_listing(sync)


def _new_listing(sync: Sync) -> dict[str, Any]:
    try:
        return sync.client.bucket(sync.name)
    except NotFound:
        raise Refusal(
            f"The service {sync.endpoint.host} neither shows the bucket {sync.name} nor lets "
            "it be created. A bucket whose name begins or ends with this name and an "
            "underscore may stand in its way: choose another name."
        ) from None


def _gone(sync: Sync) -> str:
    return (
        f"The bucket {sync.name} was on {sync.endpoint.host} and is not there any more. It is "
        "not created again by itself. To create it anew, remove its entry from "
        f"{file_name(sync.endpoint.tokens_file)} and the file {sync.ledger.path}, and run "
        "the same command again."
    )


def _refuse_look_alike(sync: Sync, listing: dict[str, Any]) -> None:
    """Stop if the service answers with another bucket, whose name only looks alike."""
    served = listing["metadata"].get("uuid")
    if served is not None and served != sync.name:
        raise Refusal(
            f"Asked for the bucket {sync.name}, the service {sync.endpoint.host} answers with "
            f"{served}: it takes names that begin or end alike, up to an underscore, for one. "
            "Nothing was sent. Choose another name, best without underscores."
        )


def _refused_token(sync: Sync) -> str:
    source = sync.token.source if sync.token else file_name(sync.endpoint.tokens_file)
    return (
        f"The atlas service {sync.endpoint.host} refused the token of the bucket {sync.name} "
        f"(401). The token comes from {source}. Nothing was created again. "
        f"{share_advice(sync.name)}, or choose another name."
    )


def _so_far(sync: Sync, features: int) -> str:
    """Say how far a publication got."""
    kept = sum(outcome == KEPT for outcome in sync.outcomes.values())
    return (
        f"Bucket {sync.name}: {len(sync.outcomes) - kept} of {features} features were sent, "
        f"{kept} were there already."
    )


def _changed(sync: Sync, features: dict[str, dict], listed: dict[str, dict]) -> list[str]:
    """Return the features that the service does not hold as they shall be."""
    kept = [
        name
        for name, feature in features.items()
        if name in listed and _is_there(sync, name, feature, listed[name])
    ]
    sync.outcomes |= dict.fromkeys(kept, KEPT)
    sync.ledger.verify({name: features[name]["digest"] for name in kept if name in sync.read_back})
    return [name for name in features if name not in sync.outcomes]


def _send(sync: Sync, name: str, payload: dict, is_listed: bool) -> None:
    """Create a feature, or replace it."""
    token = sync.token.value
    if is_listed:
        sync.client.patch_feature(sync.name, name, payload, token)
    else:
        try:
            sync.client.create_feature(sync.name, name, payload, token)
        except Conflict:
            # The answer to an earlier attempt was lost: the feature is there, make it right.
            sync.client.patch_feature(sync.name, name, payload, token)
    sync.outcomes[name] = UPDATED if is_listed else CREATED
    log.info("%s %s", sync.outcomes[name], name)


def _is_there(sync: Sync, name: str, feature: dict, listed: dict) -> bool:
    """Say whether the service holds a listed feature already, as we want it."""
    if not _same_texts(listed, feature["payload"]):
        return False
    known = sync.ledger.verified_digest(name)
    if known is not None:
        return known == feature["digest"]
    return _equal(sync, name, feature)


def _same_texts(listed: dict, payload: dict) -> bool:
    return all((listed.get(key) or "") == payload[key] for key in ("short_desc", "unit"))


def _equal(sync: Sync, name: str, feature: dict) -> bool:
    held = sync.client.feature(sync.name, name)
    sync.read_back.add(name)
    return {key: held.get(key) for key in feature["payload"]} == feature["payload"]


def _read_back(sync: Sync, written: dict[str, dict]) -> None:
    """Read what was written, and stop at the first feature that is something else."""
    verified: dict[str, str] = {}
    try:
        for name, feature in written.items():
            if not _equal(sync, name, feature):
                raise Refusal(
                    f"The service {sync.endpoint.host} accepted the feature {name} of the bucket "
                    f"{sync.name}, but holds something else. Does anybody else write to this "
                    "bucket? Run the same command again: the feature is sent anew."
                )
            verified[name] = feature["digest"]
    finally:
        # One note for all: what a killed run did not note, the next one reads back.
        sync.ledger.verify(verified)


def _left(sync: Sync, features: dict[str, dict]) -> list[str]:
    """Return the features that this project wrote once and that are not wanted any more."""
    return [name for name in sync.ledger.features if name not in features]


def _prune(sync: Sync, left: Sequence[str], listed: dict) -> list[str]:
    """Remove features from the service, and return those that were there."""
    for name in left:
        if name in listed:
            _delete(sync, name)
        sync.ledger.forget(name)
    return [name for name in left if name in listed]


def _delete(sync: Sync, name: str) -> None:
    try:
        sync.client.delete_feature(sync.name, name, sync.token.value)
    except NotFound:
        log.info("%s is gone already: the answer to an earlier attempt was lost", name)
    log.info("removed %s", name)


def _set_metadata(sync: Sync, bucket: dict, metadata: dict) -> str:
    """Bring tree and descriptions of the bucket to what the config says; return the tree's outcome.

    Without a tree in the config, only a tree that this project had set is taken away.
    """
    tree = _as_json(bucket.get("tree"))
    held = metadata.get("tree")
    manage_tree = tree is not None or (held is not None and held == sync.ledger.tree)
    wanted = {key: bucket[key] for key in DESCRIPTIONS if bucket.get(key)}
    if manage_tree:
        wanted["tree"] = tree
    changes = {key: value for key, value in wanted.items() if metadata.get(key) != value}
    if changes:
        _patch_metadata(sync, changes)
    sync.ledger.set_tree(tree)
    if "tree" in changes:
        return UPDATED if held is not None or tree is None else CREATED
    return KEPT if held is not None else NONE


def _as_json(tree: dict | None) -> dict | None:
    """Return a tree as it looks after a trip through JSON: all labels are text."""
    return json.loads(json_text(tree))


def _patch_metadata(sync: Sync, changes: dict) -> None:
    """Patch and look again: beside a reader, the service may lose a patch that it accepted."""
    for _ in range(TREE_ATTEMPTS):
        sync.client.patch_bucket(sync.name, changes, sync.token.value)
        held = sync.client.bucket(sync.name)["metadata"]
        if all(held.get(key) == value for key, value in changes.items()):
            return
        log.warning("the service lost a change of the bucket's %s", ", ".join(changes))
    raise Refusal(
        f"The service {sync.endpoint.host} accepted the {' and '.join(changes)} of the bucket "
        f"{sync.name} {TREE_ATTEMPTS} times, but holds something else. Run the same command "
        "again later: readers of the bucket can make it lose a change."
    )


def _check_listing(sync: Sync, features: dict[str, dict], removed: Sequence[str]) -> None:
    """Stop unless the service lists all features, with their texts, and no removed one."""
    listed = sync.client.bucket(sync.name)["features"]
    wrong = [
        name
        for name, feature in features.items()
        if name not in listed or not _same_texts(listed[name], feature["payload"])
    ]
    wrong += [name for name in removed if name in listed]
    if wrong:
        raise Refusal(
            f"The service {sync.endpoint.host} does not list the bucket {sync.name} as it was "
            f"published: {', '.join(wrong)}. Does anybody else write to this bucket? Run the "
            "same command again."
        )


def _receipt(sync: Sync, features: dict[str, dict], tree: str) -> dict[str, Any]:
    return {
        "destination": {
            "kind": sync.endpoint.kind,
            "host": sync.endpoint.host,
            "id": sync.endpoint.id,
        },
        "bucket": sync.name,
        "url": sync.endpoint.link(sync.name),
        "features": {
            name: {
                "outcome": sync.outcomes[name],
                "digest": feature["digest"],
                "regions": feature["regions"],
                "unit": feature["payload"]["unit"],
                "verified": "read back" if name in sync.read_back else "ledger",
            }
            for name, feature in features.items()
        },
        "tree": {"outcome": tree},
        "verified": {
            "features": len(features),
            "read_back": len(sync.read_back),
            "mismatches": 0,
        },
        "software": software(LIBRARIES),
        "finished": now(),
    }
