"""The upload engine against the embedded service: what arrives, what is sent, what is proven."""

import collections
import contextlib
import re
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from uploads import EXTENT, FULL, NONE, channel_settings, service_over

from brainpublish.bossdb.cuboids import Box
from brainpublish.bossdb.progress import Progress
from brainpublish.bossdb.upload import Verification
from brainpublish.findings import Refusal
from brainpublish.local.faults import Answer, Drop
from brainpublish.packing import IMAGE

LABELS = channel_settings("lab/fish/bone", "annotation", "uint64")
CUTOUT, BLACK = "/v1/cutout/lab", "/v1/cutout/to_black"


@pytest.fixture
def service(tmp_path):
    with service_over(tmp_path) as running:
        yield running


@pytest.fixture
def stack():
    """20 slices of 520 x 530 with a black half: 8 cuboids, all cut at the volume's edge or not."""
    values = np.random.default_rng(3).integers(0, 60_000, EXTENT, np.uint16)
    values[:, :, :260] = 0
    values[16:] = 0
    return values


def sent_cuboids(service) -> list[str]:
    return [path for method, path in service.writes() if path.startswith("/v1/cutout")]


def test_what_is_uploaded_is_there_and_blank_cuboids_are_not_sent(service, stack):
    plan = service.plan()
    service.ensure(plan)
    counts = service.upload(plan, stack)
    assert np.array_equal(service.read(plan), stack)
    assert (counts.total, counts.sent, counts.empty, counts.verified) == (8, 4, 4, 8)
    assert counts.raw == 2 * 16 * 520 * 530
    assert len(sent_cuboids(service)) == 4


def test_no_change_writes_nothing_and_reads_no_voxel(service, stack):
    plan = service.plan()
    service.ensure(plan)
    service.upload(plan, stack)
    service.faults.forget()
    counts = service.upload(plan, stack)
    assert (counts.kept, counts.verified) == (8, 8)
    assert service.writes() == []
    assert not [r for r in service.requests if "cutout" in r.path]


def test_only_what_travels_tells_how_fast_it_goes(service, stack, monkeypatch):
    plan = service.plan()
    service.ensure(plan)
    service.upload(plan, stack)
    stack[3, 515, 525] = 60_001
    travelled = []
    monkeypatch.setattr(Progress, "done", lambda self, size, moved: travelled.append(moved))
    service.upload(plan, stack)
    assert (travelled.count(True), travelled.count(False)) == (2, 7)
    travelled.clear()
    service.ledgers(plan.name).joinpath("channel.json").unlink()
    service.upload(plan, stack)
    assert travelled == [True] * 8


def test_one_changed_voxel_sends_its_cuboid_alone(service, stack):
    plan = service.plan()
    service.ensure(plan)
    service.upload(plan, stack)
    service.faults.forget()
    stack[3, 515, 525] = 60_001
    counts = service.upload(plan, stack)
    assert (counts.sent, counts.kept) == (1, 7)
    box = "lab/fish/image/0/512:530/512:520/0:16"
    assert service.writes() == [("PUT", f"{BLACK}/{box}/"), ("POST", f"/v1/cutout/{box}/")]
    assert np.array_equal(service.read(plan), stack)


def test_labels_are_expanded_block_by_block(service):
    plan = service.plan(LABELS)
    service.ensure(plan)
    mask = np.zeros(EXTENT, np.uint8)
    mask[5:9, 100:515, 7:20] = 1
    service.upload(plan, mask, label=2**64 - 1)
    assert np.array_equal(service.read(plan), mask * np.uint64(2**64 - 1))
    service.faults.forget()
    counts = service.upload(plan, mask, label=3)
    assert np.array_equal(service.read(plan), mask * np.uint64(3))
    # Cuboids without a label are as empty under another one.
    blacked = [path for method, path in service.writes() if method == "PUT" and BLACK in path]
    assert (counts.sent, counts.erased, counts.kept, len(blacked)) == (2, 0, 6, 2)


def test_slabs_one_by_one_are_the_volume(service, stack):
    plan = service.plan()
    service.ensure(plan)
    for z in (range(16), range(16, 20)):
        service.upload(plan, stack, z=z)
    assert np.array_equal(service.read(plan), stack)


def masks_of(depth: int) -> np.ndarray:
    """Return a mask of two columns of cuboids, some of which are blank."""
    mask = np.zeros((depth, 512, 600), np.uint8)
    mask[:, 10:300, 20:40] = 1
    mask[32:48, :, :512] = 0
    mask[50, 5, 599] = 1
    return mask


def test_small_cuboids_that_follow_each_other_are_sent_as_one(service):
    plan = service.plan(LABELS, (100, 512, 600))
    service.ensure(plan)
    mask = masks_of(100)
    counts = service.upload(plan, mask, run_length=4)
    # The column of two blocks: z 0 to 31 and 48 to 99, of which the last is of another run.
    spans = sorted(path.split("/")[-2] for path in sent_cuboids(service))
    assert spans == ["0:32", "48:64", "48:64", "64:100"]
    assert (counts.sent, counts.empty, counts.verified) == (7, 7, 14)
    assert np.array_equal(service.read(plan), mask)
    service.faults.forget()
    mask[20, 11, 25] = 0
    mask[70, 11, 25] = 0
    service.upload(plan, mask, run_length=4)
    # Where voxels became 0, old ones are blackened first, cuboid by cuboid.
    assert len(sent_cuboids(service)) == 4
    assert np.array_equal(service.read(plan), mask)


@pytest.mark.parametrize(
    "fault", [Answer(path="/v1/cutout", status=503, times=2), Drop(path="/v1/cutout", times=2)]
)
def test_joined_cuboids_are_sent_again_whole(service, fault):
    plan = service.plan(LABELS, (100, 512, 600))
    service.ensure(plan)
    mask = masks_of(100)
    service.faults.add(fault)
    counts = service.upload(plan, mask, run_length=4)
    assert counts.sent == 7
    assert np.array_equal(service.read(plan), mask)


@pytest.mark.parametrize(
    ("lost", "sent"), [("", 1), ("channel.json", 1), ("z000000.jsonl", 4), ("damaged", 4)]
)
def test_lost_ledger_costs_a_read_back_or_a_resend(service, stack, lost, sent):
    plan = service.plan()
    service.ensure(plan)
    service.upload(plan, stack)
    folder = service.ledgers(plan.name)
    if lost == "damaged":
        (folder / "z000000.jsonl").write_bytes(b"\0" * 50 + b"\n")
    elif lost:
        (folder / lost).unlink()
    else:
        shutil.rmtree(folder)
    service.faults.forget()
    stack[2:5, 100:510, 300:500] = 0
    assert service.upload(plan, stack).sent == sent
    assert np.array_equal(service.read(plan), stack)


def test_another_slab_depth_leaves_nothing_over(service, stack):
    plan = service.plan()
    service.ensure(plan)
    stack[16:] = 7
    for z in (range(16), range(16, 20)):
        service.upload(plan, stack, z=z)
    stack[17, :, 300:] = 0
    service.upload(plan, stack, z=range(20))
    assert np.array_equal(service.read(plan), stack)


def test_one_flipped_voxel_on_the_server_is_found_and_its_cuboid_named(service, stack):
    plan = service.plan()
    service.ensure(plan)
    service.upload(plan, stack, verify=NONE)
    box = Box((4, 514, 300), (5, 515, 301))
    service.client.post_body(plan.name, box, IMAGE.strong.pack(stack[box.slices] ^ 1))
    with pytest.raises(Refusal) as refusal:
        service.upload(plan, stack, patience=0)
    assert "1 of 8 cuboids read back differ" in str(refusal.value)
    assert "z 0:16 y 512:520 x 0:512: 1 of 65,536 voxels" in str(refusal.value)
    service.upload(plan, stack)
    assert np.array_equal(service.read(plan), stack)


def test_cuboids_that_stay_wrong_share_the_patience_of_their_slab(service, stack, monkeypatch):
    monkeypatch.setattr("brainpublish.bossdb.upload.LEAST_SECONDS", 0)
    plan = service.plan()
    service.ensure(plan)
    stack[:] = 5
    service.upload(plan, stack, verify=NONE)
    body = IMAGE.strong.pack(np.full(EXTENT, 6, np.uint16))
    service.client.post_body(plan.name, Box((0, 0, 0), EXTENT), body)
    service.faults.forget()
    with pytest.raises(Refusal, match="8 of 8 cuboids read back differ"):
        service.upload(plan, stack, patience=2)
    asked = [r.path for r in service.requests if r.method == "GET" and CUTOUT in r.path]
    reads = collections.Counter(asked)
    # Three connections and two workers: five are waited for at once, and leave three little time.
    counts = sorted(reads.values())
    assert len(counts) == 8
    assert counts[2] < counts[3]


def test_delays_of_the_server_are_waited_for(service, stack):
    plan = service.plan()
    service.ensure(plan)
    service.upload(plan, stack)
    service.conditions.flush_delay = 0.6
    stack[1, 100:200, 300:400] = 0
    # A blackened block is seen late, and no read of it waits.
    stack[:, :512, :512] = 0
    counts = service.upload(plan, stack, patience=30)
    assert counts.erased == 1
    service.conditions.flush_delay = 0
    assert np.array_equal(service.read(plan), stack)


def test_sample_reads_the_same_cuboids_again_and_none_reads_none(service, stack):
    plan = service.plan()
    service.ensure(plan)
    counts = service.upload(plan, stack, verify=Verification("sample", 0.25, "seed"))
    read = {r.path for r in service.requests if r.method == "GET" and "cutout" in r.path}
    assert counts.verified == len(read) == 2
    assert Verification("sample", 0.25, "seed").claim() == {
        "mode": "sample",
        "share": 0.25,
        "seed": "seed",
    }
    service.faults.forget()
    other = service.plan(LABELS)
    service.ensure(other)
    assert service.upload(other, np.ones(EXTENT, np.uint8), verify=NONE).verified == 0
    assert not [r for r in service.requests if r.method == "GET" and "cutout" in r.path]
    assert "NOT VERIFIED" in NONE.claim()["warning"]


def test_wider_type_of_the_stack_sends_only_what_differs(service):
    plan = service.plan(LABELS)
    service.ensure(plan)
    labels = np.random.default_rng(4).integers(0, 9, EXTENT, np.uint8)
    service.upload(plan, labels)
    wider = labels.astype(np.uint16)
    wider[0, 0, 0] = 300
    counts = service.upload(plan, wider)
    assert (counts.sent, counts.kept) == (1, 7)
    assert np.array_equal(service.read(plan), wider)


def test_requests_in_flight_are_no_more_than_connections(service, stack, monkeypatch):
    plan = service.plan()
    service.ensure(plan)
    stack[:] = 9
    post, flying, seen, guard = service.client.post_body, [], [], threading.Lock()

    def counted(*arguments):
        with guard:
            flying.append(1)
            seen.append(len(flying))
        time.sleep(0.02)
        post(*arguments)
        with guard:
            flying.pop()

    monkeypatch.setattr(service.client, "post_body", counted)
    service.upload(plan, stack, workers=6, verify=NONE)
    assert len(seen) == 8
    assert max(seen) == service.client.connections == 3


def test_quota_stops_with_how_far_it_got_and_the_same_call_goes_on(service, stack):
    plan = service.plan()
    service.ensure(plan)
    stack[:] = 9
    service.faults.add(Answer(method="POST", path=CUTOUT, skip=3, status=429))
    with pytest.raises(Refusal) as refusal:
        service.upload(plan, stack, workers=1, title="this slab")
    assert "answer 429" in str(refusal.value)
    assert re.search("this slab: brought [0-3] of 8 cuboids", str(refusal.value))
    assert "Run the same command again" in str(refusal.value)
    posts = len(sent_cuboids(service))
    assert posts <= 3 + 3
    service.faults.clear()
    service.faults.forget()
    service.client.stopping.clear()
    counts = service.upload(plan, stack)
    assert counts.kept == 3
    assert np.array_equal(service.read(plan), stack)


def test_block_interrupted_between_black_and_post_is_made_whole(service, stack):
    plan = service.plan()
    service.ensure(plan)
    service.upload(plan, stack)
    stack[3, 400:, 300:520] = 0
    service.faults.add(Answer(method="POST", path=CUTOUT, status=403))
    with pytest.raises(Refusal, match="has no right to do this"):
        service.upload(plan, stack)
    service.faults.clear()
    service.client.stopping.clear()
    service.upload(plan, stack)
    assert np.array_equal(service.read(plan), stack)


@pytest.mark.parametrize("when", ["before_body", "after_body", "reply"])
def test_broken_connections_are_tried_again(service, stack, when):
    plan = service.plan()
    service.ensure(plan)
    for path in (CUTOUT, BLACK):
        service.faults.add(Drop(path=path, when=when, times=2))
    service.upload(plan, stack)
    stack[:16, 500:] = 0
    service.upload(plan, stack)
    assert np.array_equal(service.read(plan), stack)


class Corrections(RuleBasedStateMachine):
    """Any sequence of corrections, refusals, lost ledgers: no wrong voxel is left."""

    @initialize(dtype=st.sampled_from(["uint8", "uint16", "uint64"]))
    def begin(self, dtype):
        self.stack = contextlib.ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.service = self.stack.enter_context(service_over(folder))
        kind = "annotation" if dtype == "uint64" else "image"
        self.plan = self.service.plan(channel_settings(kind=kind, dtype=dtype), (50, 4, 514))
        self.service.ensure(self.plan)
        self.values = np.zeros(self.plan.extent, dtype)

    @rule(
        z=st.integers(0, 49),
        x=st.integers(0, 513),
        depth=st.integers(1, 50),
        width=st.integers(1, 514),
        value=st.sampled_from([0, 0, 1, 200]),
    )
    def correct(self, z, x, depth, width, value):
        self.values[z : z + depth, :2, x : x + width] = value

    @rule(verify=st.sampled_from([FULL, NONE]), run_length=st.sampled_from([1, 3, 4]))
    def upload(self, verify, run_length):
        self.service.client.stopping.clear()
        self.service.upload(self.plan, self.values, verify, run_length=run_length)
        self.agreed = self.values.copy()

    @rule(skip=st.integers(0, 3), method=st.sampled_from(["POST", "PUT"]))
    def fail(self, skip, method):
        self.agreed = None
        self.service.client.stopping.clear()
        self.service.faults.add(Answer(method=method, path="/v1/cutout", skip=skip, status=403))
        try:
            self.service.upload(self.plan, self.values, run_length=4)
            self.agreed = self.values.copy()
        except Refusal:
            pass
        finally:
            self.service.faults.clear()

    @rule(layer=st.sampled_from([0, 16, 48]))
    def lose_a_ledger(self, layer):
        path = self.service.ledgers(self.plan.name) / f"z{layer:06}.jsonl"
        path.unlink(missing_ok=True)

    agreed = None

    @invariant()
    def server_holds_what_was_uploaded_last(self):
        if self.agreed is not None:
            assert np.array_equal(self.service.read(self.plan), self.agreed)

    def teardown(self):
        if hasattr(self, "stack"):
            self.stack.close()


TestCorrections = Corrections.TestCase
TestCorrections.settings = hypothesis_settings(max_examples=15, stateful_step_count=12)
