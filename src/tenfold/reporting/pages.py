"""A template of this room and its values -> a page in one file: no script, no font, nothing fetched."""

from pathlib import Path
from typing import Any

from tenfold.reporting import chart


def page(template: str, values: dict[str, Any], **filters: Any) -> str:
    """The template of that name with its values, as text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(template).render(values | {"drawing": chart})
