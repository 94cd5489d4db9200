"""What a BossDB's answers, and faults on the way to it, mean: tried again, or told to a person."""

import base64
import json
import re
from typing import Any
from urllib.parse import quote, urljoin

import requests

from brainpublish.findings import Refusal
from brainpublish.pauses import MayPass, may_pass

PASSING = (408, 425, 502, 503, 504)
"""Statuses of proxies whose server is away for a moment, or that waited for us too long."""

MESSAGE = 300
"""Characters of a message that are shown at most."""

# A database that is busy says so with words like those for a channel that is locked for good.
_BUSY = re.compile(r"deadlock|lock wait timeout|try restarting|BlockingIOError", re.IGNORECASE)
_LOCK = re.compile(r"\block(ed)?\b", re.IGNORECASE)
_LASTING = re.compile(rf"{_LOCK.pattern}|resolution|abstract", re.IGNORECASE)

_TERMINAL = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?)")
"""What lets a terminal change colours, move, or take a title."""

_TOKEN_REFUSED = (
    "{host} does not accept the BossDB token (answer 401). Make a new one at {page} and set "
    "BOSSDB_TOKEN to it."
)
_QUOTA_REACHED = (
    "{host} says that a quota is reached (answer 429): {message} What was sent so far is "
    "recorded. Run the same command again when the quota allows; it goes on from there."
)
_NO_ROLE = (
    "Your BossDB account on {host} may not create resources (403/3000). Ask the BossDB team for "
    "the role resource-manager, or have them create the resources."
)
_NO_RIGHT = (
    "Your BossDB account on {host} has no right to do this ({what}: 403/{code}): {message} Ask the "
    "owner of the resource for it."
)
_NO_TLS = (
    "{host} cannot be trusted or speaks no TLS: {cause}. Check `bossdb.protocol` and "
    "`bossdb.host`; REQUESTS_CA_BUNDLE may name the certificates of your network."
)
_NO_ADDRESS = (
    "{host} cannot be asked: its address, or that of a proxy, cannot be read. Check "
    "`bossdb.protocol` and `bossdb.host`, and HTTPS_PROXY and HTTP_PROXY in the environment: "
    "special characters in the password of a proxy must be percent-encoded there, such as # as "
    "%23, / as %2F, ? as %3F and @ as %40."
)
_NO_BOSSDB = (
    "{host} does not answer as a BossDB does ({answer} for {path}). Check `bossdb.host` and "
    "`bossdb.protocol` in the config."
)
_PROXY_REFUSES = (
    "The proxy of your network lets nothing through to {host}: {cause}. HTTPS_PROXY or HTTP_PROXY "
    "names the proxy; after 407, it needs a name and a password there."
)
_MOVED = ". It redirects to another address: check `bossdb.protocol` and `bossdb.host`."
_ADVICE = {
    **dict.fromkeys((301, 302, 303, 307, 308), _MOVED),
    403: ". Your account has no right to do this, or a proxy or a firewall answers in its place.",
    404: ". It, or what it is a part of, is gone. The same command makes anew what is gone.",
    407: ". Your network's proxy asks for a name and a password: give them in HTTPS_PROXY.",
    413: ". This server, or a proxy before it, takes no blocks as large as BossDB's cuboids.",
}
_LOCKED = ". Only BossDB's operators can unlock it: write to them, then run the same command again."


class BossdbRefusal(Refusal):
    """An answer of BossDB that ends the work: `status` of HTTP and BossDB's own `code`."""

    def __init__(self, text: str, status: int, code: int | None = None):
        super().__init__(text)
        self.status = status
        self.code = code


def facts_in(reply: requests.Response) -> Any:
    """Return the JSON of an answer, or None if it has none that can be read."""
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError):
        return None


def error_of(reply: requests.Response) -> tuple[int | None, str]:
    """Return BossDB's own error code, if the answer has one, and the message, fit to be shown."""
    code, message, body = None, reply.reason, facts_in(reply)
    if isinstance(body, dict):
        code, message = body.get("code"), body.get("message", body.get("detail"))
    elif body is not None:
        message = body
    known = code if type(code) is int and 0 < code < 10_000 else None
    return known, fit(_in_words(message), reply.request)


def _in_words(message: Any) -> str:
    if message is None or isinstance(message, str):
        return message or ""
    try:
        return json.dumps(message, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def fit(text: str, request: requests.PreparedRequest | None, most: int = MESSAGE) -> str:
    """Return what a server said so that it can be shown: printable, short, without the token.

    Args:
        text: what it said.
        request: what was sent to it, with the token.
        most: characters to return at most.
    """
    words = " ".join(_TERMINAL.sub("", text).split())
    words = "".join(letter for letter in words if letter.isprintable())
    for secret in _secrets_of(request):
        words = re.sub(re.escape(secret), "***", words, flags=re.IGNORECASE)
    return words if len(words) <= most else f"{words[:most]}..."


def _secrets_of(request: requests.PreparedRequest | None) -> list[str]:
    """Return the token of a request in the forms that an answer may hold it in."""
    header = request.headers.get("Authorization", "") if request is not None else ""
    token = header.partition(" ")[2]
    if not token or token == "public":
        return []
    packed = (base64.b64encode(text.encode()).decode().rstrip("=") for text in (header, token))
    return [*packed, token, quote(token, safe="")]


def is_no_bossdb(reply: requests.Response) -> bool:
    """Say whether an answer is none of a BossDB: it leads elsewhere, or is a page for people.

    A 404 is not taken for that: what a server lacks is told once it is needed.
    """
    if reply.status_code == 200:
        return facts_in(reply) is None
    return 300 <= reply.status_code < 400


def is_busy(message: str) -> bool:
    """Say whether the fault may pass that a server met while it wrote voxels (9001).

    It is any fault: a queue or a database that is busy, but also a channel that is locked for
    writing, or a resolution that is not written to.
    """
    return bool(_BUSY.search(message) or not _LASTING.search(message))


def _is_locked(code: int | None, message: str) -> bool:
    return code == 9001 and not is_busy(message) and bool(_LOCK.search(message))


def shown(reply: requests.Response) -> str:
    """Return an answer in a few words."""
    code, message = error_of(reply)
    return f"answer {reply.status_code}{f'/{code}' if code else ''} {message}".strip()


def passing(reply: requests.Response) -> MayPass:
    """Say what an answer tells that may be another one at the next try."""
    return may_pass(shown(reply), reply)


def refusal_for(reply: requests.Response, host: str) -> BossdbRefusal:
    """Say what an answer means to the person who runs the workflow."""
    code, message = error_of(reply)
    status, sentence = reply.status_code, f"{message.strip(' .')}."
    what = f"{reply.request.method} {reply.request.path_url.partition('?')[0]}"
    if status == 401:
        text = _TOKEN_REFUSED.format(host=host, page=urljoin(reply.request.url, "/v1/mgmt/token"))
    elif status == 429:
        text = _QUOTA_REACHED.format(host=host, message=sentence)
    elif status == 403 and code == 3000:
        text = _NO_ROLE.format(host=host)
    elif status == 403 and code:
        text = _NO_RIGHT.format(host=host, what=what, code=code, message=sentence)
    else:
        advice = _LOCKED if _is_locked(code, message) else _ADVICE.get(status, "")
        answer = shown(reply).rstrip(" .") if advice else shown(reply)
        text = f"{host} refused {what}: {answer}{advice}"
    return BossdbRefusal(text, status, code)


def no_bossdb(reply: requests.Response, host: str) -> BossdbRefusal:
    """Say that what answers is no BossDB."""
    path = reply.request.path_url.partition("?")[0]
    text = _NO_BOSSDB.format(host=host, answer=shown(reply), path=path)
    return BossdbRefusal(text, reply.status_code)


def fault_of(error: OSError | ValueError, host: str) -> MayPass | BossdbRefusal:
    """Return what a request that got no answer ends with: something to try again, or not.

    Args:
        error: what requests raised; a ValueError for what is no address.
        host: host or host:port, for people.
    """
    if isinstance(error, requests.exceptions.InvalidURL) or not isinstance(error, OSError):
        # Its text may hold a part of a proxy's password.
        return BossdbRefusal(_NO_ADDRESS.format(host=host), 0)
    cause = cause_of(error)
    if isinstance(error, requests.exceptions.ProxyError):
        if "failed: 4" in cause:
            return BossdbRefusal(_PROXY_REFUSES.format(host=host, cause=cause), 0)
        return MayPass(f"{cause}, at the proxy that HTTPS_PROXY or HTTP_PROXY names")
    if isinstance(error, requests.exceptions.SSLError):
        # A connection that breaks off is a fault of TLS as well.
        if "EOF" in cause or "timed out" in cause:
            return MayPass(cause)
        return BossdbRefusal(_NO_TLS.format(host=host, cause=cause), 0)
    if isinstance(error, requests.ConnectTimeout) or "establish" in cause or "resolve" in cause:
        return MayPass(f"{cause}. Check `bossdb.host` and your network")
    passing = (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    )
    if isinstance(error, passing):
        return MayPass(cause)
    return BossdbRefusal(
        f"{host} cannot be asked: {cause}. Check `bossdb.protocol` and `bossdb.host`, and what "
        "HTTPS_PROXY and REQUESTS_CA_BUNDLE hold in the environment.",
        0,
    )


def cause_of(error: BaseException) -> str:
    """Return the innermost reason in words, without the objects that it went through."""
    inner = error
    while True:
        reasons = [getattr(inner, "reason", None), *reversed(inner.args)]
        below = next((each for each in reasons if isinstance(each, BaseException)), None)
        if below is None or below is inner:
            break
        inner = below
    # "HTTPConnectionPool(host='h', port=80): Read timed out." and "<... object at 0x7f>: ..."
    text = re.sub(r"^(<[^>]*>|\w+\([^)]*\)): ", "", str(inner))
    return fit(text, getattr(error, "request", None), 200).strip(" .") or type(error).__name__
