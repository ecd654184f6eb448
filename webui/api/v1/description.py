"""The description of all addresses, as OpenAPI: from the routes, the rows and the models."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from core.domain.modes import Mode
from webui.api.v1.access import LONGEST_KEY
from webui.api.v1.answers import BASE
from webui.api.v1.operations import MODELS, OPERATIONS, REF
from webui.api.v1.requests import JobOrder
from webui.api.v1.samples import code_samples

_FILE: dict[str, Any] = {"type": "string", "format": "binary"}
_HEADERS: dict[str, list[dict[str, Any]]] = {
    name: [{"name": header, "in": "header", "schema": {"type": "string", **rule}}]
    for name, header, rule in (
        ("submit", "Idempotency-Key", {"minLength": 1, "maxLength": LONGEST_KEY}),
        ("action", "Idempotency-Key", {"minLength": 1, "maxLength": LONGEST_KEY}),
        ("events", "Last-Event-ID", {}),
    )
}


def describe(app: FastAPI, orders: Mapping[Mode, type[JobOrder]]) -> dict[str, Any]:
    """Describe every operation of ``app``; ``orders`` are what each mode takes."""
    found = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        servers=[{"url": BASE}],
    )
    for one in OPERATIONS:
        told = found["paths"][one.path][one.method.lower()]
        told["responses"] = one.responses
        told.setdefault("parameters", []).extend(_HEADERS.get(one.name, ()))
    found["components"]["schemas"] = _schemas(orders)
    submit = found["paths"]["/jobs"]["post"]
    submit["requestBody"] = _order_body(orders)
    submit["x-codeSamples"] = code_samples()
    found["paths"]["/files"]["post"]["requestBody"] = _file_body()
    return found


def _schemas(orders: Mapping[Mode, type[JobOrder]]) -> dict[str, Any]:
    _, asked = models_json_schema(
        [(model, "validation") for model in orders.values()], ref_template=REF
    )
    _, answered = models_json_schema(
        [(model, "serialization") for model in MODELS], ref_template=REF
    )
    return {**asked["$defs"], **answered["$defs"]}


def _order_body(orders: Mapping[Mode, type[JobOrder]]) -> dict[str, Any]:
    refs = {mode.value: REF.format(model=model.__name__) for mode, model in orders.items()}
    order = {
        "oneOf": [{"$ref": ref} for ref in refs.values()],
        "discriminator": {"propertyName": "mode", "mapping": refs},
    }
    content = {kind: {"schema": order} for kind in ("application/json", "multipart/form-data")}
    return {"required": True, "content": content}


def _file_body() -> dict[str, Any]:
    form = {"type": "object", "properties": {"file": _FILE}, "required": ["file"]}
    return {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": _FILE},
            "multipart/form-data": {"schema": form},
        },
    }
