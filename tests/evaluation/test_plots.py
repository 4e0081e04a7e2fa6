from pathlib import Path

import matplotlib.image
import pandas as pd
import pytest

from tests.evaluation.synthetic import study, walks
from tinystride.evaluation.metrics import evaluate
from tinystride.evaluation.plots import draw_plots

PICTURES = ["bland_altman", "error_by_speed", "error_by_subject", "estimate_against_reference", "overview"]


@pytest.fixture(scope="module")
def results():
    return evaluate(*study(), source="recorded", seed=4, resamples=50)


@pytest.fixture(scope="module")
def drawn(results, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("values")
    draw_plots(*results, folder)
    return folder


@pytest.mark.parametrize("name", PICTURES)
def test_draw_plots_are_not_empty_and_have_no_metadata(name, drawn):
    path = drawn / f"{name}.png"
    pixels = matplotlib.image.imread(path)[..., :3]
    assert pixels.shape[0] > 300 and pixels.shape[1] > 800
    coloured = (pixels.max(axis=2) - pixels.min(axis=2) > 0.2).mean()
    assert 0.002 < coloured < 0.5
    assert b"Software" not in path.read_bytes() and b"tIME" not in path.read_bytes()


def test_draw_plots_same_numbers_give_same_bytes_for_any_style(results, drawn, tmp_path):
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 20}):
        draw_plots(*results, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"{name}.png" for name in PICTURES]
    assert [(tmp_path / name).read_bytes() for name in names] == [
        (drawn / name).read_bytes() for name in names
    ]


def test_draw_plots_simulated_walking_is_marked(results, drawn, tmp_path):
    metrics, evaluated = results
    draw_plots(metrics | {"source": "simulated"}, evaluated, tmp_path)
    for name in PICTURES:
        assert (tmp_path / f"{name}.png").read_bytes() != (drawn / f"{name}.png").read_bytes()


def test_draw_plots_empty_and_single_stride_sets_are_drawn(tmp_path):
    strides, split, final, folds = study()
    street = strides[strides["dataset"] == "street"]
    folds = {name: table[table["stride_id"].isin(street["stride_id"])] for name, table in folds.items()}
    lost = walks(dataset="lost", strides=5).assign(usable=False, reason="gap")
    few = pd.concat([street, walks(dataset="belt", strides=1), lost])
    for name, table in {"few": few, "agreement": street}.items():
        metrics, evaluated = evaluate(table, split, final[:1], folds, source="recorded", seed=0, resamples=10)
        draw_plots(metrics, evaluated, tmp_path / name)
        assert len(list((tmp_path / name).iterdir())) == len(PICTURES)
