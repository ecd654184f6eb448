# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""Values that programs leave out of a call by position or by name: filled in, or told by name.

Gradio itself answers ``error: null`` to one value too few, so each new option would break programs
that give values by position.
"""

import re
from inspect import Parameter
from typing import Any

import gradio as gr
from gradio.exceptions import InvalidPathError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.domain.modes import Mode
from core.errors import ClapperError, MediaGone, MediaMissing, PromptMissing
from core.errors.programs import FieldMissing, FieldMistyped, FieldUnknown
from webui.api.signatures import signature_of
from webui.auth.guard import ENDPOINTS, JOB_ENDPOINTS
from webui.gradio_errors import GradioError
from webui.views.errors import error_body

_BY_NAME = re.compile(r"/gradio_api/call/v2/(?P<name>[^/]+)/?")
# in Gradio's own sentences, which are all that its errors have
_STRANGE = re.compile(r"Parameter `(?P<field>.{1,40}?)` is not a valid")
_LACKING = re.compile(r"No value provided for required argument: (?P<field>\w{1,40})")


class FilledBlocks(gr.Blocks):
    """Blocks whose endpoints take fewer values than they have."""

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:  # noqa: ANN401  # Gradio's
        """Fill in what a program left out at the end of its values.

        Raises:
            Error: something is missing that has to be given, or is no text where one has to be.
        """
        if block_fn.api_name in ENDPOINTS:
            _fill(block_fn.api_name, inputs)
        if block_fn.api_name in JOB_ENDPOINTS:
            _require_texts(block_fn.api_name, inputs)
        super().validate_inputs(block_fn, inputs)

    async def preprocess_data(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # Gradio's
        """Turn what was sent into values.

        Raises:
            GradioError: a path names no upload.
        """
        try:
            return await super().preprocess_data(*args, **kwargs)
        except InvalidPathError:
            raise GradioError(MediaGone("media")) from None


def _fill(endpoint: str, inputs: list[Any]) -> None:
    for parameter in parameters_of(endpoint)[len(inputs) :]:
        if parameter.default is Parameter.empty:
            raise GradioError(_missing(endpoint, parameter.name))
        inputs.append(parameter.default)


def _require_texts(endpoint: str, inputs: list[Any]) -> None:
    for parameter, value in zip(parameters_of(endpoint), inputs, strict=False):
        if not isinstance(value, str):
            raise GradioError(FieldMistyped(parameter.name, "string"))


def parameters_of(endpoint: str) -> list[Parameter]:
    """Return what a program gives to ``endpoint``, in its order."""
    if endpoint in JOB_ENDPOINTS:
        names = ("job", "action") if endpoint == "follow_up" else ("job",)
        return [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    signature = signature_of(Mode(endpoint))
    return [one for one in signature.parameters.values() if one.name != "request"]


def _missing(endpoint: str, field: str) -> ClapperError:
    if endpoint in JOB_ENDPOINTS:
        return FieldMissing(field)
    return PromptMissing(endpoint) if field == "prompt" else MediaMissing(endpoint, field)


async def on_type_error(request: Request, error: Exception) -> Response:
    """Answer a call by names with one that is unknown, or without one that is needed.

    Raises:
        Exception: ``error``, where it is something else.
    """
    found = _BY_NAME.fullmatch(request.url.path)
    strange, lacking = _STRANGE.match(str(error)), _LACKING.match(str(error))
    if found is None or not (strange or lacking):
        raise error
    if strange is not None:
        known = ", ".join(one.name for one in parameters_of(found["name"]))
        told: ClapperError = FieldUnknown(strange["field"], known)
    else:
        told = _missing(found["name"], lacking["field"] if lacking else "")
    return JSONResponse(error_body(told), 422, headers={"Cache-Control": "no-store"})
