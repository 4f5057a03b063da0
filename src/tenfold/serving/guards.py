"""Who may ask: the checks that every request passes before anything else looks at it, whatever its method.

A page on another site can make a browser send requests to this machine, and by DNS rebinding it can read
the answers under a name of its own. So Host must be one of the service's own names; Origin and Sec-Fetch-Site,
where a browser sends them, must say that the request comes from the service's own page. Beyond this machine
a token is asked for besides. Knows nothing about what is asked.

Sources: Fetch standard, Origin; Fetch Metadata, Sec-Fetch-Site; Content Security Policy level 3.
"""

import ipaddress
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenfold.serving.problems import Problem, send_problem

Headers = Sequence[tuple[bytes, bytes]]

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
HEALTH = "/api/health/"
"""Where health is told: to everybody who passes the other checks, also without the token."""

SECURITY_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)

# A name or an IPv4 address, or an IPv6 address in brackets; then perhaps a port.
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{1,5}))?")


def is_loopback(address: str) -> bool:
    """Whether a numeric address can be reached from this machine alone."""
    return ipaddress.ip_address(address).is_loopback


@dataclass(frozen=True)
class Access:
    """Under which names the service may be called, and with which token.

    Attributes:
        port: the one it listens on.
        names: as they stand in Host, without the port, in lower case, an IPv6 address in brackets.
        open_to_network: whether other machines can reach it. Then any numeric address will do as a name, since
            rebinding needs a name that is looked up, and any port, since another may be mapped to it.
        token: what Authorization must carry for the API; None for none.
    """

    port: int
    names: tuple[str, ...] = LOOPBACK_NAMES
    open_to_network: bool = False
    token: str | None = None

    def check(self, path: str, headers: Headers) -> None:
        """Problem unless these headers may ask for `path`."""
        host = self._check_host(headers)
        _check_site(host, headers)
        if self.token is not None and path.startswith("/api/") and not path.startswith(HEALTH):
            self._check_token(self.token, headers)

    def _check_host(self, headers: Headers) -> str:
        given = _values(headers, b"host")
        host = given[0].lower() if len(given) == 1 else ""
        found = _HOST.fullmatch(host)
        if found is None or not self._is_own(found[1], int(found[2] or 80)):
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "Expected the Host under which this service was started. Open the address that "
                "`tenfold serve` printed.",
                unread=True,
            )
        return host

    def _is_own(self, name: str, port: int) -> bool:
        if not self.open_to_network:
            return name in self.names and port == self.port
        return name in self.names or _is_address(name)

    def _check_token(self, token: str, headers: Headers) -> None:
        given = _values(headers, b"authorization")
        kind, _, received = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        matches = secrets.compare_digest(received.strip().encode(), token.encode())
        if kind.lower() != "bearer" or not matches:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "Expected the header `Authorization: Bearer TOKEN` with the token that `tenfold serve` printed.",
                headers=[("www-authenticate", "Bearer")],
                unread=True,
            )


def _check_site(host: str, headers: Headers) -> None:
    own = {f"http://{host}", f"https://{host}"}
    if any(origin.lower() not in own for origin in _values(headers, b"origin")):
        raise _other_site()
    if any(site not in ("same-origin", "none") for site in _values(headers, b"sec-fetch-site")):
        raise _other_site()


def _other_site() -> Problem:
    return Problem(
        HTTPStatus.FORBIDDEN,
        "Expected a request of the service's own page, or of a program; received one of another site. "
        "To open the page, type its address or copy it into the browser.",
        unread=True,
    )


def _values(headers: Headers, name: bytes) -> list[str]:
    # Each byte stands for itself; none that is not ASCII can match anything.
    return [value.decode("latin-1") for key, value in headers if key.lower() == name]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


class Guard:
    """The outermost layer: lets through what `access` allows, and gives every response its headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: refuse, or pass on to the app."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                more = [header for header in SECURITY_HEADERS if header[0] not in own]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        try:
            self._access.check(scope["path"], scope["headers"])
        except Problem as problem:
            await send_problem(problem, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)
