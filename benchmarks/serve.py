"""The service beside the same model called directly; how soon it answers; what it does when too much is asked.

Claims: through HTTP at least 60 % of the pictures a second that `predict_proba` tells, 256 at once. At 70 % of what
the service can do, how much longer than the median one request in a hundred takes is on record (ten times at most
is wanted; the client shares the cores). At three times what it can do, what it takes on it answers within its
deadline (4 seconds), and the rest is told to come again. Of 20,000 requests no answer is another's and none is lost.
"""

import argparse
import sys
from pathlib import Path

from processes import HERE, Groups, Way, mnist_file, options, ours
from record import bench

from tenfold.modelfile import PRETRAINED


def served(name: str, *words: object) -> list[str]:
    """A call of ways/with_service.py, in tenfold's environment."""
    return [sys.executable, str(HERE / "ways" / "with_service.py"), name, *map(str, words)]


def groups(chosen: argparse.Namespace, folder: Path) -> Groups:
    """The model in the box, asked directly and through HTTP."""
    digits = mnist_file(folder, chosen.images)
    return {
        "answers": {
            "tenfold predict_proba": Way(lambda _: ours("answer", PRETRAINED, digits)),
            "tenfold serve": Way(lambda _: served("throughput", PRETRAINED, digits)),
        },
        "70 % of what it can": {
            "tenfold serve": Way(lambda _: served("singles", PRETRAINED, digits))
        },
        "three times what it can": {
            "tenfold serve": Way(lambda _: served("overload", PRETRAINED, digits))
        },
        "whose answer": {
            "tenfold serve": Way(lambda _: served("identity", PRETRAINED, digits, chosen.requests))
        },
    }


if __name__ == "__main__":
    parser = options(__doc__, rounds=3, recipe="everyday")
    parser.add_argument("--requests", type=int, default=20_000, help="to be told apart; 20,000")
    bench(__file__, parser, groups)
