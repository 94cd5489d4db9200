"""What an upload job declares follows from cuboids under way, not from the machine or the stack."""

import math

import pytest

from brainpublish.bossdb.bounds import (
    JOINED_BYTES,
    LOCAL_CONNECTIONS,
    MOST_WORKERS,
    memory_bound,
    run_length,
    workers,
)
from brainpublish.slices.slabs import CUBOID

ITEM = {"uint8": 1, "uint16": 2, "uint64": 8}


@pytest.mark.parametrize("dtype", ITEM)
@pytest.mark.parametrize("connections", [1, 8, 64])
def test_bound_holds_a_raw_cuboid_for_each_connection_and_worker(dtype, connections):
    cuboid = math.prod(CUBOID) * ITEM[dtype] / 2**20
    bound = memory_bound(connections, dtype, local=False)
    assert bound > (connections + 4 * MOST_WORKERS) * cuboid
    joining = JOINED_BYTES / 2**20
    more = memory_bound(connections + 1, dtype, local=False)
    assert cuboid + joining - 1 <= more - bound <= cuboid + joining + 1


@pytest.mark.parametrize("dtype", ITEM)
def test_cuboids_are_joined_on_their_way_to_another_machine(dtype):
    length = run_length(dtype, local=False)
    assert length > 1
    assert length * math.prod(CUBOID) * ITEM[dtype] <= 2**27
    assert run_length(dtype, local=True) == 1


def test_embedded_service_counts_but_not_beyond_its_connections():
    assert memory_bound(2, "uint16", local=True) > memory_bound(2, "uint16", local=False)
    assert memory_bound(LOCAL_CONNECTIONS, "uint16", True) == memory_bound(64, "uint16", True)


def test_some_cores_but_not_all_of_a_large_machine():
    assert 1 <= workers() <= MOST_WORKERS
