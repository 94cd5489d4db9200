"""Cutouts, downsampling and objects: status and code of every kind of request."""

import io
import zlib

import blosc
import numpy as np
import pytest
from bossdb_client import box_path, running
from bossdb_table import DETAIL, EMPTY, HTML, differences, row

M, U, P, BAD = "manager", "user", "public", "nonsense"
BLOSC = {"Content-Type": "application/blosc"}
JSON_WANTED = {"Accept": "application/json"}
SMALL = "0:4/0:3/0:2"


def packed(shape, dtype="uint16", value=1) -> bytes:
    return blosc.compress(np.full(shape, value, dtype), typesize=1, cname="lz4")


def npygz(shape, dtype="uint16") -> bytes:
    file = io.BytesIO()
    np.save(file, np.ones(shape, dtype))
    return zlib.compress(file.getvalue())


@pytest.fixture
def client(tmp_path):
    with running(tmp_path / "store") as client:
        client.make_experiment(num_hierarchy_levels=3, num_time_samples=3)
        client.make_channel("i")
        client.make_channel("open", public=True)
        client.make_channel("i8", dtype="uint8")
        client.make_channel("a", "annotation", "uint64", public=True)
        yield client


def check(client, rows):
    assert differences(client, rows) == []


def post(who, path, status, code=EMPTY, data=None, headers=BLOSC, **more):
    data = packed((2, 3, 4)) if data is None else data
    return row(who, "POST", path, status, code, data=data, headers=headers, **more)


def test_tokens_and_content_types_on_cutouts(client):
    path = f"/cutout/c/e/i/0/{SMALL}"
    check(
        client,
        [
            post(M, path, 201),
            post(M, f"{path}/", 201),
            row(M, "GET", path, 200),
            row(M, "GET", f"{path}/", 200, headers={"Content-Type": "application/json"}),
            post(BAD, path, 500, HTML),
            post(BAD, path, 500, HTML, headers=BLOSC | {"Accept": "application/blosc"}),
            post(BAD, path, 401, DETAIL, headers=BLOSC | JSON_WANTED),
            post(None, path, 500, HTML),
            post(None, path, 401, DETAIL, headers=BLOSC | JSON_WANTED),
            row(BAD, "GET", path, 500, HTML),
            row(BAD, "GET", path, 401, DETAIL, headers=JSON_WANTED),
            row(None, "GET", path, 500, HTML),
            row(U, "GET", path, 403, 3001),
            row(P, "GET", path, 403, 3001),
            post(U, path, 403, 3001),
            post(P, "/cutout/c/e/open/0/" + SMALL, 403, 3001),
            row(P, "GET", "/cutout/c/e/open/0/" + SMALL, 200),
            row(None, "GET", "/cutout/c/e/open/0/" + SMALL, 200),
            row(M, "PUT", path, 500, HTML),
            row(M, "PUT", path, 405, DETAIL, headers=JSON_WANTED),
            post(M, path, 500, HTML, headers={"Content-Type": "application/octet-stream"}),
            post(M, path, 415, DETAIL, headers={"Content-Type": "text/plain"} | JSON_WANTED),
            row(M, "GET", path, 500, HTML, headers=JSON_WANTED),
            row(M, "GET", path, 500, HTML, headers={"Accept": "text/plain"}),
            row(M, "GET", path, 500, HTML, headers={"Accept": "text/html"}),
            post(M, path, 201, headers=BLOSC | JSON_WANTED),
            row(M, "GET", f"{path}?access-mode=cache", 200),
            row(M, "GET", f"{path}?access-mode=no-cache", 200),
            row(M, "GET", f"{path}?access-mode=raw", 200),
            row(M, "GET", f"{path}?no-cache=true", 200),
            row(M, "GET", f"{path}?access-mode=fast", 500, HTML),
            row(M, "GET", f"{path}?no-cache=perhaps", 500, HTML),
            row(M, "GET", f"{path}?no-cache=true&access-mode=raw", 500, HTML),
            row(M, "GET", f"{path}?filter=1,2", 400, 2003),
            row(M, "GET", f"/cutout/c/e/a/0/{SMALL}?filter=1,2", 200),
            row(M, "GET", f"/cutout/c/e/a/0/{SMALL}?filter=one", 400, 1001),
            row(M, "GET", path, 400, 2001, headers={"Accept": "image/jpeg"}),
            row(M, "GET", f"/cutout/c/e/i8/0/{SMALL}", 200, headers={"Accept": "image/jpeg"}),
        ],
    )


def test_paths_and_ranges(client):
    def both(rest, status, code, channel="i"):
        yield row(M, "GET", f"/cutout/c/e/{channel}/{rest}", status, code)
        yield post(M, f"/cutout/c/e/{channel}/{rest}", status, code)

    refused = [
        ("0/-1:4/0:3/0:2", 404, HTML),
        ("0/4/0:3/0:2", 404, HTML),
        (f"10/{SMALL}", 404, HTML),
        (f"x/{SMALL}", 404, HTML),
        ("0/0:4/0:3", 404, HTML),
        (f"3/{SMALL}", 400, 1002),
        (f"9/{SMALL}", 400, 1002),
        ("0/4:4/0:3/0:2", 400, 1001),
        ("0/4:0/0:3/0:2", 400, 1001),
        ("0/1097:1101/0:3/0:2", 400, 1001),
        ("0/0:4/598:601/0:2", 400, 1001),
        ("0/0:4/0:3/39:41", 400, 1001),
        ("1/1097:1101/0:3/0:2", 400, 1001),
        (f"0/{SMALL}/4:5", 400, 1000),
        (f"0/{SMALL}/2:1", 400, 1000),
        (f"0/{SMALL}/0:5", 400, 1000),
    ]
    check(client, [item for case in refused for item in both(*case)])
    # The order of the checks: resource, right, time, level, range, body.
    check(
        client,
        [
            post(M, f"/cutout/absent/e/i/9/{SMALL}/9:10", 404, 4000),
            post(M, f"/cutout/c/absent/i/9/{SMALL}/9:10", 404, 4000),
            post(M, f"/cutout/c/e/absent/9/{SMALL}/9:10", 404, 4000),
            post(U, f"/cutout/c/e/i/9/{SMALL}/9:10", 403, 3001),
            post(M, "/cutout/c/e/i/9/4:4/0:3/0:2/9:10", 400, 1000),
            post(M, "/cutout/c/e/i/9/4:4/0:3/0:2", 400, 1002),
            post(M, "/cutout/c/e/i/0/4:4/0:3/0:2", 400, 1001, data=b"not blosc"),
            post(M, f"/cutout/c/e/i/2/{SMALL}", 400, 2001, data=b"not blosc"),
            post(M, f"/cutout/c/e/i/2/{SMALL}", 400, 9001),
            post(M, f"/cutout/c/e/i/1/{SMALL}", 201),
            row(M, "GET", f"/cutout/c/e/i/2/{SMALL}", 200),
            # One time sample too many is let pass.
            row(M, "GET", f"/cutout/c/e/i/0/{SMALL}/3:4", 200),
            post(M, f"/cutout/c/e/i/0/{SMALL}/0:1", 201),
            row(M, "DELETE", "/collection/c/experiment/e/channel/i", 204, EMPTY),
            post(M, f"/cutout/c/e/i/0/{SMALL}", 404, 4005),
            row(M, "GET", f"/cutout/c/e/i/0/{SMALL}", 404, 4005),
        ],
    )


def test_bodies(client):
    path, timed = f"/cutout/c/e/i/0/{SMALL}", f"/cutout/c/e/i/0/{SMALL}/0:2"
    npy = {"Content-Type": "application/npygz"}
    pickled = {"Content-Type": "application/blosc-python"}
    truncated = packed((2, 3, 4))[:-1]
    check(
        client,
        [
            post(M, path, 400, 2001, data=b"not blosc at all"),
            post(M, path, 400, 2001, data=b"x"),
            post(M, path, 400, 2001, data=truncated),
            post(M, path, 500, HTML, data=b""),
            post(M, path, 400, 2001, data=packed(25, "uint8")),
            post(M, path, 400, 2002, data=packed((2, 3, 4), "uint8")),
            post(M, path, 400, 2002, data=packed((2, 3, 5))),
            post(M, path, 400, 2002, data=packed((2, 3, 4), "uint64")),
            post(M, path, 201, data=packed((2, 3, 4), "int16")),
            post(M, path, 201, data=packed((2, 3, 4), ">u2")),
            post(M, path, 201, data=packed((4, 3, 2))),
            post(M, path, 201, data=packed((2, 3, 2), "float32")),
            post(M, timed, 400, 2002),
            post(M, timed, 201, data=packed((2, 2, 3, 4))),
            post(M, path, 201, data=npygz((2, 3, 4)), headers=npy),
            post(M, path, 400, 2001, data=npygz((2, 3, 4), "int16"), headers=npy),
            post(M, path, 400, 2002, data=npygz((2, 3, 3)), headers=npy),
            post(M, path, 400, 2002, data=npygz((4, 3, 2)), headers=npy),
            post(M, path, 500, HTML, data=b"garbage", headers=npy),
            post(M, path, 500, HTML, data=zlib.compress(b"garbage"), headers=npy),
            post(M, f"{path}/0:1", 201, data=npygz((2, 3, 4)), headers=npy),
            post(M, f"{path}/0:1", 201, data=npygz((1, 2, 3, 4)), headers=npy),
            post(M, path, 400, 2001, headers=pickled),
        ],
    )
    for cname in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
        for shuffle in (blosc.NOSHUFFLE, blosc.SHUFFLE, blosc.BITSHUFFLE):
            for typesize in (1, 2, 16, 255):
                body = blosc.compress(
                    np.ones((2, 3, 4), np.uint16), typesize=typesize, cname=cname, shuffle=shuffle
                )
                check(client, [post(M, path, 201, data=body)])


def test_types_that_cannot_be_kept(client):
    for kind in ("image", "annotation"):
        client.make_channel(f"{kind}32", kind, "uint32")
    client.make_channel("i64", "image", "uint64")
    client.make_channel("a8", "annotation", "uint8")
    client.make_channel("a16", "annotation", "uint16")
    check(
        client,
        [
            *(
                item
                for kind in ("image", "annotation")
                for item in (
                    post(M, f"/cutout/c/e/{kind}32/0/{SMALL}", 500, HTML),
                    row(M, "GET", f"/cutout/c/e/{kind}32/0/{SMALL}", 500, HTML),
                )
            ),
            post(M, f"/cutout/c/e/i64/0/{SMALL}", 400, 9001, data=packed((2, 3, 4), "uint64")),
            row(M, "GET", f"/cutout/c/e/i64/0/{SMALL}", 500, HTML),
            post(M, f"/cutout/c/e/a8/0/{SMALL}", 201, data=packed((2, 3, 4), "uint8")),
            row(M, "GET", f"/cutout/c/e/a8/0/{SMALL}", 200),
            post(M, f"/cutout/c/e/a16/0/{SMALL}", 201),
            post(M, f"/cutout/c/e/a/1/{SMALL}", 201, data=packed((2, 3, 4), "uint64")),
            row(M, "GET", f"/cutout/c/e/a/1/{SMALL}", 500, HTML),
        ],
    )


def test_size_limit(client):
    big = {"x_stop": 20_000, "y_stop": 20_000, "z_stop": 1000}
    client.make_experiment("big", frame=big)
    client.make_channel("i8", dtype="uint8", experiment="big")
    client.make_channel("i16", experiment="big")
    client.make_channel("a", "annotation", "uint64", experiment="big")

    def over(channel, area, depth):
        path = f"c/big/{channel}/0/0:512/0:{area // 512}/0:{depth}"
        yield post(M, f"/cutout/{path}", 413, 2000)
        yield row(M, "GET", f"/cutout/{path}", 413, 2000)
        yield row(M, "PUT", f"/cutout/to_black/{path}", 413, 2000)

    def within(channel, area, depth):
        path = f"c/big/{channel}/0/0:512/0:{area // 512}/0:{depth}"
        yield row(M, "PUT", f"/cutout/to_black/{path}", 200, EMPTY)
        yield post(M, f"/cutout/{path}", 400, 2001, data=b"not blosc at all")

    area = 512 * 512
    check(client, [*within("i8", area * 13, 160), *over("i8", area * 13, 161)])
    check(client, [*within("i16", area * 13, 80), *over("i16", area * 13, 81)])
    check(client, [*within("a", area * 13, 80), *over("a", area * 13, 81)])


def test_erasing(client):
    path = f"/cutout/to_black/c/e/i/0/{SMALL}"
    check(
        client,
        [
            row(M, "PUT", path, 200, EMPTY),
            row(M, "PUT", f"{path}/0:1/", 200, EMPTY),
            row(BAD, "PUT", path, 401, DETAIL),
            row(None, "PUT", path, 401, DETAIL),
            row(U, "PUT", path, 403, 3001),
            row(M, "POST", path, 405, DETAIL),
            row(M, "GET", path, 405, DETAIL),
            row(M, "PUT", "/cutout/to_black/c/e/i/0/1097:1101/0:3/0:2", 400, 1001),
            row(M, "PUT", f"/cutout/to_black/c/e/i/3/{SMALL}", 400, 1002),
            row(M, "PUT", f"/cutout/to_black/c/e/i/2/{SMALL}", 500, HTML),
            row(M, "PUT", f"/cutout/to_black/c/e/absent/0/{SMALL}", 404, 4000),
        ],
    )


def test_downsampling(client):
    client.make_experiment("odd", frame={"x_voxel_size": 5}, num_hierarchy_levels=2)
    client.make_channel("i", experiment="odd")
    huge = {"x_stop": 200_000, "y_stop": 200_000, "z_stop": 4000}
    client.make_experiment("huge", frame=huge)
    client.make_channel("i", experiment="huge")
    client.make_experiment("deep", num_hierarchy_levels=99)
    client.make_channel("i", experiment="deep")
    client.make_channel("done", downsample_status="DOWNSAMPLED")
    client.make_channel("queued", downsample_status="QUEUED", public=True)
    one = "/downsample/c/e"
    check(
        client,
        [
            row(M, "GET", f"{one}/i", 200, holds='"status":"NOT_DOWNSAMPLED"'),
            row(M, "GET", f"{one}/i?iso=true", 200, holds='"cuboid_size":{"0":[512,512,16]'),
            row(U, "GET", f"{one}/i", 403, 3001),
            row(None, "GET", f"{one}/queued", 200, holds="QUEUED"),
            row(M, "GET", f"{one}/absent", 404, 4000),
            row(M, "POST", f"{one}/queued", 409, 2006, json={}),
            row(M, "POST", f"{one}/done", 409, 2006, json={}),
            row(M, "DELETE", f"{one}/done", 409, 2006),
            row(M, "DELETE", f"{one}/i", 409, 2006),
            row(U, "POST", f"{one}/i", 403, 3001, json={}),
            row(None, "POST", f"{one}/i", 401, DETAIL, json={}),
            row(U, "DELETE", f"{one}/queued", 403, 3001),
            row(M, "DELETE", f"{one}/queued", 204, EMPTY),
            row(M, "GET", f"{one}/queued", 200, holds='"status":"NOT_DOWNSAMPLED"'),
            row(M, "GET", "/downsample/c/odd/i", 400, 9001),
            row(M, "POST", "/downsample/c/odd/i", 500, HTML, json={}),
            row(M, "POST", "/downsample/c/huge/i", 409, 2006, json={}),
            row(M, "GET", "/downsample/c/deep/i", 500, HTML),
            post(M, f"/cutout/c/e/done/0/{SMALL}", 201),
            row(M, "GET", f"{one}/done", 200, holds='"status":"NOT_DOWNSAMPLED"'),
        ],
    )


def test_objects(client):
    voxels = np.zeros((2, 3, 4), np.uint64)
    voxels[0, 1, 2], voxels[1, 2, 3] = 5, 2**40
    assert client.post("a", (510, 7, 15), voxels).status_code == 201
    box = box_path("a", (510, 7, 15), voxels.shape, prefix="/ids")
    bounds = "/boundingbox/c/e/a/0"
    check(
        client,
        [
            row(M, "GET", "/reserve/c/e/a/10", 200, holds='{"start_id":1,"count":"10"}'),
            row(M, "GET", "/reserve/c/e/a/3/", 200, holds='{"start_id":11,"count":"3"}'),
            row(U, "GET", "/reserve/c/e/a/3", 403, 3001),
            row(M, "GET", "/reserve/c/e/i/3", 500, HTML),
            row(M, "GET", "/reserve/c/e/a/x", 404, HTML),
            row(M, "GET", box, 200, holds='{"ids":["5","1099511627776"]}'),
            row(M, "GET", f"{box}/0:1/", 200, holds='{"ids":["5","1099511627776"]}'),
            row(U, "GET", box, 403, 3001),
            row(M, "GET", f"/ids/c/e/i/0/{SMALL}", 400, 2003),
            row(M, "GET", f"/ids/c/e/a/0/{SMALL}", 200, holds='{"ids":[]}'),
            row(M, "GET", "/ids/c/e/a/0/0:1100/0:600/0:40", 200, holds='"5"'),
            row(M, "GET", f"{bounds}/5/?type=tight", 200,
                holds='"x_range":[512,513],"y_range":[8,9],"z_range":[15,16],"t_range":[0,1]'),
            row(M, "GET", f"{bounds}/5", 200, holds='"x_range":[512,1024],"y_range":[0,512]'),
            row(M, "GET", f"{bounds}/6", 404, 4004),
            row(M, "GET", f"{bounds}/0", 404, 4004),
            row(M, "GET", f"{bounds}/five", 400, 1002),
            row(M, "GET", f"{bounds}/5?type=round", 400, 1005),
            row(M, "GET", "/boundingbox/c/e/a/3/5", 400, 1002),
            row(M, "GET", "/boundingbox/c/e/i/0/5", 400, 2003),
        ],
    )  # fmt: skip


def test_other_paths(client):
    assert client.call("GET", "/ping/", None, root="").status_code == 200
    assert client.call("GET", "/collection/c", root="/latest").json()["name"] == "c"
    assert client.call("GET", "/collection/c", root="/v0.8").json()["code"] == 9003
    described = client.call("GET", "/openapi.json", None, root="").json()["paths"]
    box = "{resolution}/{x}/{y}/{z}"
    assert set(described[f"/v1/cutout/{{collection}}/{{experiment}}/{{channel}}/{box}"]) == {
        "parameters",
        "get",
        "post",
    }
    for path, operations in described.items():
        for method, operation in operations.items():
            assert method == "parameters" or operation["summary"], path
