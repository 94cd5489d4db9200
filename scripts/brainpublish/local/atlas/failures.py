"""What the service answers when it does not do what it was asked."""


class Failure(Exception):
    """A request that was not carried out: an HTTP status and a text for the caller."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status
        self.text = text


def unauthorized() -> Failure:
    """Return the answer to a wrong key or token."""
    return Failure(401, "Unauthorized access.")


def server_error(text: str) -> Failure:
    """Return the 500 that the real service gives for a request which it does not understand.

    The real service sends an HTML page without a reason; the status is the same here, the text
    says why.
    """
    return Failure(500, f"Internal Server Error: {text}")


def no_such_bucket(bucket: str) -> Failure:
    """Return the answer to a read of an unknown bucket."""
    return Failure(404, f"Bucket {bucket} does not exist, you need to create it first.")


def no_such_feature(bucket: str, fname: str) -> Failure:
    """Return the answer to a request for an unknown feature of a known bucket."""
    text = f"Feature {fname} does not exist in bucket {bucket}, you need to create it first."
    return Failure(404, text)
