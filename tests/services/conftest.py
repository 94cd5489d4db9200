"""What tests of services share."""

import pytest
import tenacity

from brainpublish.bossdb import client


@pytest.fixture
def no_pauses(monkeypatch):
    """Let what may pass be tried again at once."""
    monkeypatch.setattr(client, "PAUSES", tenacity.wait_none())
