import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.reporting.chart import BOTTOM, LEFT, RIGHT, TOP, Chart, chart, round_marks


def drawn(epochs: list[int], values: list[float], *, floor: float | None = None) -> Chart:
    return chart("Loss", epochs, series={"training": values}, text=lambda v: f"{v:g}", floor=floor)


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0.0, 0.37, [0.0, 0.1, 0.2, 0.3, 0.4]),
        (91.2, 97.9, [90, 92, 94, 96, 98]),
        (1, 100, [0, 20, 40, 60, 80, 100]),
        (0.0, 2.3, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]),
    ],
)
def test_marks_are_the_round_numbers_a_person_would_write(
    low: float, high: float, marks: list[float]
) -> None:
    # 1e-12: a mark is a whole multiple of 0.1, which no float is exactly.
    assert round_marks(low, high) == pytest.approx(marks, abs=1e-12)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_marks_enclose_the_values_and_stay_few(one: float, other: float) -> None:
    low, high = sorted((one, other))
    marks = round_marks(low, high)
    slack = 1e-6 * (marks[1] - marks[0])  # rounding of the division by the step
    assert marks[0] <= low + slack
    assert marks[-1] >= high - slack
    # A step is at least a fifth of the span, and both ends may stand out by less than one.
    assert 2 <= len(marks) <= 8


def test_the_first_and_last_epoch_stand_at_the_edges_and_higher_values_higher_up() -> None:
    (line,) = drawn([1, 2, 3], [0.4, 0.2, 0.0], floor=0.0).lines
    assert line.points == (
        (LEFT, TOP),
        ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2),
        (RIGHT, BOTTOM),
    )


def test_a_single_epoch_is_a_dot_in_the_middle() -> None:
    one = drawn([1], [0.5])
    (((x, y),),) = (line.points for line in one.lines)
    assert x == (LEFT + RIGHT) / 2
    assert TOP <= y <= BOTTOM
    assert one.dots


def test_epochs_are_marked_with_whole_numbers_only() -> None:
    assert [tick.text for tick in drawn([1, 2, 3], [3.0, 2.0, 1.0]).x_ticks] == ["1", "2", "3"]


def test_a_last_place_that_rounding_put_beyond_its_mark_is_marked() -> None:
    # 3 * 0.1 is 0.30000000000000004.
    places = chart("x", [0, 0.1, 0.2, 0.3], series={"a": [1] * 4}, text=str, x_label="eps").x_ticks
    assert [tick.text for tick in places] == ["0", "0.1", "0.2", "0.3"]
    assert [
        t.text
        for t in chart("x", [14.6, 14.6], series={"a": [1, 2]}, text=str, x_label="%").x_ticks
    ] == ["14.6"]


def test_the_summary_says_where_each_line_begins_and_ends() -> None:
    assert drawn([1, 2], [0.9, 0.4]).summary == "Loss, epochs 1 to 2: training from 0.9 to 0.4."
