"""The parts of the OpenAPI document that FastAPI cannot read off the code: bodies, problems, the token."""

from functools import cache
from typing import Any

from fastapi import FastAPI

from tenfold.digits import SIDE
from tenfold.serving.answers import ProblemDetails
from tenfold.serving.bodies import BINARY, JSON, MAX_ARRAYS, MAX_PICTURES, MULTIPART
from tenfold.serving.problems import MEDIA_TYPE

ABOUT = (
    "Tells handwritten digits: on one picture, on many, and on photos with lines of them. "
    "A picture may be a PNG, JPEG, BMP, PPM, GIF, WEBP or TIFF file. "
    "503 carries Retry-After: the service takes no more than it can answer in time."
)

_FILE = {"schema": {"type": "string", "format": "binary"}}
_FILES = {"type": "array", "items": {"type": "string", "format": "binary"}}

PICTURE = {
    "image/*": _FILE,
    MULTIPART: {"schema": {"type": "object", "properties": {"picture": _FILE["schema"]}}},
}
PICTURES = {
    MULTIPART: {
        "schema": {
            "type": "object",
            "properties": {"pictures": _FILES | {"minItems": 1, "maxItems": MAX_PICTURES}},
        }
    }
}
_ROW = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}}
_IMAGE = {
    "type": "array",
    "minItems": SIDE,
    "maxItems": SIDE,
    "items": _ROW | {"minItems": SIDE, "maxItems": SIDE},
}
_IMAGES = {"type": "array", "minItems": 1, "maxItems": MAX_ARRAYS, "items": _IMAGE}
ARRAYS = {
    JSON: {
        "schema": {
            "type": "object",
            "required": ["images"],
            "additionalProperties": False,
            "properties": {"images": _IMAGES},
        }
    }
}
BYTES = {
    BINARY: {
        "schema": {
            "type": "string",
            "format": "binary",
            "description": f"{SIDE * SIDE} bytes for each picture, row by row; 0 is paper, 255 is ink.",
        }
    }
}

PROBLEM: dict[str, Any] = {
    "description": "Why there is no answer.",
    "content": {MEDIA_TYPE: {"schema": ProblemDetails.model_json_schema()}},
}
PROBLEMS: dict[int | str, dict[str, Any]] = dict.fromkeys(
    (400, 401, 403, 408, 413, 415, 421, 422, 500, 503), PROBLEM
)

_SEEN = {
    "name": "seen",
    "in": "query",
    "description": "Whether the answers hold the pictures as the model saw them.",
    "schema": {"type": "string", "enum": ["true", "false"], "default": "false"},
}


def asked(*contents: dict[str, Any], seen: bool = False) -> dict[str, Any]:
    """The description of a request whose body is one of these."""
    content = {kind: about for one in contents for kind, about in one.items()}
    parameters = {"parameters": [_SEEN]} if seen else {}
    return {"requestBody": {"required": True, "content": content}, **parameters}


def add_security(app: FastAPI, *, with_token: bool) -> None:
    """Let the document of `app` say whether a token is needed."""
    make = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        document = make()
        if with_token:
            document["components"]["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer"}
            }
            document["security"] = [{"token": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def version() -> str:
    """Of tenfold, as installed."""
    from importlib.metadata import version as installed

    return installed("tenfold")
