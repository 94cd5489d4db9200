"""Resources, metadata, permissions and groups: status and code of every kind of request."""

import pytest
from bossdb_client import FRAME, running
from bossdb_table import DETAIL, EMPTY, HTML, differences, row

M, U, P, BAD = "manager", "user", "public", "nonsense"
COL, EXP, CHAN = "/collection/c", "/collection/c/experiment/e", "/collection/c/experiment/e/channel"
LONG = "n" * 256


@pytest.fixture
def client(tmp_path):
    with running(tmp_path / "store") as client:
        yield client


def check(client, rows):
    assert differences(client, rows) == []


def test_collections(client):
    check(
        client,
        [
            row(M, "GET", "/collection/", 200, holds='{"collections":[]}'),
            row(M, "GET", "/collection//", 200),
            row(None, "GET", "/collection/", 500, HTML),
            row(BAD, "GET", "/collection/", 401, DETAIL),
            row(M, "POST", "/collection/", 405, DETAIL, json={}),
            row(M, "POST", "/collection/c", 201, json={"description": "d", "name": "other"}),
            row(M, "GET", "/collection/c", 200, holds='"creator":"manager"'),
            row(M, "GET", "/collection/c/", 200, holds='"name":"c"'),
            row(M, "POST", "/collection/c", 400, 1003, json={}, holds="unique"),
            row(M, "POST", "/collection/C", 400, 1003, json={}, holds="unique"),
            row(M, "POST", "/collection/empty-body_1", 201),
            row(M, "POST", "/collection/unknown-field", 201, json={"colour": "red"}),
            row(U, "POST", "/collection/d", 403, 3000, json={}),
            row(P, "POST", "/collection/d", 403, 3000, json={}),
            row(None, "POST", "/collection/d", 401, DETAIL, json={}),
            row(BAD, "POST", "/collection/d", 401, DETAIL, json={}),
            row(M, "POST", "/collection/my.col", 400, 1003, json={}),
            row(M, "POST", "/collection/my col", 400, 1003, json={}),
            row(M, "POST", "/collection/Größe", 400, 1003, json={}),
            row(M, "POST", f"/collection/{LONG}", 400, 1003, json={}),
            row(M, "POST", f"/collection/{LONG[1:]}", 201, json={}),
            row(M, "POST", "/collection/d", 400, 1003, json={"description": "x" * 4097}),
            row(M, "POST", "/collection/d", 400, 1003, json={"description": None}, holds="null"),
            row(M, "POST", "/collection/d", 400, 1003, json={"public": "perhaps"}),
            row(M, "POST", "/collection/d", 400, DETAIL, data=b"{oops"),
            row(M, "POST", "/collection/d", 400, DETAIL, data=b'{"public": NaN}'),
            row(M, "POST", "/collection/d", 400, DETAIL, data=rb'{"description": "\ud800"}'),
            row(M, "POST", "/collection/d", 400, 1003, json=["a"]),
            row(
                M,
                "POST",
                "/collection/d",
                415,
                DETAIL,
                data=b"x",
                headers={"Content-Type": "text/plain"},
            ),
            row(M, "PATCH", "/collection/c", 405, DETAIL, json={}),
            row(U, "GET", "/collection/c", 403, 3001),
            row(P, "GET", "/collection/c", 403, 3001),
            row(None, "GET", "/collection/c", 403, 3001),
            row(M, "GET", "/collection/absent", 404, 4000),
            row(M, "PUT", "/collection/absent", 404, 4000, json={}),
            row(M, "DELETE", "/collection/absent", 404, 4000),
            row(U, "PUT", "/collection/c", 403, 3001, json={"public": True}),
            row(U, "DELETE", "/collection/c", 403, 3000),
            row(M, "PUT", "/collection/c", 200, json={"public": True, "colour": "red"}),
            row(None, "GET", "/collection/c", 200, holds='"public":true'),
            row(P, "GET", "/collection/c", 200),
            row(P, "GET", "/collection/", 200, holds='{"collections":["c"]}'),
            row(M, "PUT", "/collection/c", 400, 1003, json={"name": "empty-body_1"}),
            row(M, "PUT", "/collection/c", 400, 1003, json={"name": "a.b"}),
            row(M, "PUT", "/collection/c", 200, json={"name": "renamed"}, holds="renamed"),
            row(M, "GET", "/collection/c", 404, 4000),
            row(M, "DELETE", "/collection/renamed", 204, EMPTY),
            row(M, "GET", "/collection/renamed", 404, 4005),
            row(M, "DELETE", "/collection/renamed", 204, EMPTY),
            row(M, "POST", "/collection/renamed", 400, 1003, json={}, holds="unique"),
            row(M, "GET", "/nowhere", 404, HTML),
        ],
    )
    assert "renamed" not in client.call("GET", "/collection/").json()["collections"]


def test_coordinate_frames(client):
    def without(name):
        return {key: value for key, value in FRAME.items() if key != name}

    check(
        client,
        [
            row(M, "POST", "/coord/f", 201, json=FRAME, holds='"x_stop":1100'),
            row(M, "POST", "/coord/f", 400, 1003, json=FRAME, holds="unique"),
            row(U, "POST", "/coord/g", 403, 3000, json=FRAME),
            row(None, "POST", "/coord/g", 401, DETAIL, json=FRAME),
            row(M, "POST", "/coord/cf.a", 400, 1003, json=FRAME),
            *(
                row(M, "POST", "/coord/g", 400, 1003, json=without(name), holds="required")
                for name in FRAME
            ),
            row(M, "POST", "/coord/g", 400, 1003, json=FRAME | {"x_stop": 2048.5}),
            row(M, "POST", "/coord/g", 400, 1003, json=FRAME | {"x_stop": 2**31}),
            row(M, "POST", "/coord/g", 400, 1003, json=FRAME | {"x_stop": True}),
            row(M, "POST", "/coord/g", 400, 1003, json=FRAME | {"voxel_unit": "Nanometers"}),
            row(M, "POST", "/coord/g", 400, 1003, json=FRAME | {"voxel_unit": "nm"}),
            row(M, "POST", "/coord/g", 400, 1003, json=FRAME | {"x_voxel_size": "thin"}),
            row(M, "POST", "/coord/g", 400, 1003, json=FRAME | {"x_voxel_size": None}),
            row(M, "POST", "/coord/whole", 201, json=FRAME | {"x_stop": 2048.0}),
            row(M, "POST", "/coord/text", 201, json=FRAME | {"x_voxel_size": "4.5"}),
            row(M, "POST", "/coord/zero", 201, json=FRAME | {"x_voxel_size": 0}),
            row(M, "POST", "/coord/negative", 201, json=FRAME | {"x_voxel_size": -1}),
            row(M, "POST", "/coord/inverted", 201, json=FRAME | {"x_start": 9, "x_stop": 3}),
            row(None, "GET", "/coord/f", 200, holds='"z_voxel_size":40.0'),
            row(None, "GET", "/coord/", 200, holds='"f"'),
            row(P, "GET", "/coord/f/", 200),
            row(U, "GET", "/coord/?owner=True", 200, holds='{"coords":[]}'),
            row(M, "GET", "/coord/?owner=true", 200, holds='"f"'),
            row(M, "POST", "/coord/", 500, HTML, json=FRAME),
            row(M, "GET", "/coord/absent", 404, 4000),
            *(
                row(M, "PUT", "/coord/f", 400, 1003, json={name: value})
                for name, value in FRAME.items()
            ),
            row(M, "PUT", "/coord/f", 400, 1003, json={"public": True}),
            row(U, "PUT", "/coord/f", 403, 3001, json={"description": "mine"}),
            row(M, "PUT", "/coord/f", 200, json={"description": "new", "name": "f"}, holds="new"),
            row(M, "PUT", "/coord/f", 400, 1003, json={"name": "zero"}, holds="unique"),
            row(M, "POST", "/collection/c", 201, json={}),
            row(M, "POST", EXP, 201, json={"coord_frame": "f"}),
            row(M, "DELETE", "/coord/f", 400, 4003),
            row(U, "DELETE", "/coord/zero", 403, 3000),
            row(M, "DELETE", "/coord/zero", 204, EMPTY),
            row(M, "GET", "/coord/zero", 404, 4005),
            row(M, "POST", "/coord/zero", 400, 1003, json=FRAME, holds="unique"),
        ],
    )


def test_experiments(client):
    good = {"coord_frame": "f"}
    client.make("/coord/f", **FRAME)
    client.make("/collection/c")
    check(
        client,
        [
            row(M, "GET", f"{COL}/experiment/", 200, holds='{"experiments":[]}'),
            row(M, "GET", "/collection/absent/experiment/", 500, HTML),
            row(None, "GET", f"{COL}/experiment/", 500, HTML),
            row(M, "POST", f"{COL}/experiment", 405, DETAIL, json=good),
            row(M, "POST", EXP, 400, 1003, json={}),
            row(M, "POST", EXP, 404, 4000, json={"coord_frame": "absent"}),
            row(M, "POST", EXP, 400, 1003, json=good | {"hierarchy_method": "near_iso"}),
            row(M, "POST", EXP, 400, 1003, json=good | {"num_hierarchy_levels": "many"}),
            row(M, "POST", EXP, 400, 1003, json=good | {"time_step_unit": "hours"}),
            row(M, "POST", "/collection/absent/experiment/e", 404, 4000, json=good),
            row(U, "POST", EXP, 403, 3000, json=good),
            row(M, "POST", EXP, 201, json=good, holds='"time_step_unit":"seconds"'),
            row(M, "POST", EXP, 400, 1003, json=good, holds="unique"),
            *(
                row(
                    M,
                    "POST",
                    f"{COL}/experiment/l{levels}",
                    201,
                    json=good | {"num_hierarchy_levels": levels},
                )
                for levels in (0, -1, 99)
            ),
            row(
                M,
                "POST",
                f"{COL}/experiment/nul",
                201,
                json=good | {"time_step_unit": None},
                holds='"time_step_unit":null',
            ),
            row(M, "POST", f"{COL}/experiment/blank", 201, json=good | {"time_step_unit": ""}),
            row(M, "POST", f"{COL}/experiment/b.x", 400, 1003, json=good),
            row(M, "GET", EXP, 200, holds='"coord_frame":"f"'),
            row(U, "GET", EXP, 403, 3001),
            row(None, "GET", EXP, 403, 3001),
            row(M, "GET", f"{COL}/experiment/absent", 404, 4000),
            row(M, "PUT", EXP, 400, 1003, json={"coord_frame": "f"}),
            row(M, "PUT", EXP, 400, 1003, json={"colour": "red"}),
            row(M, "PUT", EXP, 400, 1003, json={"creator": "me"}),
            row(M, "PUT", EXP, 200, json={"num_hierarchy_levels": 3, "time_step": None}),
            row(M, "PUT", EXP, 200, json={"num_time_samples": 4, "hierarchy_method": "isotropic"}),
            row(M, "PUT", EXP, 500, HTML, json={"name": "l99"}),
            row(U, "PUT", EXP, 403, 3001, json={"description": "mine"}),
            row(M, "PUT", EXP, 200, json={"public": True}),
            row(None, "GET", EXP, 200),
            row(M, "POST", f"{CHAN}/i", 201, json={"type": "image", "datatype": "uint8"}),
            row(None, "GET", EXP, 200, holds='"channels":["i"]'),
            row(None, "GET", f"{CHAN}/i", 403, 3001),
            row(M, "DELETE", EXP, 400, 4003),
            row(M, "DELETE", COL, 400, 4003),
            row(M, "DELETE", f"{CHAN}/i", 204, EMPTY),
            row(M, "DELETE", EXP, 204, EMPTY),
            row(M, "GET", EXP, 404, 4005),
            row(M, "POST", EXP, 400, 1003, json=good),
            row(M, "POST", f"{CHAN}/orphan", 201, json={"type": "image", "datatype": "uint8"}),
        ],
    )


def test_channels(client):
    client.make_experiment("e", num_time_samples=2)
    image = {"type": "image", "datatype": "uint16"}
    labels = {"type": "annotation", "datatype": "uint64"}
    kinds = ("image", "annotation")
    types = [(kind, f"uint{bits}") for kind in kinds for bits in (8, 16, 32, 64)]
    check(
        client,
        [
            row(M, "GET", f"{CHAN}/", 200, holds='{"channels":[]}'),
            row(M, "GET", "/collection/c/experiment/absent/channel/", 500, HTML),
            *(
                row(M, "POST", f"{CHAN}/{kind}-{dtype}", 201,
                    json={"type": kind, "datatype": dtype})
                for kind, dtype in types
            ),
            *(
                row(M, "POST", f"{CHAN}/x", 400, 1003, json=image | {"datatype": dtype})
                for dtype in ("int8", "int64", "float32", "bool", "UINT8", "", None, 8)
            ),
            row(M, "POST", f"{CHAN}/x", 400, 1003, json={"type": "image"}, holds="datatype"),
            row(M, "POST", f"{CHAN}/x", 400, 1003, json={"datatype": "uint8"}, holds="type"),
            row(M, "POST", f"{CHAN}/x", 400, 1003, json=image | {"type": "mesh"}),
            row(M, "POST", f"{CHAN}/x", 400, 1003, json=image | {"default_time_sample": 2}),
            row(M, "POST", f"{CHAN}/x", 400, 1003, json=image | {"sources": ["absent"]}),
            row(M, "POST", f"{CHAN}/x", 400, 1003, json=image | {"sources": "image-uint8"}),
            row(M, "POST", f"{CHAN}/x", 400, 1003,
                json=image | {"sources": ["image-uint8"], "related": ["image-uint8"]}),
            row(M, "POST", f"{CHAN}/x", 403, 3001, json=image | {"bucket": "b"}),
            row(M, "POST", f"{CHAN}/x", 403, 3001, json=image | {"cv_path": "/b"}),
            row(M, "POST", f"{CHAN}/b8.x", 400, 1003, json=image),
            row(U, "POST", f"{CHAN}/x", 403, 3000, json=image),
            row(M, "POST", f"{CHAN}/i", 201, json=image | {"default_time_sample": 1},
                holds='"storage_type":"spdb","bucket":null,"cv_path":null'),
            row(M, "POST", f"{CHAN}/i", 400, 1003, json=image, holds="unique"),
            row(M, "POST", f"{CHAN}/done", 201, json=image | {"downsample_status": "DOWNSAMPLED"},
                holds='"downsample_status":"DOWNSAMPLED"'),
            row(M, "POST", f"{CHAN}/a", 201, json=labels | {"sources": ["i"], "related": ["done"]},
                holds='"sources":["i"]'),
            row(M, "GET", f"{CHAN}/done", 200, holds='"related":["a"]'),
            row(M, "DELETE", f"{CHAN}/i", 400, 4003),
            row(M, "GET", f"{CHAN}/absent", 404, 4000),
            row(U, "GET", f"{CHAN}/i", 403, 3001),
            row(None, "GET", f"{CHAN}/i", 403, 3001),
            row(M, "PUT", f"{CHAN}/a", 400, 1003, json={"type": "image"}),
            row(M, "PUT", f"{CHAN}/a", 400, 1003, json={"datatype": "uint8"}),
            row(M, "PUT", f"{CHAN}/a", 400, 1003, json={"downsample_status": "DOWNSAMPLED"}),
            row(M, "PUT", f"{CHAN}/a", 400, 1003, json={"default_time_sample": 2}),
            row(M, "PUT", f"{CHAN}/a", 403, 3001, json={"storage_type": "cloudvol"}),
            row(M, "PUT", f"{CHAN}/a", 403, 3001, json={"bucket": "b"}),
            row(M, "PUT", f"{CHAN}/a", 500, HTML, json={"sources": ["absent"]}),
            row(M, "PUT", f"{CHAN}/a", 500, HTML, json={"name": "i"}),
            row(U, "PUT", f"{CHAN}/a", 403, 3001, json={"public": True}),
            row(M, "PUT", f"{CHAN}/a", 200, json={"sources": ["i"], "related": ["done"]},
                holds='"sources":["i"]'),
            row(M, "PUT", f"{CHAN}/a", 200, json={"public": True}, holds='"sources":[]'),
            row(M, "GET", f"{CHAN}/done", 200, holds='"related":[]'),
            row(None, "GET", f"{CHAN}/a", 200),
            row(M, "DELETE", f"{CHAN}/i", 204, EMPTY),
            row(M, "GET", f"{CHAN}/i", 404, 4005),
            row(M, "DELETE", f"{CHAN}/i", 204, EMPTY),
            row(M, "POST", f"{CHAN}/i", 400, 1003, json=image, holds="unique"),
            row(P, "GET", f"{CHAN}/", 200, holds='{"channels":["a"]}'),
        ],
    )  # fmt: skip


def test_metadata(client):
    client.make_experiment()
    client.make_channel("i", public=True)
    paths = ("/meta/c", "/meta/c/e", "/meta/c/e/i")
    check(
        client,
        [
            item
            for path in paths
            for item in (
                row(M, "GET", path, 200, holds='{"keys":[]}'),
                row(M, "GET", f"{path}/?key=k", 400, 1003),
                row(M, "POST", f"{path}/?key=k", 400, 1003),
                row(M, "POST", f"{path}/?value=v", 400, 1003),
                row(M, "POST", f"{path}/?key=k&value=v", 201, EMPTY),
                row(M, "POST", f"{path}/?key=k&value=v", 400, 1003),
                row(M, "GET", f"{path}/?key=k", 200, holds='{"key":"k","value":"v"}'),
                row(M, "PUT", f"{path}/?key=k&value=w", 200, EMPTY),
                row(M, "GET", f"{path}?key=k", 200, holds='"w"'),
                row(M, "PUT", f"{path}/?key=other&value=w", 400, 1003),
                row(M, "PUT", f"{path}/?key=k", 400, 1003),
                row(P, "GET", path, 403, 3001),
                row(None, "GET", path, 403, 3001),
                row(U, "POST", f"{path}/?key=u&value=v", 403, 3001),
                row(None, "POST", f"{path}/?key=u&value=v", 401, DETAIL),
                row(BAD, "GET", path, 401, DETAIL),
                row(M, "DELETE", path, 400, 1003),
                row(M, "DELETE", f"{path}/?key=k", 204, EMPTY),
                row(M, "DELETE", f"{path}/?key=k", 400, 1003),
            )
        ]
        + [
            row(M, "GET", "/meta/absent", 404, 4000),
            row(M, "GET", "/meta/c/absent", 404, 4000),
            row(M, "GET", "/meta/c/e/absent", 404, 4000),
            row(M, "DELETE", f"{CHAN}/i", 204, EMPTY),
            row(M, "GET", "/meta/c/e/i", 404, 4005),
        ],
    )


def test_permissions_and_groups(client):
    client.make_experiment()
    client.make_channel("i")
    channel = {"collection": "c", "experiment": "e", "channel": "i"}
    reading = {"permissions": ["read", "read_volumetric_data"], "group": "lab"}
    query = "collection=c&experiment=e&channel=i"
    check(
        client,
        [
            row(M, "POST", "/groups/lab/", 201, EMPTY),
            row(M, "POST", "/groups/lab/", 404, 6001),
            row(U, "POST", "/groups/other/", 403, 3000),
            row(M, "GET", "/groups/", 200, holds='["lab","manager-primary","public"]'),
            row(M, "GET", "/groups/?filter=maintainer", 200, holds='{"groups":["lab"]}'),
            row(U, "GET", "/groups/", 200, holds='["public","user-primary"]'),
            row(M, "GET", "/groups/lab/", 200, holds='"owner":"manager"'),
            row(M, "GET", "/groups/absent/", 404, 4001),
            row(M, "GET", "/groups/lab/members/", 200, holds='{"members":["manager"]}'),
            row(M, "POST", "/groups/lab/members/user", 204, EMPTY),
            row(M, "POST", "/groups/lab/members/nobody", 404, 4002),
            row(M, "POST", "/groups/absent/members/user", 404, 4001),
            row(M, "POST", "/groups/public/members/user", 400, 1006),
            row(M, "POST", "/groups/admin/members/user", 400, 1006),
            row(U, "POST", "/groups/lab/members/user", 403, 3000),
            row(M, "GET", "/groups/lab/members/user", 200, holds='{"result":true}'),
            row(M, "GET", "/groups/lab/maintainers/", 200, holds='{"maintainers":["manager"]}'),
            row(M, "POST", "/groups/lab/maintainers/user", 204, EMPTY),
            row(M, "GET", "/groups/lab/maintainers/user", 200, holds='{"result":true}'),
            row(M, "DELETE", "/groups/lab/maintainers/user", 204, EMPTY),
            row(U, "GET", f"{CHAN}/i", 403, 3001),
            row(M, "POST", "/permissions/", 201, EMPTY, json=reading | channel),
            row(U, "GET", f"{CHAN}/i", 200),
            row(U, "GET", "/cutout/c/e/i/0/0:1/0:1/0:1", 200),
            row(M, "GET", f"/permissions/?group=lab&{query}", 200, holds='"read_volumetric_data"'),
            row(M, "GET", "/permissions/?group=lab", 200, holds='"channel":"i"'),
            row(M, "GET", "/permissions/", 200, holds='"group":"manager-primary"'),
            row(M, "GET", "/permissions/?group=absent", 404, 4001),
            row(M, "PATCH", "/permissions/", 200, EMPTY, json=reading | channel
                | {"permissions": ["read"]}),
            row(U, "GET", "/cutout/c/e/i/0/0:1/0:1/0:1", 403, 3001),
            *(
                row(M, "POST", "/permissions/", 400, 1000,
                    json={k: v for k, v in (reading | channel).items() if k != missing})
                for missing in ("permissions", "group", "collection")
            ),
            row(M, "POST", "/permissions/", 400, 1003, json=reading | channel
                | {"permissions": ["fly"]}),
            row(M, "POST", "/permissions/", 400, 1003,
                json=reading | {"collection": "c", "permissions": ["read_volumetric_data"]}),
            row(M, "POST", "/permissions/", 400, 1003, json=reading | channel
                | {"group": "public", "permissions": ["read", "update"]}),
            row(M, "POST", "/permissions/", 404, 4001, json=reading | channel | {"group": "no"}),
            row(M, "POST", "/permissions/", 404, 4000, json=reading | channel | {"channel": "no"}),
            row(U, "POST", "/permissions/", 403, 3000, json=reading | channel),
            row(M, "POST", "/permissions/", 201, EMPTY, json=reading | channel
                | {"group": "public"}),
            row(P, "GET", "/cutout/c/e/i/0/0:1/0:1/0:1", 200),
            row(M, "PATCH", "/permissions/", 400, 1003, json=reading | channel
                | {"group": "public"}),
            row(M, "PATCH", "/permissions/", 200, EMPTY, json=reading | channel
                | {"group": "public", "permissions": ["read"]}),
            row(P, "GET", "/cutout/c/e/i/0/0:1/0:1/0:1", 403, 3001),
            row(P, "GET", f"{CHAN}/i", 200),
            row(M, "DELETE", f"/permissions/?group=public&{query}", 204, EMPTY),
            row(P, "GET", f"{CHAN}/i", 403, 3001),
            row(M, "DELETE", "/permissions/?group=public", 400, 1000),
            row(M, "DELETE", "/groups/public/", 400, 1006),
            row(M, "DELETE", "/groups/lab/members/user", 204, EMPTY),
            row(U, "GET", "/groups/lab/", 403, 3001),
            row(M, "DELETE", "/groups/lab/", 204, EMPTY),
            row(M, "DELETE", "/groups/lab/", 404, 4001),
            row(U, "GET", f"{CHAN}/i", 403, 3001),
        ],
    )  # fmt: skip
