"""Progress that a person can read, at a calm pace."""

import logging

from brainpublish.bossdb.progress import Progress


def test_blocks_bytes_rate_and_time_left_at_a_calm_pace(caplog):
    now, shown = [0.0], []
    progress = Progress("a/b/c, slab 1 of 2: brought", 1000, 8, lambda: now[0], shown.append)
    with caplog.at_level(logging.INFO):
        for _ in range(1000):
            now[0] += 0.1
            progress.done(10_000_000)
    logged = [record.message for record in caplog.records]
    assert 9 <= len(logged) <= 11
    assert len(shown) == 3
    assert shown[0] == (
        "a/b/c, slab 1 of 2: brought 300 of 1000 cuboids (30%), 3.0 GB of voxels, 100.0 MB/s, "
        "about 1 min 10 s left"
    )
    assert (
        logged[-1]
        == "a/b/c, slab 1 of 2: brought 1000 of 1000 cuboids (100%), 10.0 GB of voxels, 100.0 MB/s"
    )


def test_what_was_there_already_tells_nothing_of_the_time_left():
    now = [0.0]
    progress = Progress("brought", 1000, clock=lambda: now[0])
    for _ in range(900):
        progress.done(10_000_000, moved=False)
    now[0] = 1.0
    assert progress.text(now[0]) == "brought 900 of 1000 cuboids (90%), 9.0 GB of voxels"
    now[0] = 20.0
    for _ in range(10):
        progress.done(10_000_000)
    assert progress.text(now[0]) == (
        "brought 910 of 1000 cuboids (91%), 9.1 GB of voxels, 5.0 MB/s, about 3 min 0 s left"
    )


def test_first_blocks_of_those_under_way_tell_nothing_of_the_time_left():
    now = [0.0]
    progress = Progress("brought", 100, 8, lambda: now[0])
    now[0] = 40.0
    for _ in range(8):
        progress.done(10_000_000)
    assert progress.text(now[0]) == "brought 8 of 100 cuboids (8%), 80.0 MB of voxels, 2.0 MB/s"
    progress.done(10_000_000)
    assert progress.text(now[0]).endswith(", about 6 min 44 s left")
