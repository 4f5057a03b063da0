"""The HTTP API and the page: requests -> the service -> responses, and the OpenAPI document.

Every request passes the guard, then the gate; both are outside of FastAPI, so that nothing of it is reached
by what is turned away.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenfold.digits import Classifier
from tenfold.errors import DataError
from tenfold.serving import openapi
from tenfold.serving.answers import Health, ReadPage, Told, ToldBatch, told
from tenfold.serving.bodies import (
    BINARY,
    JSON,
    MULTIPART,
    Bodies,
    images_in,
    images_in_json,
    media_type,
    pictures_in,
    unsupported,
)
from tenfold.serving.guards import HEALTH, Access, Guard
from tenfold.serving.page import page_routes
from tenfold.serving.problems import Busy, Problem, send_problem
from tenfold.serving.service import Service

# Requests to the API that are answered at one moment: enough to fill batches, and few enough for the last of
# them to be soon. The next one is sent away.
MAX_REQUESTS = 128

logger = logging.getLogger("tenfold.serving")


def make_app(
    classifier: Classifier, access: Access, *, on_start: Callable[[Service], None] = lambda _: None
) -> ASGIApp:
    """The whole service as an ASGI application.

    Args:
        classifier: what answers.
        access: who may ask.
        on_start: is given the Service, once it is there.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service, app.state.bodies = Service(classifier), Bodies()
        on_start(app.state.service)
        try:
            yield
        finally:
            app.state.service.close()

    app = FastAPI(
        title="tenfold",
        version=openapi.version(),
        description=openapi.ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # A redirect would be built of the Host that the client gave.
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers={
            Problem: _on_problem,
            DataError: _on_data_error,
            HTTPException: _on_http_exception,
            Exception: _on_fault,
        },
    )
    _add_api(app)
    app.router.routes.extend(page_routes())
    openapi.add_security(app, with_token=access.token is not None)
    return Guard(Gate(app), access)


def _add_api(app: FastAPI) -> None:
    picture = openapi.asked(openapi.PICTURE)
    several = openapi.asked(openapi.PICTURES, openapi.ARRAYS, openapi.BYTES, seen=True)
    add = partial(app.add_api_route, methods=["POST"], responses=openapi.PROBLEMS)
    add("/api/predict", predict, response_model=Told, openapi_extra=picture)
    add("/api/predict/batch", predict_batch, response_model=ToldBatch, openapi_extra=several)
    add("/api/read", read, response_model=ReadPage, openapi_extra=picture)
    add = partial(app.add_api_route, methods=["GET"], response_model=Health)
    add(f"{HEALTH}live", live)
    add(f"{HEALTH}ready", ready, responses={503: openapi.PROBLEM})


async def predict(request: Request) -> Response:
    """Tell the digit on one picture, in any common format; it is brought into MNIST's form before it is told."""
    service: Service = request.app.state.service
    _check_picture_type(request)
    async with request.app.state.bodies.read(request) as content:
        images, probabilities = await service.tell_pictures([_one_picture(request, content)])
    return _json(told(probabilities, reject_below=service.reject_below, seen=images)[0])


async def predict_batch(request: Request) -> Response:
    """Tell the digits on several pictures, or on pictures of 28x28 in MNIST's form, which are told as they are.

    All are told or none: an answer in place i belongs to picture i.
    """
    service: Service = request.app.state.service
    kind, wanted = media_type(request), _seen_wanted(request)
    if kind not in (MULTIPART, JSON, BINARY):
        raise unsupported(MULTIPART, JSON, BINARY)
    async with request.app.state.bodies.read(request) as content:
        if kind == MULTIPART:
            pictures = pictures_in(request.headers["content-type"], content)
            images, probabilities = await service.tell_pictures(pictures)
        else:
            parse = images_in if kind == BINARY else images_in_json
            images, probabilities = await service.tell(parse, content)
    seen = images if wanted else None
    return _json({"answers": told(probabilities, reject_below=service.reject_below, seen=seen)})


async def read(request: Request) -> Response:
    """Read the lines of digits on a photo or scan."""
    service: Service = request.app.state.service
    _check_picture_type(request)
    async with request.app.state.bodies.read(request) as content:
        return _json(await service.read(_one_picture(request, content)))


def _seen_wanted(request: Request) -> bool:
    given = request.query_params.get("seen", "false")
    if given not in ("true", "false"):
        raise Problem(HTTPStatus.BAD_REQUEST, "Expected seen=true or seen=false.", unread=True)
    return given == "true"


def _check_picture_type(request: Request) -> None:
    kind = media_type(request)
    if not kind.startswith("image/") and kind != MULTIPART:
        raise unsupported("image/png", "image/jpeg", MULTIPART)


def _one_picture(request: Request, content: bytes) -> bytes:
    if media_type(request) != MULTIPART:
        return content
    pictures = pictures_in(request.headers["content-type"], content)
    if len(pictures) != 1:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            f"Expected one picture, received {len(pictures)}. Send several to /api/predict/batch.",
        )
    return pictures[0]


async def live() -> Response:
    """Say yes, as long as there is anybody to say it."""
    return _json({"status": "live"})


async def ready(request: Request) -> Response:
    """Say yes once the model has given a first answer, until the service is asked to end."""
    if not request.app.state.service.ready:
        raise Busy()
    return _json({"status": "ready"})


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")


class Gate:
    """Takes no more requests at a time than can be answered, and answers every one that it took."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: count, pass on, and let no fault out."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        counts = scope["path"].startswith("/api/") and not scope["path"].startswith(HEALTH)
        if counts and self._requests >= MAX_REQUESTS:
            await send_problem(Busy(unread=True), receive, send)
            return
        self._requests += counts
        try:
            await self._answer(scope, receive, send)
        finally:
            self._requests -= counts

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except asyncio.CancelledError:
            # The server cannot wait for this request any longer. Who asked is told so.
            if not started:
                await send_problem(Busy(), receive, send)
            raise
        except Exception:
            # It was logged where its number was made, and the answer is on its way.
            if not started:
                raise


class _ProblemResponse(Response):
    def __init__(self, problem: Problem) -> None:
        super().__init__(status_code=problem.status)
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_problem(self._problem, receive, send)


async def _on_problem(_: Request, problem: Problem) -> Response:
    return _ProblemResponse(problem)


async def _on_data_error(_: Request, error: DataError) -> Response:
    return _ProblemResponse(Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)))


async def _on_http_exception(_: Request, error: HTTPException) -> Response:
    detail = "There is nothing here, or nothing for this method. /openapi.json lists what there is."
    headers = (error.headers or {}).items()
    return _ProblemResponse(
        Problem(HTTPStatus(error.status_code), detail, headers=headers, unread=True)
    )


async def _on_fault(_: Request, error: Exception) -> Response:
    number = secrets.token_hex(4)
    wanted = bool(os.environ.get("TENFOLD_DEBUG"))
    logger.error("fault %s: %s: %s", number, type(error).__name__, error, exc_info=wanted and error)
    return _ProblemResponse(
        Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"A fault of tenfold, not yours. It is number {number} in what the service has logged.",
        )
    )
