"""What a BossDB's answers, and faults on the way to it, mean: tried again, or told to a person."""

import re

import requests

from brainpublish.findings import Refusal

PASSING = (502, 503, 504)
"""Statuses of proxies whose server is away for a moment."""

_TOKEN_REFUSED = (
    "{host} does not accept the BossDB token (answer 401). Make a new one at "
    "https://{host}/v1/mgmt/token and set BOSSDB_TOKEN to it."
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
    "Your BossDB account on {host} has no right to do this (403/{code}): {message} Ask the owner "
    "of the resource for it."
)
_NO_TLS = (
    "{host} cannot be trusted or speaks no TLS: {cause}. Check `bossdb.protocol` and "
    "`bossdb.host`; REQUESTS_CA_BUNDLE may name the certificates of your network."
)
_PROXY_REFUSES = (
    "The proxy of your network lets nothing through to {host}: {cause}. HTTPS_PROXY or HTTP_PROXY "
    "names the proxy; after 407, it needs a name and a password there."
)
_MOVED = ". It redirects to another address: check `bossdb.protocol` and `bossdb.host`."
_ADVICE = {
    **dict.fromkeys((301, 302, 303, 307, 308), _MOVED),
    403: ". Your account has no right to do this, or a proxy or a firewall answers in its place.",
    407: ". Your network's proxy asks for a name and a password: give them in HTTPS_PROXY.",
    413: ". This server, or a proxy before it, takes no blocks as large as BossDB's cuboids.",
}


class BossdbRefusal(Refusal):
    """An answer of BossDB that ends the work: `status` of HTTP and BossDB's own `code`."""

    def __init__(self, text: str, status: int, code: int | None = None):
        super().__init__(text)
        self.status = status
        self.code = code


class MayPass(Exception):
    """A fault that may be gone at the next try."""


def error_of(reply: requests.Response) -> tuple[int | None, str]:
    """Return BossDB's own error code, if the answer has one, and the message."""
    try:
        body = reply.json()
    except requests.JSONDecodeError:
        return None, reply.reason or ""
    if not isinstance(body, dict):
        return None, str(body)[:300]
    return body.get("code"), str(body.get("message", body.get("detail", "")))[:300]


def shown(reply: requests.Response) -> str:
    """Return an answer in a few words."""
    code, message = error_of(reply)
    return f"answer {reply.status_code}{f'/{code}' if code else ''} {message}".strip()


def refusal_for(reply: requests.Response, host: str) -> BossdbRefusal:
    """Say what an answer means to the person who runs the workflow."""
    code, message = error_of(reply)
    status = reply.status_code
    if status == 401:
        text = _TOKEN_REFUSED.format(host=host)
    elif status == 429:
        text = _QUOTA_REACHED.format(host=host, message=f"{message.strip(' .')}.")
    elif status == 403 and code == 3000:
        text = _NO_ROLE.format(host=host)
    elif status == 403 and code:
        text = _NO_RIGHT.format(host=host, code=code, message=message)
    else:
        what = f"{reply.request.method} {reply.request.path_url.partition('?')[0]}"
        text = f"{host} refused {what}: {shown(reply)}{_ADVICE.get(status, '')}"
    return BossdbRefusal(text, status, code)


def fault_of(error: OSError, host: str) -> MayPass | BossdbRefusal:
    """Return what a request that got no answer ends with: something to try again, or not.

    Args:
        error: what requests raised.
        host: host or host:port, for people.
    """
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
    return " ".join(text.split()).strip(" .")[:200] or type(error).__name__
