"""What the atlas client does when the service asks for a pause."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from brainpublish.atlas import client as client_module
from brainpublish.atlas.client import ATTEMPTS, AtlasClient, Unfinished
from brainpublish.local.atlas import create_app
from brainpublish.local.faults import Answer, Faults
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore


@pytest.fixture
def faults(tmp_path):
    """The faults of a running service that holds the bucket b."""
    store = LocalStore(tmp_path).open()
    faults = Faults(create_app(store))
    with serving(faults) as port:
        faults.client = AtlasClient(f"http://127.0.0.1:{port}/api/", pause=0.001)
        with faults.client as client:
            client.create_bucket("b", {"token": "abc"}, store.secrets["atlas_global_key"])
            faults.forget()
            yield faults


def http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    "retry_after",
    ["", "0", "soon", "-1", http_date(-5), http_date(-5)[:-4]],
    ids=["none", "zero", "words", "minus", "past", "no zone"],
)
@pytest.mark.parametrize("status", [429, 503])
def test_passing_answer_is_tried_again(faults, status, retry_after):
    faults.add(Answer(status=status, retry_after=retry_after, times=2))
    assert faults.client.bucket("b")["features"] == {}
    assert faults.counts.requests == 3


@pytest.mark.parametrize("seconds", ["1", lambda: http_date(2)])
def test_pause_that_is_asked_for_is_kept(faults, seconds):
    text = seconds if isinstance(seconds, str) else seconds()
    faults.add(Answer(status=429, retry_after=text, times=1))
    begun = time.monotonic()
    faults.client.bucket("b")
    # A date has whole seconds only.
    assert 0.99 <= time.monotonic() - begun < 10


@pytest.mark.parametrize("retry_after", ["61", "9" * 400, http_date(7200)], ids=len)
def test_pause_that_is_too_long_is_not_waited_for(faults, retry_after):
    faults.add(Answer(status=429, retry_after=retry_after))
    with pytest.raises(Unfinished, match=r"in 1 attempt: it answered 429.*to wait (\d+|inf) s"):
        faults.client.bucket("b")
    assert faults.counts.requests == 1


def test_service_that_never_takes_it_ends_the_work(faults, monkeypatch):
    monkeypatch.setattr(client_module, "LONGEST_PAUSE", 0.01)
    faults.add(Answer(status=429))
    with pytest.raises(Unfinished, match="run the same command again later"):
        faults.client.create_feature("b", "f", {"feature_data": {}}, "abc")
    assert faults.counts.requests == ATTEMPTS
