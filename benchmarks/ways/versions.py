"""The versions of packages in the environment that runs this. usage: python versions.py NAME..."""

import json
import platform
import sys
from importlib import metadata


def installed(names: list[str]) -> dict[str, str]:
    """The version of each package that is there, and Python's own under "python"."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # another system's name for the same thing
    return found


if __name__ == "__main__":
    print(json.dumps(installed(sys.argv[1:])))
