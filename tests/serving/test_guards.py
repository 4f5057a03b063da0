"""Who may ask: what a page on another site, or under a name of its own, makes a browser send is refused."""

import itertools

import pytest
from starlette.testclient import TestClient

from tenfold.serving.api import make_app
from tenfold.serving.guards import Access, is_loopback
from tenfold.serving.problems import Problem

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
PATHS = (
    "/",
    "/api/predict",
    "/api/predict/batch",
    "/api/read",
    "/api/health/live",
    "/openapi.json",
    "/nothing",
)
OWN_HOSTS = ("127.0.0.1:8410", "localhost:8410", "[::1]:8410", "LOCALHOST:8410")
HOSTILE_HOSTS = (
    "", "evil.example", "evil.example:8410", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8411", "localhost",
    "localhost.:8410", "localhost.evil.example:8410", "127.0.0.1.evil.example:8410", "evil@127.0.0.1:8410",
    "127.0.0.1:8410@evil", "127.0.0.1:8410:8410", "127.0.0.1:8410x", "127.0.0.1 :8410", "[::1]", "[::1]:80",
    "[::1", "[", "::1:8410", "[::ffff:127.0.0.1]:8410", "2130706433:8410", "0x7f000001:8410", "127.1:8410",
    "0.0.0.0:8410", "[::]:8410", "127.0.0.1:+8410", "127.0.0.1:\u0668\u0664\u0661\u0660", "127.0.0.1\t:8410",
)  # fmt: skip
OWN_ORIGINS = (None, "http://HOST", "https://HOST")
HOSTILE_ORIGINS = (
    "null", "", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8411", "http://HOST.evil.example",
    "http://evil@HOST", "file://", "chrome-extension://HOST", "http://HOST/",
)  # fmt: skip
OWN_SITES = (None, "same-origin", "none")
HOSTILE_SITES = ("cross-site", "same-site", "", "same-origin, cross-site", "Same-Origin")


def headers(
    host: str, origin: str | None = None, site: str | None = None
) -> list[tuple[bytes, bytes]]:
    given = {
        "host": host,
        "origin": origin and origin.replace("HOST", host),
        "sec-fetch-site": site,
    }
    return [(name.encode(), value.encode()) for name, value in given.items() if value is not None]


def allowed(access: Access, given: list[tuple[bytes, bytes]], path: str = "/api/predict") -> bool:
    try:
        access.check(path, given)
    except Problem:
        return False
    return True


def test_of_all_combinations_only_the_own_ones_pass():
    hosts = OWN_HOSTS + HOSTILE_HOSTS
    origins, sites = OWN_ORIGINS + HOSTILE_ORIGINS, OWN_SITES + HOSTILE_SITES
    access, passed = Access(8410), set()
    for host, origin, site in itertools.product(hosts, origins, sites):
        if allowed(access, headers(host, origin, site)):
            passed.add((host, origin, site))
    assert passed == set(itertools.product(OWN_HOSTS, OWN_ORIGINS, OWN_SITES))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("hostile", "status"),
    [
        ({"host": "evil.example:8410"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_no_method_and_no_path_is_left_out(client, method, hostile, status):
    for path in PATHS:
        answer = client.request(method, path, headers=hostile)
        assert answer.status_code == status, path
        assert "access-control-allow-origin" not in answer.headers
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_second_host_or_origin_is_refused():
    access = Access(8410)
    for name, value in ((b"host", b"evil.example"), (b"host", b"127.0.0.1:8410")):
        assert not allowed(access, [*headers("127.0.0.1:8410"), (name, value)])
    good = headers("127.0.0.1:8410", "http://HOST")
    assert allowed(access, good)
    assert not allowed(access, [*good, (b"origin", b"http://evil.example")])


def test_on_port_80_the_host_needs_no_port():
    assert allowed(Access(80), headers("127.0.0.1"))
    assert allowed(Access(80), headers("[::1]:80"))
    assert not allowed(Access(80), headers("127.0.0.1:8410"))


def test_on_the_network_an_address_is_a_name_but_a_strange_name_is_not():
    access = Access(8410, ("localhost", "box"), open_to_network=True, token="secret")
    bearer = [(b"authorization", b"Bearer secret")]
    for host in ("192.168.1.5:8410", "192.168.1.5:9000", "[fe80::1]:8410", "box:8410", "box"):
        assert allowed(access, headers(host, "http://HOST") + bearer), host
    for host in (
        "evil.example:8410",
        "box.evil.example",
        "3232235781:8410",
        "192.168.1.5.evil.example",
    ):
        assert not allowed(access, headers(host) + bearer), host


def test_with_a_token_the_api_is_shut_and_the_page_and_health_are_open(classifier):
    app = make_app(classifier, Access(8410, token="a-long-secret"))
    with TestClient(app, base_url="http://127.0.0.1:8410") as client:
        for wrong in (
            None,
            "Bearer",
            "Bearer a-long-secre",
            "Bearer a-long-secretx",
            "Basic a-long-secret",
        ):
            given = {"authorization": wrong} if wrong else {}
            for path in ("/api/predict", "/api/predict/batch", "/api/read", "/api/anything"):
                answer = client.post(path, headers=given)
                assert answer.status_code == 401, (wrong, path)
                assert "a-long-secret" not in answer.text
        for path in ("/", "/main.js", "/api/health/live", "/openapi.json"):
            assert client.get(path).status_code == 200
        good = client.post("/api/predict", headers={"authorization": "Bearer a-long-secret"})
        assert good.status_code == 415


def test_loopback_is_what_no_other_machine_can_reach():
    assert all(is_loopback(address) for address in ("127.0.0.1", "127.9.9.9", "::1"))
    assert not any(is_loopback(address) for address in ("0.0.0.0", "::", "192.168.1.5", "8.8.8.8"))


def test_every_answer_carries_the_headers_that_keep_a_browser_in_bounds(client):
    for path in (
        "/",
        "/style.css",
        "/api/health/live",
        "/openapi.json",
        "/nothing",
        "/docs",
        "/redoc",
    ):
        given = client.get(path).headers
        policy = given["content-security-policy"]
        assert "unsafe" not in policy
        assert "//" not in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert given["x-content-type-options"] == "nosniff"
        assert given["cache-control"] == "no-store"
        assert given["referrer-policy"] == "no-referrer"
        assert given["cross-origin-resource-policy"] == "same-origin"
