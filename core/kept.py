"""What is kept of a draft for its quality pass, and under which name."""

import hashlib
import json

from core.requests import Request


def kept_name(request: Request) -> str:
    """Return the name of what the first stage of ``request`` makes: a hash of what was asked.

    A draft and the clip that it becomes have the same.
    """
    sampling = request.sampling
    asked = {
        "mode": request.mode.value,
        "prompt": request.prompt,
        "media": {role: file.sha256 for role, file in request.media().items()},
        "size": [sampling.finished.width, sampling.finished.height],
        "time": [sampling.frames, sampling.fps],
        "seed": sampling.seed,
        "camera": sampling.camera.value,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
