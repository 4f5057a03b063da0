import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold.data.mnist import TEST_HASH, TRAIN_HASH
from tenfold.digits import Digits, Parts
from tenfold.errors import DataError
from tenfold.layers import BatchNorm, Conv2D, Dense, GlobalAveragePool, Residual
from tenfold.network import Network
from tenfold.recipe import EarlyStopping, Recipe
from tenfold.recipes import CNN
from tenfold.reporting import write_report
from tenfold.reporting.findings import MOST_MISTAKES, MOST_PAIRS
from tenfold.reporting.report import MOST_EPOCHS
from tenfold.training import EpochResult, Run, open_run

from .conftest import HISTORY, RECIPE, MakeRun

VOID = {"meta", "img", "br", "line", "circle", "polyline"}


class Page(HTMLParser):
    """A page as its tags with their attributes, its text, and the cells of its tables."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(content)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another tag, line {self.getpos()[0]}"

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split()).replace("\N{NO-BREAK SPACE}", " ")

    def row(self, head: str) -> list[str]:
        """The cells beside the first that reads `head`."""
        return [" ".join(c.split()) for row in self.rows if row[0].strip() == head for c in row[1:]]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(run: Run, *, test: Digits | None = None) -> Page:
    parts = None if test is None else Parts(test, test)
    return Page((write_report(run, parts).folder / "report.html").read_text())


def test_the_page_says_what_the_record_says(make_run: MakeRun) -> None:
    read = page(make_run(labels=[3] * 50, told=[3] * 47 + [5] * 3))
    assert "94.00%" in read.text
    assert "47 of 50" in read.text
    # Wilson's interval of 47 of 50: the roots of (0.94 - w)^2 = 1.96^2 w (1 - w) / 50.
    assert "95 % interval 83.78% to 97.94%" in read.text
    assert "89.00% (89 of 100; " in read.text
    assert read.row("data") == ["mnist5k"]
    assert read.row("from") == ["digits made by hand"]
    assert read.row("images") == ["400 for training, 100 for validation, 50 for the test"]
    assert read.row("hash of the data") == ["training part aa11, test part bb22"]
    assert read.row("seconds") == ["0.2 to set up, 3.2 to train, 0.1 to judge; 3.5 in all"]
    assert read.row("machine") == ["an abacus, 2 cores, Linux"]
    assert read.row("versions") == ["python 3.11.9, tenfold 0.1.0"]
    assert read.row("log loss") == ["0.1250 on the test images"]
    assert read.row("seed")[0].startswith("7 ")
    assert read.row("epochs") == ["3 of 3"]


def test_the_network_stands_there_with_shapes_and_parameters(make_run: MakeRun) -> None:
    read = page(make_run())
    assert read.row("Dense units 16, bias yes") == ["16", "12,560"]  # 784 * 16 + 16
    assert read.row("Dense units 10, bias yes") == ["10", "170"]  # 16 * 10 + 10
    assert read.row("in all") == ["12,730"]
    assert "25,408 FLOPs" in read.text  # 2 * (784 * 16 + 16 * 10)


def test_layers_inside_a_residual_are_shown_too(make_run: MakeRun) -> None:
    inside = Residual(Conv2D(4, bias=False), BatchNorm())
    network = Network(Conv2D(4), inside, GlobalAveragePool(), Dense(10))
    read = page(make_run(recipe=Recipe(network)))
    name = "Conv2D filters 4, kernel 3, stride 1, padding same, bias no"
    assert read.row(name) == ["28 × 28 × 4", "144"]  # 3 * 3 * 4 * 4
    assert read.row("Residual") == ["28 × 28 × 4", ""]


def test_the_confusion_matrix_has_labels_in_rows(make_run: MakeRun) -> None:
    read = page(make_run(labels=[3] * 9 + [5] * 4, told=[3] * 6 + [5] * 3 + [5] * 3 + [3]))
    by_label = [row for row in read.rows if len(row) == 11]
    assert [row[0] for row in by_label] == ["", *"0123456789"]
    assert by_label[1 + 3] == ["3", *"0006030000"]
    assert by_label[1 + 5] == ["5", *"0001030000"]
    assert "Most often: a 3 taken for a 5 (3), a 5 taken for a 3 (1)." in read.text


def test_each_digit_that_was_shown_has_its_recall(make_run: MakeRun) -> None:
    read = page(make_run(labels=[3] * 4 + [5] * 2, told=[3] * 3 + [5] * 3))
    recalls = [row[:3] for row in read.rows if len(row) == 5]
    assert recalls == [
        ["digit", "recall", "images"],
        ["3", "75.00%", "3 of 4"],
        ["5", "100.00%", "2 of 2"],
    ]


def test_the_gallery_shows_the_surest_mistakes_first_as_they_are(
    make_run: MakeRun, pictures: Digits
) -> None:
    told = pictures.known_labels.tolist()
    told[4], told[9], told[1] = 9, 4, 7
    run = make_run(labels=pictures.known_labels, told=told, data=_judged_on(pictures))
    images = page(run, test=pictures).all("img")
    assert [image["alt"] for image in images] == [
        "Image 9: labelled 9, told 4",
        "Image 4: labelled 4, told 9",
        "Image 1: labelled 1, told 7",
    ]
    for image, row in zip(images, (9, 4, 1), strict=True):
        header, _, content = str(image["src"]).partition(",")
        assert header == "data:image/png;base64"
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
        np.testing.assert_array_equal(shown, pictures.images[row])


def test_without_the_test_images_the_mistakes_are_named_by_row(make_run: MakeRun) -> None:
    read = page(make_run(labels=[4, 4], told=[4, 9]))
    assert read.all("img") == []
    assert "a 4 , told 9 9: 70.0% row 1" in read.text


def test_other_images_than_those_tested_on_are_refused(make_run: MakeRun, pictures: Digits) -> None:
    run = make_run(labels=[4], told=[4])
    with pytest.raises(DataError, match=r"tested on, received others \(twelve pictures\)"):
        write_report(run, Parts(pictures, pictures))
    assert not (run.folder / "report.html").exists()


def test_the_page_is_sealed_on_record(make_run: MakeRun) -> None:
    run = write_report(make_run(labels=[4], told=[4]))
    assert "report.html" in open_run(run.folder).record["files"]


def test_equal_input_gives_equal_bytes(make_run: MakeRun, pictures: Digits) -> None:
    fields = {"labels": pictures.known_labels, "told": [0] * 12, "data": _judged_on(pictures)}
    one, other = make_run("one/run", **fields), make_run("other/run", **fields)
    first = written(write_report(one, Parts(pictures, pictures)))
    assert written(write_report(other, Parts(pictures, pictures))) == first
    assert written(write_report(open_run(one.folder), Parts(pictures, pictures))) == first


def test_names_in_the_record_stay_text(make_run: MakeRun) -> None:
    hostile = "\"'><script>alert(1)<img src=x onerror=alert(2)>{{ 7 * 7 }}"
    run = make_run(
        "a|b<script>",
        labels=[4],
        told=[4],
        data={"name": hostile, "source": hostile},
        backend=hostile,
        versions={hostile: hostile},
        machine={"processor": hostile, "cores": 2, "system": hostile},
        recipe=replace(RECIPE, epochs=4),
    )
    read = page(run)
    assert read.all("script") == read.all("img") == []
    assert "a|b<script>" in read.text
    assert read.row("data") == read.row("from") == [hostile]


def test_nothing_on_the_page_is_fetched_or_run(make_run: MakeRun, pictures: Digits) -> None:
    run = make_run(labels=pictures.known_labels, told=[0] * 12, data=_judged_on(pictures))
    read = page(run, test=pictures)
    references = [
        str(attributes[name])
        for _, attributes in read.tags
        for name in ("src", "href", "srcset", "action", "data", "poster")
        if name in attributes
    ]
    assert len(references) > 10
    assert all(reference.startswith(("#", "data:image/png")) for reference in references)
    assert {tag for tag, _ in read.tags}.isdisjoint({"script", "link", "iframe", "object", "base"})
    content = written(run)
    assert b"http:" not in content
    assert b"https:" not in content
    assert b"url(" not in content
    assert b"@import" not in content


def test_links_lead_to_places_on_the_page(make_run: MakeRun) -> None:
    for read in (page(make_run("tested", labels=[4], told=[4])), page(make_run("untested"))):
        places = {attributes["id"] for _, attributes in read.tags if "id" in attributes}
        assert {str(link["href"]) for link in read.all("a")} == {f"#{place}" for place in places}


def test_figures_and_tables_can_be_heard(make_run: MakeRun, pictures: Digits) -> None:
    run = make_run(labels=pictures.known_labels, told=[0] * 12, data=_judged_on(pictures))
    read = page(run, test=pictures)
    labels = [svg["aria-label"] for svg in read.all("svg") if svg["role"] == "img"]
    assert labels == [
        "Loss (nats an image), epochs 1 to 3: training from 0.9 to 0.2; validation from 0.5 to 0.6, at least 0.3.",
        "Accuracy, epochs 1 to 3: training from 71% to 94%; validation from 83% to 89%, at most 91%.",
    ]
    assert all(image["alt"] for image in read.all("img"))
    assert all("scope" in head for head in read.all("th"))
    assert read.all("html") == [{"lang": "en"}]


def test_data_that_are_not_the_full_mnist_are_called_so(make_run: MakeRun) -> None:
    assert "This is not the full MNIST" in page(make_run(labels=[4], told=[4])).text
    mnist = {"hash": {"train": TRAIN_HASH, "test": TEST_HASH}}
    read = page(make_run("full", labels=[4], told=[4], data=mnist))
    assert "The test images are MNIST's 10,000" in read.text
    assert "not the full MNIST" not in read.text


def test_what_is_suspicious_stands_beside_the_figure(make_run: MakeRun) -> None:
    assert "Warning" not in page(make_run(labels=[4], told=[4])).text
    run = make_run("leaky", labels=[4], told=[4], warnings=["9 of 10 <seen>.", "Too good."])
    assert "Warning: 9 of 10 <seen>. Warning: Too good." in page(run).text


def test_the_figure_by_corrected_labels_stands_there_where_there_is_one(make_run: MakeRun) -> None:
    run = make_run(labels=[4], told=[4])
    assert "corrected" not in page(run).text
    test = run.record["results"]["test"] | {"corrected": {"correct": 47, "total": 50}}
    read = page(run.amend(results={"validation": None, "test": test}))
    assert "the figure is 94.00% (47 of 50; 95 % interval 83.78% to 97.94%)" in read.text


def test_without_a_test_part_the_figure_is_that_of_validation_and_says_so(
    make_run: MakeRun,
) -> None:
    read = page(make_run())
    assert "of the validation images were told correctly" in read.text
    assert "These data have no test part" in read.text
    assert "Where it errs" not in read.text


def test_an_eight_has_its_article_and_one_image_is_no_images(make_run: MakeRun) -> None:
    read = page(make_run(labels=[8], told=[3]))
    assert "an 8 taken for a 3 (1)" in read.text
    assert "judged on 1 image (mnist5k)" in read.text
    assert "No image shows 0, 1, 2, 3, 4, 5, 6, 7, 9." in read.text


def test_a_network_that_nobody_judged_gets_no_figure(make_run: MakeRun) -> None:
    history = tuple(r._replace(validation_loss=None, validation_accuracy=None) for r in HISTORY)
    run = make_run(history=history, results={"validation": None, "test": None})
    read = page(run)
    assert "A network that nobody has judged yet" in read.text
    assert all("validation" not in str(svg["aria-label"]) for svg in read.all("svg"))
    assert read.row("3") == ["0.70", "0.2000", "94.00%", "-", "-"]


def test_a_flawless_result_is_no_division_by_zero(make_run: MakeRun) -> None:
    read = page(make_run(labels=[4, 5], told=[4, 5]))
    assert "It made no mistake on these images." in read.text


def test_a_long_training_with_many_mistakes_stays_a_small_page(
    make_run: MakeRun, pictures: Digits
) -> None:
    history = tuple(EpochResult(e, 0.1, 1 / e, 0.9, 2 / e, 0.8) for e in range(1, 5_001))
    labels = np.arange(10_000) % 10
    images = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28)).astype(np.uint8)
    test = Digits(images, labels.astype(np.uint8), "noise")
    told = (labels + 1 + labels // 5) % 10
    run = make_run(labels=labels, told=told, history=history, data=_judged_on(test))
    read = page(run, test=test)
    epochs = [row[0] for row in read.rows if len(row) == 6][1:]
    assert len(epochs) == MOST_EPOCHS
    assert (epochs[0], epochs[-1]) == ("1", "5,000")
    assert len(read.all("img")) == MOST_MISTAKES
    assert len(re.findall(" taken for an? ", read.text)) == MOST_PAIRS
    assert len(written(run)) < 1_500_000


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        (replace(CNN, epochs=2, engine="numpy"), " --epochs 2 --engine numpy"),
        (CNN, " --backend jax"),
    ],
)
def test_the_command_trains_the_same_again(make_run: MakeRun, recipe: Recipe, options: str) -> None:
    run = make_run(recipe=recipe, backend="jax", data={"name": "idx:my digits"})
    read = page(run.amend(recipe={"name": "cnn", "value": recipe.to_json()}))
    commands = [words for words in read.words if words.startswith("tenfold train")]
    assert commands == [f"tenfold train --recipe cnn --data 'idx:my digits' --seed 7{options}"]


def test_several_networks_and_their_precision_are_named_with_what_all_of_them_cost(
    make_run: MakeRun,
) -> None:
    # CNN has its own count; three of them have three times as much.
    recipe = replace(CNN, members=3)
    text = " ".join(page(make_run(recipe=recipe, precision="bfloat16")).words)
    parameters, flops = 3 * CNN.network.parameter_count, 3 * CNN.network.flops
    assert f"There are 3 such networks, with {parameters:,} parameters" in text
    assert f"One picture costs {flops:,}" in text
    assert "bfloat16 in convolutions and Dense layers" in text
    alone = " ".join(page(make_run("alone", recipe=CNN)).words)
    assert "such networks" not in alone
    assert "bfloat16" not in alone


def test_a_run_from_before_there_was_a_precision_was_computed_in_float32(make_run: MakeRun) -> None:
    run = make_run()
    old = {key: value for key, value in run.record.items() if key != "precision"}
    assert "float32" in " ".join(page(replace(run, record=old)).words)


@pytest.mark.parametrize(
    ("name", "recipe", "data"),
    [
        ("own", CNN, "mnist"),
        ("cnn", CNN, "own"),
        ("cnn", replace(CNN, batch_size=64), "mnist"),
    ],
)
def test_no_command_is_given_that_would_train_something_else(
    make_run: MakeRun, name: str, recipe: Recipe, data: str
) -> None:
    run = make_run(recipe=recipe, data={"name": data})
    read = page(run.amend(recipe={"name": name, "value": recipe.to_json()}))
    assert "tenfold train" not in read.text
    assert "The whole recipe stands in run.json" in read.text


def test_a_validation_loss_that_rose_again_is_called_overfitting(make_run: MakeRun) -> None:
    advised = page(make_run()).text
    assert "lowest after epoch 2 of 3 and rose afterwards" in advised
    stopped = replace(RECIPE, early_stopping=EarlyStopping())
    assert "rose afterwards" not in page(make_run("stopped", recipe=stopped)).text


def test_a_validation_loss_that_still_falls_asks_for_more_epochs(make_run: MakeRun) -> None:
    read = page(make_run(history=HISTORY[:2]))
    assert "still falling in the last epoch" in read.text


def _judged_on(digits: Digits) -> dict[str, dict[str, str]]:
    return {"hash": {"train": "aa11", "test": digits.hash}}


def written(run: Run) -> bytes:
    return Path(run.folder / "report.html").read_bytes()
