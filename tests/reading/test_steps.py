"""The steps of reading one by one, on things small enough to be done by hand or by trying all ways."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tenfold.pictures.cleaning import run_lengths
from tenfold.reading.cuts import best_paths, cut_up
from tenfold.reading.ink import is_light_on_dark, paper_of
from tenfold.reading.lattice import Costs, Lattice, cheapest, prices
from tenfold.reading.lines import lines_of, slope_of
from tenfold.reading.pieces import Piece, joined, pen_width, pieces_of
from tenfold.reading.reader import read_atoms
from tenfold.reading.rulings import straight_runs, without_rulings
from tenfold.reading.view import look, moved


def piece(top: int, left: int, height: int, width: int) -> Piece:
    mask = np.pad(np.ones((height, width), bool), 1)
    return Piece(top - 1, left - 1, mask.astype(np.float32), mask)


def test_run_lengths_counted_by_hand():
    mask = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    assert run_lengths(mask).tolist() == [[2, 0, 1], [2, 3, 0], [0, 3, 2], [1, 3, 2]]


def test_grain_in_the_shade_is_no_ink(drawing):
    style, empty = drawing.Style(shadow=0.6, noise=2.0), np.zeros((400, 500))
    for seed in (0, 1, 7, 12):
        photo = drawing.photographed(empty, empty, style, np.random.default_rng(seed))
        _, lines = read_atoms(photo.min(axis=2))
        # The end of the shadow's edge may be a stroke; of grain there are thousands.
        assert sum(map(len, lines)) <= 1


def test_a_photo_that_is_even_but_for_rounding_is_all_paper():
    grey = np.full((30, 40), 200, np.float32)
    grey[:15] = np.nextafter(np.float32(200), np.float32(201))
    inside = np.ones(grey.shape, bool)
    assert (paper_of(grey, inside) == inside).all()


def test_a_place_comes_back_from_the_view():
    photo = np.full((60, 90), 200, np.uint8)
    view = look(photo, scale=1.7, turn=7.0)
    places = np.array([(0.0, 0.0), (90, 0), (45, 30), (12, 55)])
    there = moved(view.matrix, places)
    assert np.allclose(view.to_photo(there), places)
    assert there.min() > -1e-6
    assert (there.max(axis=0) <= (view.grey.shape[1], view.grey.shape[0])).all()


def test_a_dot_is_where_the_view_says():
    photo = np.full((80, 120), 250, np.uint8)
    photo[30:34, 70:74] = 0
    view = look(photo, scale=2.0, turn=-12.0)
    rows, columns = np.nonzero(view.grey < 120)
    middle = view.to_photo(np.array([[columns.mean() + 0.5, rows.mean() + 0.5]]))[0]
    assert middle == pytest.approx((72, 32), abs=0.3)


THIN = """
import numpy as np, re
from tenfold.reading.view import look
photo = np.zeros((25_000_000, 1), np.uint8)
photo[12_500_000:] = 255
high, wide = (look(each, scale=1400 / 25_000_000).grey for each in (photo, photo.T))
assert high.shape == (1400, 1) and (high.T == wide).all()
assert (high[:690] == 0).all() and (high[710:] == 255).all()
print(re.search("VmHWM:\\s+([0-9]+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell")
def test_a_photo_of_one_pixel_by_millions_takes_little_memory():
    done = subprocess.run([sys.executable, "-c", THIN], capture_output=True, text=True, check=True)
    # The photo is 25 MB; weights for as many pixels would be 800 MB.
    assert int(done.stdout) < 400_000


def test_pens_are_as_wide_as_they_were_drawn():
    for width in (2, 3, 4, 6, 9):
        stripe = piece(5, 5, width, 200)
        assert pen_width(stripe) == pytest.approx(width, rel=0.15)


def test_pieces_of_different_strength_keep_their_own_ink():
    ink = np.zeros((40, 60), np.float32)
    ink[5:30, 5:9], ink[5:30, 30:34] = 0.9, 0.1
    found = pieces_of(ink, ink > 0.05)
    assert [(p.top + 1, p.left + 1, p.height, p.width) for p in found] == [(5, 5, 25, 4), (5, 30, 25, 4)]  # fmt: skip
    assert joined(found).mass == 200


def test_a_ruling_goes_and_the_stroke_across_it_stays():
    ink = np.zeros((120, 400), np.float32)
    ink[60:62] = 0.5
    ink[35:90, 100:105] = 0.5
    ruled = without_rulings(ink, ink > 0.2, height=56)
    stroke = np.zeros(ink.shape, bool)
    stroke[35:90, 100:105] = True
    assert (ruled.mask == stroke).all()


def test_squares_go_whole():
    ink = np.zeros((200, 300), np.float32)
    ink[10::40], ink[11::40], ink[:, 20::40], ink[:, 21::40] = 0.4, 0.4, 0.4, 0.4
    assert not without_rulings(ink, ink > 0.2, height=56).mask.any()


def test_a_slanted_stroke_of_a_digit_is_no_ruling():
    mask = np.zeros((100, 100), bool)
    for row in range(20, 76):
        mask[row, 30 + row // 4 : 34 + row // 4] = True
    assert not straight_runs(mask, 70).any()
    assert (without_rulings(mask.astype(np.float32), mask, height=56).mask == mask).all()


def test_the_cheapest_path_crosses_the_bridge_between_two_blots():
    ink = np.zeros((21, 31), np.float32)
    ink[3:18, 2:12] = ink[3:18, 19:29] = 1
    ink[10, 12:19] = 1
    crossed, paths = best_paths(ink)
    # Over the bridge, one pixel thick; through a blot all 15 rows would be crossed.
    between = crossed[4:27]
    assert 4 + int(between.argmin()) in range(12, 19)
    assert between.min() == pytest.approx(1, abs=0.6)
    assert crossed[7] > 5
    assert (np.abs(np.diff(paths, axis=1)) <= 1).all()


def test_two_strokes_that_touch_are_cut_where_they_touch():
    mask = np.zeros((60, 50), bool)
    mask[2:58, 4:8] = mask[2:58, 40:44] = True
    mask[30:34, 8:40] = True
    parts = cut_up(piece_of(mask), 56, 4.0)
    assert len(parts) >= 2
    assert sum(p.mass for p in parts) == mask.sum()
    assert all(part.cut > 0 for part in parts[1:])
    assert parts[0].cut == 0


def piece_of(mask: np.ndarray) -> Piece:
    (found,) = pieces_of(mask.astype(np.float32), mask)
    return found


def test_lines_are_found_though_they_slope_and_differ():
    middle = [(40, 100 + 5 * k, 300 + 40 * k) for k in range(6)]
    pieces = [piece(y + 90 * row, x, 50, 30) for _, y, x in middle for row in range(3)]
    assert slope_of(pieces, 50) == pytest.approx(np.degrees(np.arctan(5 / 40)), abs=1.0)
    found = lines_of(pieces, 50)
    assert [[p.left for p in line] for line in found] == [[299 + 40 * k for k in range(6)]] * 3
    assert [line[0].top for line in found] == sorted(line[0].top for line in found)


def test_light_strokes_are_told_from_light_gaps():
    page = np.full((200, 300), 30, np.float32)
    page[40:160, 40:260:12] = 220
    page[40:160, 41:260:12] = 220
    everywhere = np.ones(page.shape, bool)
    assert is_light_on_dark(page, everywhere)
    assert not is_light_on_dark(255 - page, everywhere)


def test_the_cheapest_reading_is_the_cheapest_of_all():
    rng = np.random.default_rng(0)
    costs = Costs()
    for _ in range(20):
        lattice = random_lattice(rng, atoms=5)
        found = cheapest(lattice, costs)
        price = prices(lattice, costs).min(axis=1)
        left_out = lattice.evidence[len(price) :] @ np.array(costs, np.float32)
        ways = [
            sum(price[g] if g >= 0 else left_out[atom] for atom, g in way)
            for way in all_ways(lattice, len(price))
        ]
        of_image = {reading.image.tobytes(): reading for reading in found}
        used = [g for g in range(len(price)) if lattice.images[g].tobytes() in of_image]
        covered = {a for g in used for a in range(*lattice.steps[g])}
        total = sum(price[g] for g in used)
        total += sum(left_out[a] for a in range(lattice.count) if a not in covered)
        assert total == pytest.approx(min(ways), rel=1e-5)


def random_lattice(rng: np.random.Generator, *, atoms: int) -> Lattice:
    steps = [(a, b) for a, b in product(range(atoms), range(1, atoms + 1)) if a < b <= a + 3]
    evidence = rng.uniform(0, 1, (len(steps) + atoms, len(Costs._fields))).astype(np.float32)
    surprise = rng.uniform(0, 2, (len(steps), 10, 2)).astype(np.float32)
    evidence[: len(steps), :2] = 0
    images = rng.integers(0, 256, (len(steps), 28, 28)).astype(np.uint8)
    pieces = [piece(0, 10 * a, 40, 8) for a, _ in steps]
    ways = np.array(steps + [(n, n + 1) for n in range(atoms)])
    chances = np.full((len(steps), 10), 0.1, np.float32)
    return Lattice(atoms, ways, pieces, images, chances, evidence, surprise)


def all_ways(lattice: Lattice, groups: int, start: int = 0) -> list[list[tuple[int, int]]]:
    """Every way from an atom to the end: (atom, group), or (atom, -1) where it is left out."""
    if start == lattice.count:
        return [[]]
    ways = [[(start, -1), *rest] for rest in all_ways(lattice, groups, start + 1)]
    for g in range(groups):
        if lattice.steps[g, 0] == start:
            ways += [
                [(start, g), *rest] for rest in all_ways(lattice, groups, int(lattice.steps[g, 1]))
            ]
    return ways
