"""`tenfold audit`: which labels are likely to be wrong."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, all_given, given
from tenfold.errors import UsageError

if TYPE_CHECKING:
    from tenfold.evaluation import Audit

MOST_PRINTED = 10

Models = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODEL",
        help="Ask this model as it is instead; given several times, the mean of all.",
        callback=lambda texts: all_given(texts or []) or None,
    ),
]
Part = Annotated[
    Literal["train", "test"] | None,
    typer.Option(help="Of data in two parts; else train, and test with --model."),
]


def audit(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A name or kind:path; `tenfold data` lists them.", callback=given
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="The folder to write, new or empty.",
            callback=given,
        ),
    ],
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What is trained; else standard.", callback=given),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(metavar="K", min=2, help="How many parts the digits are dealt into; else 5."),
    ] = None,
    model: Models = None,
    part: Part = None,
    as_json: AsJson = False,
) -> None:
    """Find labels that are likely to be wrong.

    A recipe is trained K times, each time without a part of the digits, and asked about that part; what it
    says with confidence against the label is in doubt. For --part test it is trained on the training part
    as well. Writes the list as CSV and JSON, and a picture of the worst.

    Example: tenfold audit mnist --part test -o audits/mnist
    """
    from tenfold import auditing

    if model and (recipe or folds):
        raise UsageError(
            "audit: expected --model, or --recipe and --folds, received both. A model is asked as it is."
        )
    settings: dict[str, Any] = {"models": model, "recipe": recipe, "folds": folds}
    given_ones = {name: value for name, value in settings.items() if value}
    found = auditing.audit(data, part=part, out=out, say=console.say, **given_ones)
    if as_json:
        console.show_json({"audit": out} | _summary(found))
    else:
        console.show(_text(found, out))
    console.suggest(
        ["tenfold", "evaluate", model[0]] if model else ["tenfold", "train", "--data", data]
    )


def _summary(found: "Audit") -> dict[str, Any]:
    return {
        "images": len(found.labels),
        "doubted": len(found.issues),
        "confident": sum(issue.confident for issue in found.issues),
        "estimated_faults": found.estimated_faults,
        "issues": [issue._asdict() for issue in found.issues],
    }


def _text(found: "Audit", out: str) -> str:
    counts = _summary(found)
    n = counts["images"]
    head = console.table(
        [
            ("labels", f"{n:,}"),
            ("doubted", f"{counts['doubted']:,}, for which another digit is more probable"),
            (
                "confidently",
                f"{counts['confident']:,} of them: it is as probable as on its own images",
            ),
            (
                "estimate",
                f"about {found.estimated_faults:,.0f} wrong labels ({found.estimated_faults / n:.2%})",
            ),
            *(
                (name, str(Path(out) / file))
                for name, file in (("list", "issues.csv"), ("pictures", "gallery.png"))
            ),
        ]
    )
    if not found.issues:
        return head
    rows = [
        (
            f"{rank}",
            f"{issue.row:,}",
            f"{issue.label} ({issue.of_label:.2%})",
            f"{issue.other} ({issue.of_other:.2%})",
            "yes" if issue.confident else "",
        )
        for rank, issue in enumerate(found.issues[:MOST_PRINTED], start=1)
    ]
    titles = ("", "row", "label", "told", "confidently")
    return f"{head}\n\n{console.table([titles, *rows], right=(0, 1, 2, 3))}"
