"""Fit the costs by which `tenfold.reading` chooses among the ways to read a line.

usage: python benchmarks/reading_costs.py [PAGES]

Pages are drawn from MNIST's training images, each in a style of its own. For each line all ways through its
lattice are weighted by exp(-cost), and so are those alone that spell what was written; the ratio is the
probability of reading the line right. Its mean over the lines, weighted by the root of their length, is climbed
by L-BFGS from the costs there are. A line that nobody could read has no say in that. Prints the new costs.

Source: Lafferty et al. 2001, "Conditional random fields"; here the segmentation is not known, and summed over.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from tenfold import load, pretrained
from tenfold.pictures.ink import grey_of
from tenfold.randomness import stream
from tenfold.reading.lattice import COSTS, Costs, Lattice, cheapest, lattices
from tenfold.reading.reader import read_atoms

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "reading"))
from drawing import Style, chosen, distance, draw

Lines = list[tuple[Lattice, str]]
Values = NDArray[np.float64]

# How many nats worse than the best a right reading may be and still have a say.
NATS = 2.0
# Costs that drawn pages tell too little about are kept near where they were.
KEPT = 5e-4
# On drawn pages what is left out is mostly a sign or a speck; on real ones it is mostly a small digit.
LEAST = {"leave": 0.3, "clear": 2.0}
SIGNS = "....,,,---"


def style(rng: np.random.Generator) -> Style:
    """A style by chance, from neat to hard."""
    some = rng.uniform
    height = int(some(24, 90))
    return Style(
        height=height,
        pen=max(1.3, height * some(0.04, 0.13)),
        strength=some(0.3, 0.5) if rng.random() < 0.2 else 1.0,
        gap=(some(-0.1, 0.02), some(0, 0.15), some(0.1, 0.5))[rng.integers(3)],
        lines_apart=some(1.35, 2.2),
        uneven=some(0.02, 0.15),
        sizes=(0, some(0, 0.2), some(0.15, 0.45))[rng.integers(3)],
        slope=some(-8, 8) if rng.random() < 0.4 else 0,
        rulings=str(rng.choice(["none"] * 3 + ["ruled", "squared", "boxes", "underlines"])),
        ruling_ink=tuple(int(part) for part in rng.integers(60, 210, 3)),
        angle=some(0, 0.06) if rng.random() < 0.3 else 0,
        shadow=some(0, 0.5) if rng.random() < 0.3 else 0,
        blur=some(0, 1.2) * height / 48,
        noise=some(0, 5),
        jpeg=int(rng.choice([0, 60, 85])),
    )


def drawn_lines(pages: int) -> Lines:
    """The lattice of each line of so many pages, and the digits written on it."""
    digits = load("mnist").train
    lines: Lines = []
    for number in range(pages):
        rng = stream(number, "reading costs")
        signs = list("0123456789" * 4) + list(SIGNS) * (rng.random() < 0.4)
        texts = [
            "".join(rng.choice(signs, rng.integers(2, 11))).strip(".,-") or "5"
            for _ in range(rng.integers(1, 6))
        ]
        glyphs = chosen(texts, digits.images, digits.known_labels, rng)
        _, atoms = read_atoms(grey_of(draw(glyphs, style(rng), rng)))
        if len(atoms) == len(texts):
            written = ["".join(c for c in text if c.isdigit()) for text in texts]
            lines += zip(lattices(atoms, pretrained()), written, strict=True)
    return lines


class Graph:
    """A lattice with the evidence of every step as every digit."""

    def __init__(self, lattice: Lattice, text: str) -> None:
        self.count, self.groups = lattice.count, len(lattice.pieces)
        self.first, self.after = lattice.steps[: self.groups].T
        fixed = lattice.evidence[: self.groups, None].astype(float)
        self.evidence = np.repeat(fixed, 10, axis=1)
        self.evidence[..., :2] = lattice.surprise
        self.left_out = lattice.evidence[self.groups :].astype(float)
        self.text = np.array([int(c) for c in text])

    def log_chance(self, costs: Values) -> tuple[float, Values]:
        """log of the probability of reading the text, and how it changes with each cost."""
        every, of_every = self._sum(costs, None)
        right, of_right = self._sum(costs, self.text)
        return right - every, of_right - of_every

    def _sum(self, costs: Values, text: NDArray[np.intp] | None) -> tuple[float, Values]:
        """log of the sum over all ways, or over those that spell `text`, and its gradient.

        A state is (atoms passed, digits written); without a text there is one column of states.
        """
        step, leave = -(self.evidence @ costs), -(self.left_out @ costs)
        moves = 0 if text is None else 1
        width = 1 if text is None else len(text) + 1
        score = logsumexp(step, axis=1)[:, None] if text is None else step[:, text]
        forth = np.full((self.count + 1, width), -np.inf)
        back = forth.copy()
        forth[0, 0], back[-1, -1] = 0, 0
        for end in range(1, self.count + 1):
            ways = [forth[end - 1] + leave[end - 1]]
            for group in np.flatnonzero(self.after == end):
                way = np.full(width, -np.inf)
                way[moves:] = forth[self.first[group], : width - moves] + score[group]
                ways.append(way)
            forth[end] = logsumexp(ways, axis=0)
        for start in range(self.count - 1, -1, -1):
            ways = [back[start + 1] + leave[start]]
            for group in np.flatnonzero(self.first == start):
                way = np.full(width, -np.inf)
                way[: width - moves] = back[self.after[group], moves:] + score[group]
                ways.append(way)
            back[start] = logsumexp(ways, axis=0)
        total = float(forth[-1, -1])
        if not np.isfinite(total):
            return total, np.zeros(len(costs))
        expected = (
            np.exp(forth[:-1] + leave[:, None] + back[1:] - total).sum(axis=1) @ self.left_out
        )
        before, behind = forth[self.first, : width - moves], back[self.after, moves:]
        chance = np.exp(before + score + behind - total)
        if text is None:
            share = chance * np.exp(step - score)
            expected = expected + np.einsum("gd,gdf->f", share, self.evidence)
        else:
            expected = expected + np.einsum("gk,gkf->f", chance, self.evidence[:, text])
        return total, -expected


def errors(lines: Lines, costs: Costs) -> int:
    """Edits between what is read and what was written, over all lines."""
    read = ["".join(str(r.probabilities.argmax()) for r in cheapest(a, costs)) for a, _ in lines]
    return sum(distance([r], [text]) for r, (_, text) in zip(read, lines, strict=True))


def fitted(lines: Lines, start: Costs) -> Costs:
    """The costs by which most of the lines are read right."""
    graphs = [Graph(*line) for line in lines]
    first = np.array(start)

    def loss(costs: Values) -> tuple[float, Values]:
        value, slope = 0.0, np.zeros(len(costs))
        for graph in graphs:
            chance, change = graph.log_chance(costs)
            weight = np.sqrt(len(graph.text)) * np.exp(chance / NATS)
            value -= weight
            slope -= weight * change / NATS
        off = costs - first
        return value / len(graphs) + KEPT * off @ off, slope / len(graphs) + 2 * KEPT * off

    bounds = [(LEAST.get(name, 0.0), None) for name in Costs._fields]
    best = minimize(
        loss, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 40}
    )
    return Costs(*(round(float(cost), 2) for cost in best.x))


def main(pages: int = 100) -> None:
    """Fit and print."""
    lines = drawn_lines(pages)
    digits = sum(len(text) for _, text in lines)
    print(f"{len(lines)} lines, {digits} digits; wrong {errors(lines, COSTS)}", flush=True)
    costs = fitted(lines, COSTS)
    print(f"{costs}\nwrong {errors(lines, costs)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
