"""The page's files as they are: complete, of this machine alone, and nothing in them that the policy forbids."""

import re
from html.parser import HTMLParser
from importlib.resources import files

from tenfold.serving.page import PAGE

FOLDER = files("tenfold.serving.page")
TEXTS = {path: (FOLDER / name).read_text("utf-8") for path, (name, _) in PAGE.items()}


class Elements(HTMLParser):
    """All elements of a document, each with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_every_file_of_the_page_is_served_as_it_is(client):
    for path, (name, media_type) in PAGE.items():
        answer = client.get(path)
        assert answer.content == (FOLDER / name).read_bytes()
        assert answer.headers["content-type"] == media_type
        assert client.head(path).status_code == 200


def test_no_file_of_the_page_is_forgotten():
    there = {
        file.name
        for file in FOLDER.iterdir()
        if file.name.endswith((".html", ".css", ".js", ".svg"))
    }
    assert there == {name for name, _ in PAGE.values()}


def test_nothing_comes_from_elsewhere_and_nothing_is_inline():
    for path, text in TEXTS.items():
        for address in re.findall(r"https?://[^\s\"')]+", text):
            # The name of a vocabulary, which nobody fetches.
            assert address == "http://www.w3.org/2000/svg", path
        assert not re.search(r"\beval\(|new Function|javascript:|\bimport\(", text), path
    for tag, attributes in Elements(TEXTS["/"]).found:
        assert tag != "style"
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "script" or attributes.get("src")


def test_all_that_the_page_names_is_there():
    for tag, attributes in Elements(TEXTS["/"]).found:
        named = attributes.get("src") or (attributes.get("href") if tag == "link" else None)
        assert named is None or f"/{named}" in PAGE, named
    for text in (text for path, text in TEXTS.items() if path.endswith(".js")):
        assert all(f"/{name}" in PAGE for name in re.findall(r'from "\./([\w.]+)"', text))


def test_scripts_find_every_element_that_they_look_for():
    ids = {attributes["id"] for _, attributes in Elements(TEXTS["/"]).found if "id" in attributes}
    for text in (text for path, text in TEXTS.items() if path.endswith(".js")):
        assert set(re.findall(r'byId\("(\w+)"\)', text)) <= ids


def test_everything_has_a_name_for_who_cannot_see_it():
    found = Elements(TEXTS["/"]).found
    assert ("html", {"lang": "en"}) in found
    for tag, attributes in found:
        if tag == "canvas":
            assert attributes.get("aria-label")
            assert attributes.get("role")
    assert any(attributes.get("aria-live") == "polite" for _, attributes in found)


def luminance(colour: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_text_stands_out_in_light_and_dark():
    blocks = re.findall(r":root \{(.*?)\}", TEXTS["/style.css"], re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for text in ("text", "soft", "unsure"):
            for ground in ("ground", "paper", "track"):
                assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
        assert contrast(colour["on-accent"], colour["accent"]) >= 4.5
        assert contrast(colour["ink"], colour["paper"]) >= 7
        # What is no text, such as the focus and the bars: 3.
        assert contrast(colour["accent"], colour["ground"]) >= 3
        assert contrast(colour["line"], colour["track"]) >= 2.5
