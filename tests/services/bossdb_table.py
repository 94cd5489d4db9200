"""Tables of requests with the answers that the BossDB API gives."""

from dataclasses import dataclass, field

DETAIL, HTML, EMPTY = "detail", "html", "empty"


@dataclass
class Row:
    """One request and the answer it must get.

    `code` is the error code in the answer, or DETAIL, HTML, EMPTY for those forms of body; None
    for JSON without an error. `holds` must appear in the answer's text.
    """

    who: str | None
    method: str
    path: str
    status: int
    code: int | str | None = None
    json: object = None
    data: bytes | None = None
    headers: dict = field(default_factory=dict)
    holds: str = ""


def row(who, method, path, status, code=None, **more) -> Row:
    return Row(who, method, path, status, code, **more)


def differences(client, rows: list[Row]) -> list[str]:
    """Send the requests in order and return what differs from the expectation."""
    return [text for item in rows for text in _differences(client, item)]


def _differences(client, item: Row) -> list[str]:
    options = {"headers": item.headers}
    if item.json is not None:
        options["json"] = item.json
    if item.data is not None:
        options["data"] = item.data
    answer = client.call(item.method, item.path, item.who, **options)
    found = (answer.status_code, _code(answer))
    name = f"{item.who} {item.method} {item.path} {item.json or ''}"
    problems = []
    if found != (item.status, item.code):
        wanted = (item.status, item.code)
        problems.append(f"{name}: {found} instead of {wanted}: {answer.text[:200]}")
    if item.holds not in answer.text:
        problems.append(f"{name}: no {item.holds!r} in {answer.text[:300]}")
    return problems


def _code(answer):
    if not answer.content:
        return EMPTY
    kind = answer.headers["content-type"]
    if kind.startswith("text/html"):
        return HTML
    if not kind.startswith("application/json"):
        return None
    body = answer.json()
    if set(body) == {"status", "code", "message"}:
        assert body["status"] == answer.status_code
        return body["code"]
    return DETAIL if set(body) == {"detail"} else None
