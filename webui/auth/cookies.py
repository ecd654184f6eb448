"""Cookies inside a frame of another site: one jar for each site around it (CHIPS).

Browsers that block the cookies of other sites keep partitioned ones. A sign-in happens in a tab of
its own, where no site is around it, and its cookie is left whole: where browsers allow it, the
frame sees it too.
"""

from starlette.requests import HTTPConnection
from starlette.responses import Response

PARTITIONED = "; Partitioned"  # no attribute of http.cookies before Python 3.14


def at_the_top(connection: HTTPConnection) -> bool:
    """Return whether the browser says that this answer fills a tab and not a frame."""
    return connection.headers.get("sec-fetch-dest") == "document"


def partition_last(answer: Response) -> None:
    """Partition the cookie that was set last."""
    name, value = answer.raw_headers[-1]
    assert name == b"set-cookie"  # noqa: S101  # by who calls it
    answer.raw_headers[-1] = (name, value + PARTITIONED.encode())
