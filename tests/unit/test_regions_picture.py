"""Pictures of features: what they show, and that they are drawn once."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from brainpublish.files import digest_of_json
from brainpublish.regions.flatmap import DRAWING, drawing_file, flat_map
from brainpublish.regions.grid import SHAPE, encoded, range_of, volume_payload
from brainpublish.regions.mapping import build_operator
from brainpublish.regions.payload import feature_payload
from brainpublish.regions.picture import (
    COLOURS,
    GREY,
    coloured,
    finest,
    ontology_rows,
    picture,
    shown_digest,
    value_row,
)
from brainpublish.regions.pictures import draw_bucket
from brainpublish.regions.universe import SIDE_SHIFT, brain_regions, universe

MAPPED = build_operator([-985]).apply([3.0])  # MOp
INDEX = {region.acronym: region.index for region in universe().regions}


def payload(values):
    ids = [-universe().regions[INDEX[acronym]].atlas_id for acronym in values]
    numbers = list(values.values())
    mapped = {"mean": build_operator(ids).apply(numbers)}
    return feature_payload(mapped, numbers, "Hz", "a feature")


def test_the_finest_regions_take_the_value_of_the_nearest_region_above():
    data = payload({"MOp": 3.0, "TH": 0.0, "VISa1": -1.0})["feature_data"]["mappings"]
    column = {index: at for at, index in enumerate(finest())}
    left = value_row(data["allen"]["data"], SIDE_SHIFT)
    assert left[column[INDEX["MOp6a"]]] == 3.0
    assert left[column[INDEX["VISa1"]]] == -1.0
    assert np.isnan(left[column[INDEX["CA1slm"]]])
    assert np.isnan(value_row(data["allen"]["data"], 0)).all()
    colours = coloured(left, -1.0, 3.0)
    assert colours[column[INDEX["MOp6a"]]] == pytest.approx(COLOURS(1.0)[:3])
    assert tuple(colours[column[INDEX["VPMpc"]]]) == GREY, "exactly 0 is grey"
    assert tuple(colours[column[INDEX["CA1slm"]]]) == GREY, "no value is grey"


def test_the_ontology_is_drawn_in_the_colours_of_the_atlas():
    rows = ontology_rows()
    column = finest().index(INDEX["VISa1"])
    line = [*universe().ancestors(INDEX["VISa1"])[-2::-1], INDEX["VISa1"]]
    for depth, index in enumerate(line[: rows.shape[0]]):
        assert rows[depth, column] == pytest.approx(brain_regions().rgb[index] / 255)


def test_a_picture_is_the_same_every_time_and_tells_its_digest():
    made = payload({"MOp": 3.0, "CA1": 1.0})
    png = picture("rate", made, digest_of_json(made))
    assert png == picture("rate", json.loads(json.dumps(made)), digest_of_json(made))
    assert shown_digest(png) == digest_of_json(made)
    assert Image.open(io.BytesIO(png)).text["Digest"] == digest_of_json(made)
    other = payload({"MOp": 3.0, "CA1": 2.0})
    assert picture("rate", other, digest_of_json(made)) != png
    plain = io.BytesIO()
    Image.new("L", (2, 2)).save(plain, "PNG")
    assert shown_digest(plain.getvalue()) is None


def test_the_chosen_colours_are_sent_and_drawn():
    schema = Path(__file__).parents[2] / "config" / "schemas" / "config.schema.json"
    names = json.loads(schema.read_text())["$defs"]["cmap"]["enum"]
    assert None in names
    for name in filter(None, names):
        made = feature_payload({"mean": MAPPED}, [3.0], cmap=name)
        assert made["feature_data"]["cmap"] == name
        assert coloured(np.array([3.0]), 2.5, 3.5, colormaps[name]).shape == (1, 3)
    assert "cmap" not in payload({"MOp": 3.0})["feature_data"]
    chosen = feature_payload({"mean": MAPPED}, [3.0], cmap="Blues")
    assert picture("rate", chosen, "d") != picture("rate", payload({"MOp": 3.0}), "d")


def test_dollars_and_backslashes_in_texts_are_drawn_as_they_are():
    made = feature_payload({"mean": MAPPED}, [3.0], r"$\frac{$", r"from $5 to \$6_{")
    assert picture("rate", made, "d").startswith(b"\x89PNG")


def test_a_volume_is_drawn():
    volume = np.zeros(SHAPE, dtype=np.float32)
    volume[200:260, 100:150, 100:200] = 2
    span = range_of(0, 2, with_zero=True)
    made = volume_payload(encoded(volume, span), span, {"unit": "Hz"})
    image = np.asarray(Image.open(io.BytesIO(picture("cells", made, "d"))).convert("RGB"))
    brightest = (np.array(COLOURS(1.0)[:3]) * 255).round().astype(int)
    assert (np.abs(image.astype(int) - brightest).max(axis=-1) <= 1).sum() > 1000


def test_only_what_changed_is_drawn_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def step(code="c", **values):
        features = {}
        for name, value in values.items():
            made = payload({"MOp": value, "CA1": 1.0})
            features[name] = {"digest": digest_of_json(made), "payload": made}
        Path("payloads.json").write_text(json.dumps(features))
        draw_bucket("payloads.json", "pictures", code, "pictures.json")
        index = json.loads(Path("pictures.json").read_text())["pictures"]
        assert {name: facts["digest"] for name, facts in index.items()} == {
            name: feature["digest"] for name, feature in features.items()
        }
        return {path.name: path.stat().st_mtime_ns for path in Path("pictures").glob("*.png")}

    first = step(a=3.0, b=4.0)
    assert step(a=3.0, b=4.0) == first
    second = step(a=3.0, b=5.0)
    assert (second["a.png"] == first["a.png"], second["b.png"] == first["b.png"]) == (True, False)
    assert step(a=3.0).keys() == {"a.png"}
    assert step(code="other", a=3.0)["a.png"] != first["a.png"]
    Path("pictures/a.png").write_bytes(b"torn")
    step(code="other", a=3.0)
    assert Path("pictures/a.png").stat().st_size > 1000


def square(left, top, side=10):
    return {"x": [left, left + side, left + side, left], "y": [top, top, top + side, top + side]}


@pytest.fixture
def cached_drawing(tmp_path, monkeypatch):
    """Put a flat map into ONE's cache: MOp with a hole, CA1 of two pieces, TH without outline."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert drawing_file() is None
    assert not list(tmp_path.iterdir()), "a look leaves nothing behind"
    (tmp_path / ".one").mkdir()
    settings = {"DEFAULT": "lab.org", "CLIENT_MAP": {"lab.org": str(tmp_path / "ONE")}}
    (tmp_path / ".one" / ".caches").write_text(json.dumps(settings))
    assert drawing_file() is None
    drawing = tmp_path / "ONE" / DRAWING
    drawing.parent.mkdir(parents=True)
    pieces = [square(40, 0), square(60, 0) | {"invert": 1}]
    drawn = {"MOp": [square(0, 0, 30), square(10, 10)], "CA1": pieces, "TH": []}
    outlines = [{"thisID": INDEX[name], "coordsReg": rings} for name, rings in drawn.items()]
    drawing.write_text(json.dumps(outlines))
    return drawing


def test_the_flat_map_of_the_cache_is_drawn(cached_drawing):
    parts = flat_map(drawing_file())
    assert [part.index for part in parts] == [INDEX["MOp"], INDEX["CA1"]]
    assert parts[0].outline.contains_point((5, 5))
    made = payload({"MOp": 3.0, "CA1": 1.0})
    with_map, without = picture("rate", made, "d", parts), picture("rate", made, "d")
    tall, low = (
        np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) for png in (with_map, without)
    )
    assert tall.shape[0] > low.shape[0]
    below = tall[low.shape[0] :].reshape(-1, 3).astype(int)
    for value in (1.0, 0.0):
        colour = (np.array(COLOURS(value)[:3]) * 255).round().astype(int)
        assert (np.abs(below - colour).max(axis=1) <= 1).sum() > 500, "of the left side"
    grey = (np.array(GREY) * 255).round().astype(int)
    assert (np.abs(below - grey).max(axis=1) <= 1).sum() > 500, "of the right side"


def test_pictures_are_drawn_anew_when_the_flat_map_comes(cached_drawing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = payload({"MOp": 3.0})
    features = {"a": {"digest": digest_of_json(made), "payload": made}}
    Path("payloads.json").write_text(json.dumps(features))
    heights = []
    for text in (cached_drawing.read_text(), "[{", '[{"thisID": 1}]'):
        cached_drawing.write_text(text)
        draw_bucket("payloads.json", "pictures", "c", "pictures.json")
        heights.append(Image.open("pictures/a.png").height)
    assert heights[0] > heights[1] == heights[2], "a damaged drawing is none"
