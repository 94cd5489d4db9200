"""Resources are made, compared, claimed; someone else's channel is left alone."""

import numpy as np
import pytest
from uploads import EXTENT, channel_settings, service_over

from brainpublish.bossdb import after, resources
from brainpublish.bossdb import client as client_module
from brainpublish.bossdb.after import make_public, start_downsample, wait_for_downsample
from brainpublish.bossdb.channels import require_channel
from brainpublish.bossdb.client import BossdbClient, BossdbRefusal, TimeoutAdapter
from brainpublish.bossdb.cuboids import Box
from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.bossdb.record import ChannelRecord
from brainpublish.bossdb.resources import ensure_resources
from brainpublish.bossdb.writers import MARKER_KEY, read_mark
from brainpublish.findings import Refusal
from brainpublish.local.faults import Answer, Drop
from brainpublish.packing import IMAGE

ONES = np.ones(EXTENT, np.uint8)
CHANNEL = "/v1/collection/lab/experiment/fish/channel"


@pytest.fixture
def service(tmp_path):
    with service_over(tmp_path) as running:
        yield running


def make_by_hand(service, name="image", body=None) -> None:
    """Make a channel of that name, as someone else would."""
    other = service.plan(channel_settings("lab/fish/other"))
    service.ensure(other)
    path = f"collection/lab/experiment/fish/channel/{name}"
    facts = {"type": "image", "datatype": "uint16", "description": "by hand"}
    service.client.request("POST", path, (201,), json=facts | (body or {}))
    service.faults.forget()


def test_made_once_then_present(service):
    bone = channel_settings("lab/fish/bone", "annotation", "uint64", source="image")
    plans = service.plan(), service.plan(bone)
    made = service.ensure(*plans)
    assert set(made.values()) == {"created"}
    assert len(made) == 5
    service.faults.forget()
    assert set(service.ensure(*plans).values()) == {"present"}
    assert service.writes() == []
    facts = service.client.get_json(plans[1].path)
    assert (facts["sources"], facts["datatype"]) == (["image"], "uint64")


def test_every_difference_is_told_with_both_values_before_anything_is_made(service):
    service.ensure(service.plan())
    service.faults.forget()
    other = channel_settings(dtype="uint8", voxel_size=[2.0, 2.0, 7.5], voxel_unit="nanometers")
    bone = channel_settings("lab/fish/bone", "annotation", "uint64")
    with pytest.raises(Refusal) as refusal:
        service.ensure(service.plan(other, (20, 520, 531)), service.plan(bone))
    text = str(refusal.value)
    assert "channel lab/fish/image: datatype is 'uint16' there, 'uint8' here" in text
    assert "coordinate frame CF_lab_fish: z_voxel_size is 5.0 there, 7.5 here" in text
    assert "voxel_unit is 'micrometers' there, 'nanometers' here" in text
    assert "x_stop is 530 there, 531 here" in text
    assert service.writes() == []


def test_appended_slab_is_refused_with_the_reason_and_the_way_out(service):
    service.ensure(service.plan())
    with pytest.raises(Refusal) as refusal:
        service.ensure(service.plan(extent=(36, *EXTENT[1:])))
    text = str(refusal.value)
    assert "z_stop is 20 there, 36 here" in text
    assert "a frame cannot grow" in text
    assert "publish under the name of a new experiment" in text


def test_someone_elses_channel_is_left_alone(service):
    make_by_hand(service)
    plan = service.plan()
    for call in (lambda: service.ensure(plan), lambda: service.upload(plan, ONES)):
        with pytest.raises(Refusal) as refusal:
            call()
        assert "lab/fish/image" in str(refusal.value)
        assert "adopt: true" in str(refusal.value)
    assert service.writes() == []


def test_adopted_channel_is_read_first_and_then_ours(service):
    make_by_hand(service)
    old = service.plan(channel_settings(adopt=True))
    body = IMAGE.strong.pack(np.full((4, 5, 6), 9, np.uint16))
    service.client.post_body(old.name, Box((0, 0, 0), (4, 5, 6)), body)
    service.ensure(old)
    stack = np.zeros(EXTENT, np.uint16)
    stack[0, 0, 0] = 3
    counts = service.upload(old, stack)
    assert (counts.sent, counts.empty) == (1, 7)
    assert np.array_equal(service.read(old), stack)
    # It carries our mark now, so another run needs no word of it.
    service.ensure(service.plan())
    assert service.upload(service.plan(), stack).kept == 8


def test_channel_made_anew_behind_the_ledger_is_sent_again(service):
    plan = service.plan()
    service.ensure(plan)
    service.upload(plan, ONES)
    service.client.request("DELETE", f"meta/{plan.name}/", (204,), params={"key": "brainpublish"})
    service.client.black_cutout(plan.name, Box((0, 0, 0), EXTENT))
    counts = service.upload(plan, ONES)
    assert counts.sent == 8
    assert np.array_equal(service.read(plan), ONES)
    assert service.upload(plan, ONES).kept == 8


@pytest.mark.parametrize("moment", ["before", "made", "answer lost", "unmarked"])
def test_killed_while_making_a_channel(service, monkeypatch, moment):
    plan = service.plan()
    if moment == "before":
        monkeypatch.setattr(resources, "_create", _killed)
    elif moment == "made":
        service.faults.add(Answer(method="POST", path="/v1/meta", status=403))
    elif moment == "answer lost":
        monkeypatch.setattr(client_module, "TRIES", 2)
        service.faults.add(Drop(method="POST", path=CHANNEL, when="reply"))
    else:
        monkeypatch.setattr(resources, "claim", _killed)
    with pytest.raises((Refusal, KeyboardInterrupt)):
        service.ensure(plan)
    monkeypatch.undo()
    service.faults.clear()
    # A job of its own does this, with a client of its own.
    service.client.stopping.clear()
    service.ensure(plan)
    marker = read_mark(service.client, plan.name, MARKER_KEY)
    assert marker == ChannelRecord(service.ledgers(plan.name)).marker
    service.faults.forget()
    assert service.upload(plan, ONES).sent == 8
    # Known to hold zeros: nothing was read before it was written.
    first = next(r for r in service.requests if "cutout" in r.path)
    assert first.method == "POST"


def _killed(*_):
    raise KeyboardInterrupt


def test_channel_that_others_made_while_a_killed_run_was_about_to_is_theirs(service, monkeypatch):
    plan = service.plan()
    service.ensure(service.plan(channel_settings("lab/fish/other")))
    monkeypatch.setattr(resources, "_create", _killed)
    with pytest.raises(KeyboardInterrupt):
        service.ensure(plan)
    monkeypatch.undo()
    service.client.stopping.clear()
    make_by_hand(service)
    with pytest.raises(Refusal, match="adopt: true"):
        service.ensure(plan)


def test_channel_that_is_gone(service):
    plan = service.plan()
    service.ensure(service.plan(channel_settings("lab/fish/other")))
    with pytest.raises(Refusal, match="Run the same command again"):
        require_channel(service.client, plan, service.ledgers(plan.name))
    assert ChannelRecord(service.ledgers(plan.name)).lost
    service.ensure(plan)
    assert ChannelRecord(service.ledgers(plan.name)).lost is None


def test_channel_that_seemed_to_be_gone_keeps_its_ledger(service):
    plan = service.plan()
    service.ensure(plan)
    service.upload(plan, ONES)
    service.faults.add(Answer(path=f"/v1/{plan.path}", status=404, times=1))
    with pytest.raises(Refusal, match="Run the same command again"):
        service.upload(plan, ONES)
    assert service.upload(plan, ONES).kept == 8
    assert ChannelRecord(service.ledgers(plan.name)).lost is None


def test_deleted_channel_whose_name_is_still_taken(service):
    plan = service.plan()
    service.ensure(plan)
    service.client.request("DELETE", plan.path, (204,))
    with pytest.raises(BossdbRefusal, match="marked for deletion"):
        service.ensure(plan)


def test_address_that_is_no_bossdb(service):
    service.faults.add(Answer(status=404))
    with pytest.raises(BossdbRefusal, match="does not answer as a BossDB does"):
        service.ensure(service.plan())


def test_public_keeps_sources(service):
    bone = service.plan(channel_settings("lab/fish/bone", "annotation", "uint64", source="image"))
    service.ensure(service.plan(), bone)
    make_public(service.client, "lab", "fish", "bone")
    facts = service.client.get_json(bone.path)
    assert (facts["public"], facts["sources"]) == (True, ["image"])
    assert service.client.get_json("collection/lab")["public"]


def test_downsampling_under_way_is_no_fault(service):
    plan = service.plan()
    service.ensure(plan)
    path = f"/v1/downsample/{plan.name}"
    service.faults.add(Answer(method="POST", path=path, status=409))
    refused = start_downsample(service.client, plan.name, "uint16", written=True)
    assert refused["status"] == "NOT_DOWNSAMPLED"
    assert refused["refused"].startswith("409")
    service.faults.clear()
    started = start_downsample(service.client, plan.name, "uint16", written=True)
    assert started["status"] in ("QUEUED", "IN_PROGRESS", "DOWNSAMPLED")


def test_downsampling_that_fails_for_a_moment_is_asked_for_again(service, monkeypatch):
    monkeypatch.setattr(after, "PAUSES", (0, 0))
    plan = service.plan()
    service.ensure(plan)
    path = f"/v1/downsample/{plan.name}"
    service.faults.add(Answer(method="POST", path=path, status=500, times=1))
    started = start_downsample(service.client, plan.name, "uint16", written=True)
    assert started["status"] in ("QUEUED", "IN_PROGRESS", "DOWNSAMPLED")
    service.client.request("DELETE", path.removeprefix("/v1/") + "/", (204, 409))
    service.faults.add(Answer(method="POST", path=path, status=500))
    refused = start_downsample(service.client, plan.name, "uint16", written=True)
    assert refused["refused"].startswith("500")


def test_experiment_that_bossdb_cannot_downsample_is_published_all_the_same(service):
    # Voxels that are not square in the plane: BossDB answers 400 to every question about it.
    plan = service.plan(channel_settings(voxel_size=[2.0, 3.0, 5.0]))
    frame = plan.frame | {"description": "by hand"}
    service.client.request("POST", "collection/lab", (201,), json={})
    service.client.request("POST", f"coord/{plan.channel['frame']}", (201,), json=frame)
    facts = {"coord_frame": plan.channel["frame"], "hierarchy_method": "anisotropic"}
    service.client.request("POST", plan.experiment, (201,), json=facts)
    service.ensure(plan)
    service.faults.forget()
    state = start_downsample(service.client, plan.name, "uint16", written=True)
    assert state["status"] == "unknown"
    assert state["refused"].startswith("400: ")
    assert len(service.requests) == 1
    assert wait_for_downsample(service.client, plan.name, state, 9) == state


def test_intern_never_falls_back_to_the_public_server(service, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PROTOCOL", "HOST", "TOKEN"):
        monkeypatch.delenv(f"INTERN_{name}", raising=False)
    hosts = set()
    send = TimeoutAdapter.send

    def watched(self, request, **options):
        hosts.add(request.url.split("/")[2])
        assert request.headers["Authorization"] == f"Token {service.client.endpoint.token}"
        return send(self, request, **options)

    monkeypatch.setattr(TimeoutAdapter, "send", watched)
    service.ensure(service.plan())
    assert hosts == {service.client.endpoint.host}


def test_resources_are_made_with_our_token_and_over_the_proxy_of_all_else(
    service, monkeypatch, tmp_path
):
    (tmp_path / ".netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid")
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    far = Endpoint("remote", "http", "bossdb.invalid", "far", service.client.endpoint.token)
    seen = []
    send = TimeoutAdapter.send

    def watched(self, request, **options):
        seen.append((request.headers["Authorization"], options["proxies"].get("http")))
        # As that proxy would.
        request.url = request.url.replace(far.host, service.client.endpoint.host)
        return send(self, request, **{**options, "proxies": {}})

    monkeypatch.setattr(TimeoutAdapter, "send", watched)
    with BossdbClient(far, 2) as client:
        ensure_resources(client, [service.plan()], service.ledgers)
    assert set(seen) == {(f"Token {far.token}", "http://proxy.invalid")}
    assert service.client.get_json(service.plan().path)["type"] == "image"
