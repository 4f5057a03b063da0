"""The page to draw on: plain files beside this one, read once, served from memory.

    index.html   what there is, without script too
    style.css    light and dark, wide and narrow
    sheet.js     what is drawn, by pointer or keyboard, and how it is undone
    service.js   questions to the service, the newest first
    answer.js    what the service said, shown and read out
    main.js      joins these; pictures that are dropped, pasted or chosen

No file comes from elsewhere, and none is built of others.
"""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    **{
        f"/{name}": (name, "text/javascript; charset=utf-8")
        for name in ("main.js", "sheet.js", "service.js", "answer.js")
    },
}


def page_routes() -> list[Route]:
    """A route for each file of the page."""
    return [_route(path, *about) for path, about in PAGE.items()]


def _route(path: str, name: str, media_type: str) -> Route:
    content = (files(__name__) / name).read_bytes()

    async def answer(_: Request) -> Response:
        return Response(content, media_type=media_type)

    return Route(path, answer, methods=["GET"])
