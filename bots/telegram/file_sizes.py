"""How large a file may be that a bot sends, and what to try after a refusal."""

CLOUD_LIMIT = 50_000_000  # bytes; decimal, source: Bot API "Sending files"
LOCAL_LIMIT = 2_000_000_000  # of a server of one's own
HEADROOM = 0.98  # of a limit; multipart framing takes a little
SHRINK_FACTOR = 0.5  # of the size that was refused
MIN_BYTES = 1_000_000  # bytes; below it a clip is not worth looking at


def upload_limit(*, local: bool) -> int:
    """Return the bytes to plan for; ``local``: the server is the operator's own."""
    return int((LOCAL_LIMIT if local else CLOUD_LIMIT) * HEADROOM)
