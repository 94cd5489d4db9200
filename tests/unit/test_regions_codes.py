"""The codes of findings in tables: each is used, and each error says what to do."""

from pathlib import Path

import pytest

from brainpublish.codes import REGION_CODES

SOURCES = Path(__file__).parents[2].joinpath("scripts", "brainpublish", "regions").glob("*.py")
TEXT = "".join(path.read_text() for path in SOURCES)


@pytest.mark.parametrize("code", REGION_CODES)
def test_a_code_is_used_and_says_what_to_do(code):
    assert f'"{code}"' in TEXT
    known = REGION_CODES[code]
    assert known.severity in ("error", "warning", "note")
    assert known.title
    assert known.fix or known.severity != "error"
