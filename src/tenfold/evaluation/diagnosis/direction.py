"""Causes in how pictures lie: all of a part transposed or turned, or a share of it."""

from collections.abc import Iterator

from tenfold.evaluation.diagnosis import fixes
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.inputs import Part
from tenfold.evaluation.diagnosis.reference import AS_THEY_ARE

# Turned the right way, digits are half as strange (0.95 against 1.5 to 2); neighbours by far less.
MENDED = 0.8
DIGITS_AT_MOST = 1.4


def clear_turn(evidence: Evidence, part: Part) -> str:
    """The turn that makes digits of a part's pictures; "" where none clearly does."""
    best, mended, strange = evidence.turn(part)
    if len(part) < 30 or mended > DIGITS_AT_MOST:
        return ""
    return best if best == AS_THEY_ARE or mended < MENDED * strange else AS_THEY_ARE


def direction(evidence: Evidence) -> Iterator[Finding]:
    """Every part transposed, turned or mirrored in the same way; or a share of the training pictures."""
    first = evidence.foremost
    if first is None or first.pictures is None or len(first) < 30:
        return
    if lying := lying_in(evidence, first):
        mixed = [part for part in evidence.parts.values() if lying_in(evidence, part)]
        yield Finding(
            "transposed_pictures",
            0.95,
            f"Of the pictures of {first.name}, {in_words(lying)}; the others stand as they should.",
            fixes.stood(mixed, lying),
            {f"share_{turn.replace(' ', '_')}": round(share, 3) for turn, share in lying.items()},
        )
        return
    turn = clear_turn(evidence, first)
    if turn in ("", AS_THEY_ARE):
        return
    _, mended, strange = evidence.turn(first)
    yield Finding(
        "transposed_pictures",
        0.95,
        f"The pictures look like digits once they are {turn}: then they are {mended:.2f} times as far from real digits "
        f"as real ones are, now {strange:.2f} times.",
        fixes.prepared(evidence.parts, fixes.turned(first, turn)),
        {"strangeness": strange, "strangeness_mended": mended},
    )


def lying_in(evidence: Evidence, part: Part) -> dict[str, float]:
    """turn -> the share of a part's pictures that are digits only after it; {} where they are no digits."""
    _, mended, _ = evidence.turn(part)
    return evidence.lying(part) if mended <= DIGITS_AT_MOST else {}


def in_words(lying: dict[str, float]) -> str:
    """Shares of pictures by the turn that they need, in words."""
    return " and ".join(
        f"about {share:.0%} look like digits only once they are {turn}"
        for turn, share in lying.items()
    )
