"""Help, versions and lists: what a person reads before anything is trained."""

import json
import shlex
from importlib.metadata import version

import pytest

from tenfold.errors import MissingExtra
from tenfold.keras_engine import DeviceReport
from tenfold.recipes import DEFAULT, RECIPES

COMMANDS = (
    "train", "repeat", "evaluate", "predict", "read", "serve", "submit", "compare", "diagnose", "audit", "report", "robustness", "explain", "ensemble", "export", "show", "recipes", "data", "doctor",
)  # fmt: skip


def test_tenfold_alone_prints_its_help(tenfold):
    alone, asked = tenfold(), tenfold("--help")
    assert alone == asked
    assert (alone.code, alone.err) == (0, "")


def test_the_help_lists_every_command_with_a_sentence_that_is_not_cut_off(tenfold):
    listed = tenfold("--help").out.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.strip().splitlines()] == list(COMMANDS)
    assert "..." not in listed


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_whose_options_it_has(tenfold, command):
    outcome = tenfold(command, "--help")
    assert outcome == tenfold(command, "-h")
    assert outcome.code == 0
    example = next(line for line in outcome.out.splitlines() if "Example:" in line)
    words = shlex.split(example.partition("Example:")[2], comments=True)
    assert words[:2] == ["tenfold", command]
    options = outcome.out.partition("Options:")[2]
    assert all(word in options for word in words if word.startswith("-"))


def test_the_version_is_the_installed_one(tenfold):
    assert tenfold("--version") == (0, f"tenfold {version('tenfold')}\n", "")


def test_recipes_lists_every_recipe_with_its_parameters(tenfold):
    outcome = tenfold("recipes")
    for name, (recipe, purpose, _) in RECIPES.items():
        line = next(line for line in outcome.out.splitlines() if line.split()[0] == name)
        assert f"{recipe.parameter_count:,}" in line
        assert line.endswith(purpose)


def test_recipes_as_json_marks_the_one_that_train_takes(tenfold):
    listed = json.loads(tenfold("recipes", "--json").out)
    assert [entry["name"] for entry in listed if entry["default"]] == [DEFAULT]
    # 784*64+64 + 64*32+32 + 32*10+10, counted by hand.
    assert next(entry["parameters"] for entry in listed if entry["name"] == "seed") == 52_650


def test_data_lists_kinds_and_places_without_asking_the_network(tenfold, monkeypatch):
    monkeypatch.setattr("socket.create_connection", pytest.fail)
    text, listed = tenfold("data"), json.loads(tenfold("data", "--json").out)
    for kind in listed["kinds"]:
        assert kind["about"] in text.out
    for source in listed["sources"]:
        assert source["place"] in text.out
    sample = next(source for source in listed["sources"] if source["name"] == "mnist5k")
    assert sample["there"] is True


def test_show_counts_parameters_and_flops_as_by_hand(tenfold):
    out = tenfold("show", "seed").out
    last = next(line for line in out.splitlines() if line.startswith("in all"))
    # Two operations for each weight of 784*64 + 64*32 + 32*10.
    assert last.split()[-2:] == ["52,650", "105,088"]
    first = next(line for line in out.splitlines() if line.startswith("dense_1"))
    assert first.split()[-3:] == ["64", "50,240", "100,352"]
    assert "Adam()" in out


def test_show_writes_what_is_inside_a_residual_below_it(tenfold, monkeypatch):
    from tenfold.layers import Conv2D, Dense, ReLU, Residual
    from tenfold.network import Network
    from tenfold.recipe import Recipe
    from tenfold.recipes import Named

    network = Network(Residual(Conv2D(1), ReLU()), Dense(10))
    monkeypatch.setitem(RECIPES, "bent", Named(Recipe(network=network), "for this test"))
    names = [line.split("  x")[0].rstrip() for line in tenfold("show", "bent").out.splitlines()]
    assert names[1].startswith("residual_1")
    assert names[2].startswith("  conv2d_1")
    assert names[4].startswith("flatten_1")


def test_show_tells_a_teacher_in_a_line(tenfold):
    (line,) = [line for line in tenfold("show", "tiny").out.splitlines() if "Distillation" in line]
    # The teacher is `standard`'s network: 97,718 parameters, 12 epochs.
    assert line.split(maxsplit=1)[1] == "Distillation(a recipe of 97,718 parameters and 12 epochs)"


def test_show_gives_the_script_and_the_value(tenfold):
    script = tenfold("show", "cnn", "--as", "script").out
    compile(script, "script", "exec")
    assert "layers.Conv2D(16" in script
    assert json.loads(tenfold("show", "cnn", "--as", "json").out) == RECIPES["cnn"].recipe.to_json()


def test_show_reads_a_run_with_the_settings_it_was_trained_with(tenfold, finished):
    out = tenfold("show", finished).out
    assert "epochs            2" in out
    model = tenfold("show", f"{finished}/model")
    assert "52,650" in model.out
    assert "epochs" not in model.out
    assert "tenfold evaluate run/model" in model.err


@pytest.fixture
def a_gpu(monkeypatch):
    """Asking the real backend would import it, which takes seconds."""
    report = DeviceReport("tensorflow", "2.21.0", ("H100",), None, True)
    monkeypatch.setattr("tenfold.keras_engine.device_report", lambda: report)


@pytest.mark.usefixtures("a_gpu")
def test_doctor_finds_nothing_to_mend_here_and_leaves_nothing(tenfold, here):
    outcome = tenfold("doctor", "--json")
    report = json.loads(outcome.out)
    assert outcome.code == 0
    found = {finding["name"]: finding for finding in report["findings"]}
    assert found["tenfold"]["found"] == version("tenfold")
    assert found["backend"]["found"] == "tensorflow 2.21.0 on H100"
    assert found["mixed precision"]["found"] == "computed in bfloat16"
    assert all(finding["good"] for finding in report["findings"])
    assert str(here / "runs") in found["runs"]["found"]
    assert list(here.iterdir()) == []


@pytest.mark.usefixtures("a_gpu")
def test_doctor_names_a_place_that_cannot_be_written_and_ends_with_1(tenfold, monkeypatch):
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    outcome = tenfold("doctor")
    assert outcome.code == 1
    assert "MEND" in outcome.out
    assert "Permission denied" in outcome.err
    assert "TENFOLD_HOME" in outcome.err


def test_doctor_says_why_there_is_no_gpu_and_how_to_mend_a_missing_backend(tenfold, monkeypatch):
    reports = [
        DeviceReport("jax", "0.10", ("CPU",), "no driver", False),
        MissingExtra("pip install this"),
    ]

    def report() -> DeviceReport:
        if isinstance(reports[0], Exception):
            raise reports[0]
        return reports.pop(0)

    monkeypatch.setattr("tenfold.keras_engine.device_report", report)
    with_jax = tenfold("doctor").out
    assert "jax 0.10 on CPU; no GPU: no driver" in with_jax
    assert "computed in float32" in with_jax
    without = tenfold("doctor")
    assert without.code == 1
    assert "pip install this" in without.err
