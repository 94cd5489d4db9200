"""Which region a text means: an acronym, an atlas id or a full name. Never a guess.

A text is trimmed at its ends and then matched exactly. Commas count as blanks, because the
Allen ontology writes `Primary motor area, Layer 1` and `CUL4, 5` where iblatlas writes
`Primary motor area Layer 1` and `CUL4 5`. Upper and lower case are different: CM and cm are
two regions, so are IPF and ipf.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from brainpublish.regions.universe import Region, Universe, universe

ACRONYM, ATLAS_ID, NAME, ANY_CASE = "acronym", "atlas id", "full name", "any case"
SYNONYM = "synonym"
BLANK = r"[\s\u200b\u200c\u200d\u2060\ufeff]+"  # zero-width ones too
ENDS = re.compile(f"^{BLANK}|{BLANK}$")
INTEGER = re.compile(r"([+-]?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(\.0*|,0{1,2})?")
POWER = re.compile(r"([+-]?)([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
DATE = re.compile(
    r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?: .*)?|\d{1,2}[-. ][A-Za-z]{3,9}\.?(?:[-. ]\d{2,4})?"
    r"|[A-Za-z]{3,9}[-. ]\d{1,2}"
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SIDE_AFTER = re.compile(r"[\s_.-]+\(?(?:left|right|lh?|rh?)\)?$", re.IGNORECASE)
SIDE_BEFORE = re.compile(r"^(?:left|right|lh?|rh?)[\s_.-]+", re.IGNORECASE)
LONG_TEXT = 12  # no acronym is longer
NO_REGION = frozenset(
    {"unassigned", "outside", "outside brain", "background", "no region", "clear label", "none"}
)
LAYERS = ((2, 3), (4, 5), (5, 6))
TOTALS = frozenset({"total", "totals", "grand total", "sum", "mean", "average", "all", "overall"})


@dataclass(frozen=True)
class Match:
    """What a text means. `region` is None if nothing matches; `sign` is set for an atlas id.

    `written` is the text after trimming; `hint` says what an unmatched text may have meant;
    `plain` is False for an id in another form than digits with a sign.
    """

    written: str
    region: Region | None = None
    kind: str = ""
    sign: int = 0
    hint: str = ""
    plain: bool = True


def trimmed(text: str) -> str:
    """Return a text without blanks at its ends: no-break and zero-width ones included."""
    return ENDS.sub("", text)


def without_commas(text: str) -> str:
    """Return a name with each comma and the blanks around it as one blank."""
    return re.sub(r"\s*,\s*", " ", text)


class Resolver:
    """Looks texts up. `ignore_case` also accepts a text that fits one region in another case.

    `synonyms` is {text: region} of further names; they go before those of the atlas.
    """

    def __init__(
        self,
        known: Universe,
        ignore_case: bool = False,
        synonyms: Mapping[str, Region] | None = None,
    ):
        self.ignore_case = ignore_case
        self.synonyms = dict(synonyms or {})
        self.by_acronym = {region.acronym: region for region in known.regions}
        self.by_id = {region.atlas_id: region for region in known.regions}
        self.by_name = {without_commas(region.name): region for region in known.regions}
        self.by_folded: dict[str, set[Region]] = {}
        for spelling, region in (*self.by_acronym.items(), *self.by_name.items()):
            self.by_folded.setdefault(spelling.casefold(), set()).add(region)
        self.matches: dict[str, Match] = {}

    def match(self, text: str) -> Match:
        """Return what a text means; equal texts are looked up once."""
        if text not in self.matches:
            self.matches[text] = self._match(trimmed(text))
        return self.matches[text]

    def _match(self, text: str) -> Match:
        if region := self.synonyms.get(text):
            return Match(text, region, SYNONYM)
        if number := INTEGER.fullmatch(text):
            return self._match_id(text, number)
        if power := POWER.fullmatch(text):
            return self._match_power(text, power)
        plain = without_commas(text)
        if region := self.by_acronym.get(plain):
            return Match(text, region, ACRONYM)
        if region := self.by_name.get(plain):
            return Match(text, region, NAME)
        folded = self.by_folded.get(plain.casefold(), set())
        if self.ignore_case and len(folded) == 1:
            return Match(text, next(iter(folded)), ANY_CASE)
        return Match(text, hint=self._hint(text, plain, folded))

    def _match_id(self, text: str, number: re.Match) -> Match:
        atlas_id = int(number[2].replace(",", ""))
        sign = -1 if number[1] == "-" else 1
        region = self.by_id.get(atlas_id)
        if region is None:
            return Match(text, sign=sign, hint=self._id_hint(atlas_id))
        digits = number[2].isdigit() and not number[2].startswith("0") and not number[3]
        return Match(text, region, ATLAS_ID, sign, plain=digits or not atlas_id)

    def _match_power(self, text: str, power: re.Match) -> Match:
        """Match an id like 3.12782574E+08, if no digit of it can be lost."""
        digits, places = power[2] + (power[3] or ""), int(power[4]) + 1
        sign = -1 if power[1] == "-" else 1
        region = self.by_id.get(int(digits)) if len(digits) == places else None
        if region is None:
            hint = "an atlas id as a power of ten may have lost digits: save the column as text"
            return Match(text, sign=sign, hint=hint)
        return Match(text, region, ATLAS_ID, sign, plain=False)

    def _id_hint(self, atlas_id: int) -> str:
        near = [
            f"{known} ({self.by_id[known].acronym}) is {abs(known - atlas_id)} away"
            for known in rounded_alike(atlas_id)
            if known in self.by_id
        ]
        if not near:
            return "no such atlas id" if atlas_id else ""
        return f"{', '.join(near)}: was the column stored as float32?"

    def _hint(self, text: str, plain: str, folded: set[Region]) -> str:
        if looks_like_date(text):
            return f"this is a date: a spreadsheet may have changed {layer_of_date(text)}"
        if text.casefold().rstrip(" :.") in TOTALS:
            return "this looks like a total: remove the row"
        if folded:
            options = " or ".join(sorted(region.acronym for region in folded))
            return f"in another case it is {options}"
        if region := self._region_beside_side(plain):
            return f"{region.acronym} with a side: write the side into a column of its own"
        near = self._near(plain)
        return f"nearest: {', '.join(near)}" if near else ""

    def _region_beside_side(self, text: str) -> Region | None:
        """Return the region of a text such as MOp-L or left CA1."""
        for part in (SIDE_AFTER, SIDE_BEFORE):
            rest = part.sub("", text)
            if rest != text:
                return self.by_acronym.get(rest) or self.by_name.get(rest)
        return None

    def _near(self, plain: str) -> list[str]:
        """Return up to three acronyms or names that look like a text."""
        acronyms = self.by_acronym if len(plain) <= LONG_TEXT else ()
        folded = {}
        for spelling in (*acronyms, *self.by_name):
            folded.setdefault(spelling.casefold(), spelling)
        close = difflib.get_close_matches(plain.casefold(), folded, n=3, cutoff=0.6)
        return [folded[spelling] for spelling in close]


def looks_like_date(text: str) -> bool:
    """Say whether a text is a date, which no acronym and no name of a region is."""
    if not DATE.fullmatch(text):
        return False
    letters = re.sub(r"[^a-z]", "", text.casefold())
    return not letters or any(letters.startswith(month) for month in MONTHS)


def layer_of_date(text: str) -> str:
    """Return the cortical layer that a spreadsheet may have taken for a date."""
    months = {month: number for number, month in enumerate(MONTHS, start=1)}
    numbers = [int(each) for each in re.findall(r"\d+", text.split(" ")[0]) if int(each) <= 31]
    letters = re.sub(r"[^a-z]", "", text.casefold())[:3]
    numbers += [months[letters]] if letters in months else []
    layers = tuple(sorted(numbers)[:2])
    return f"layer {layers[0]}/{layers[1]}" if layers in LAYERS else "a layer such as 2/3"


@cache
def _by_float32() -> dict[float, list[int]]:
    """Return {32-bit float: atlas ids that become it}."""
    alike: dict[float, list[int]] = {}
    for region in universe().regions:
        alike.setdefault(float(np.float32(region.atlas_id)), []).append(region.atlas_id)
    return alike


def rounded_alike(atlas_id: int) -> list[int]:
    """Return the other atlas ids that are the same 32-bit float."""
    return [each for each in _by_float32().get(float(np.float32(atlas_id)), []) if each != atlas_id]


@cache
def resolver(ignore_case: bool = False) -> Resolver:
    """Return a resolver of the atlas's regions, made once per process."""
    return Resolver(universe(), ignore_case)
