"""The sweep: space, searches, table, and Ray with a node that is lost during a run."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tqdm
import yaml

from tinystride.cli import main
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.errors import MissingExtraError, ParameterError, ToolError
from tinystride.gait.strides import gather_strides
from tinystride.sweep import (
    Search,
    _finished,
    _write,
    changed,
    draw,
    errors,
    fingerprint,
    pareto,
    read_space,
    run_trial,
    sweep,
)
from tinystride.sweep_command import digest, override, overrides

ROOT = Path(__file__).resolve().parents[1]
PARAMETERS = yaml.safe_load((ROOT / "params.yaml").read_text())
OBJECTIVES = ["rmse_cm", "flash_bytes"]
QUADRATIC = {
    "train.augmentations_per_stride": {"values": [0, 1, 2, 3]},
    "train.batch_size": {"values": [16, 32]},
}


def space(method="grid", **parameters):
    return read_space({"method": method, "parameters": parameters or QUADRATIC}, PARAMETERS)


def slow_trial(strides, parameters, core):
    """A trial with a known minimum, long enough to be interrupted."""
    time.sleep(1.0)
    number, batch = parameters["train"]["augmentations_per_stride"], parameters["train"]["batch_size"]
    return {
        "rmse_cm": (number - 2) ** 2 + 1.0,
        "flash_bytes": 1000 * number + batch,
        "node": os.environ["NODE"],
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"method": "grid", "parameters": {"train.lr": {"values": [1]}}}, "train.lr is not a parameter"),
        ({"method": "grid", "parameters": {"benchmark.vectors": {"values": [1]}}}, "vectors does not change"),
        ({"method": "guess", "parameters": QUADRATIC}, "sweep: method is 'guess': it has to be one of grid"),
        ({"method": "grid"}, "no parameters"),
        ({"method": "grid", "parameters": {"train.epochs": {"min": 0, "max": 4}}}, "a grid needs values"),
        ({"method": "random", "parameters": {"train.epochs": {"min": 4, "max": 4}}}, "the second above"),
        ({"method": "random", "parameters": {"train.augmentations_per_stride": [1, 2]}}, "needs values"),
        ({"method": "random", "parameters": {"seed": {"min": 1, "max": 2, "distribution": "q"}}}, "is 'q': "),
    ],
)  # fmt: skip
def test_read_space_of_a_wrong_file_is_refused(content, words):
    with pytest.raises(ParameterError, match=words):
        read_space(content, PARAMETERS)


def test_read_space_reads_the_repositorys_file():
    content = yaml.safe_load((ROOT / "sweep.yaml").read_text())
    search = Search(read_space(content, PARAMETERS), trials=1, seed=0, objectives=OBJECTIVES)
    proposals = list(iter(search.propose, None))
    assert len(proposals) == len(search) >= 6
    assert len({json.dumps(proposal) for proposal in proposals}) == len(search)


def test_random_search_stays_in_its_ranges_and_repeats():
    ranges = {
        "train.learning_rate": {"min": 1e-4, "max": 1e-1, "distribution": "log_uniform_values"},
        "train.augmentations_per_stride": {"min": 0, "max": 4},
        "train.huber": {"values": ["huber", "mean-squared"]},
    }
    ranges["train.loss"] = ranges.pop("train.huber")
    drawn, again = (
        list(iter(Search(space("random", **ranges), trials=200, seed=3, objectives=OBJECTIVES).propose, None))
        for _ in range(2)
    )
    assert drawn == again and len(drawn) == 200
    rates = [trial["train.learning_rate"] for trial in drawn]
    assert min(rates) >= 1e-4 and max(rates) <= 1e-1 and 1e-3 < np.median(rates) < 1e-2
    assert {trial["train.augmentations_per_stride"] for trial in drawn} == {0, 1, 2, 3, 4}


def test_bayes_search_beats_random_and_uses_an_earlier_run():
    ranges = {"train.learning_rate": {"min": 0.0, "max": 1.0}, "train.dense": {"values": [[], [4], [8]]}}

    def cost(changes):
        return {"rmse_cm": (changes["train.learning_rate"] - 0.3) ** 2 + len(changes["train.dense"])}

    search = Search(space("bayes", **ranges), trials=60, seed=1, objectives=["rmse_cm"])
    tried = [search.propose() for _ in range(30)]
    for changes in tried:
        search.add_result(changes, cost(changes))
    resumed = Search(space("bayes", **ranges), trials=60, seed=1, objectives=["rmse_cm"])
    for changes in tried:
        resumed.add_result(changes, cost(changes))
    later = list(iter(lambda: (p := resumed.propose()) and (resumed.add_result(p, cost(p)), p)[1], None))
    assert len(later) == 30
    mean = [np.mean([cost(changes)["rmse_cm"] for changes in part]) for part in (tried, later)]
    assert mean[1] < mean[0] / 2


def test_changed_parameters_leave_the_original_unchanged():
    own = changed(PARAMETERS, {"train.augmentations_per_stride": 7, "seed": 1})
    assert own["train"]["augmentations_per_stride"] == 7 and own["seed"] == 1
    assert PARAMETERS["train"]["augmentations_per_stride"] != 7


def test_pareto_holds_every_undominated_row():
    costs = np.array([[1, 9], [2, 5], [2, 6], [3, 5], [9, 1], [np.nan, 0]])
    assert pareto(costs).tolist() == [True, True, False, False, True, False]


def test_errors_with_measured_lengths_ignore_the_integral():
    table = pd.DataFrame({
        "stride_id": ["a", "b", "c"], "dataset": ["x", "x", "y"],
        "reference": ["ruler", "ruler", "strapdown"], "stride_length_cm": [100.0, 110.0, 120.0],
    })  # fmt: skip
    found = errors(table, pd.DataFrame({"stride_id": ["a", "b", "c"], "int8_cm": [103.0, 114.0, 130.0]}))
    assert found == {"rmse_cm": 3.5355, "rmse_cm:x": 3.5355, "rmse_cm:y": 10.0}


def test_run_trial_reports_error_of_unseen_people_and_footprint():
    walks = [
        simulate_walk(SimulatedSubject.draw(np.random.default_rng(i), name), n_strides=15, seed=i)
        for i, name in enumerate("ABCD")
    ]
    changes = {"folds": [0, 1], "split.held_out": [], "train.epochs": 4, "train.augmentations_per_stride": 0}
    found = run_trial(gather_strides(walks), changed(PARAMETERS, changes), "cortex-m4f")
    assert 0 < found["rmse_cm"] < 20 and found["rmse_cm"] == found["rmse_cm:simulated"]
    assert found["flash_bytes"] > 1000 and found["ram_bytes"] > 100 and found["instructions"] > 1000


@pytest.fixture
def cluster(monkeypatch):
    """Two Ray nodes on this machine; a trial knows on which it runs."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    made = Cluster()
    for name in ("head", "other"):
        made.add_node(num_cpus=1, env_vars={"NODE": name}, include_dashboard=False)
    made.wait_for_nodes()
    yield made
    made.shutdown()


def test_sweep_after_a_lost_node_and_a_restart_completes(cluster, tmp_path):
    path, other = tmp_path / "trials.csv", cluster.list_all_nodes()[1]
    seen = []

    def on_trial(row):
        seen.append(row)
        if len(seen) == 3:
            cluster.remove_node(other, allow_graceful=False)

    options = {"objectives": OBJECTIVES, "address": cluster.address, "trial": slow_trial}
    table = sweep(space(), PARAMETERS, lambda own: None, path, on_trial=on_trial, **options)
    assert len(table) == len(seen) == 8
    assert {"head", "other"} == set(table["node"]) and set(table["node"][5:]) == {"head"}
    best = table[table["pareto"]]
    assert set(best["train.augmentations_per_stride"]) == {"0", "1", "2"} and set(
        best["train.batch_size"]
    ) == {"16"}
    # A restart with half of the table runs the other half only.
    whole = pd.read_csv(path)
    whole.head(5).to_csv(path, index=False)
    again = sweep(space(), PARAMETERS, lambda own: None, path, on_trial=seen.append, **options)
    assert len(seen) == 8 + 3 and len(again) == 8
    columns = ["train.augmentations_per_stride", "train.batch_size", "rmse_cm", "flash_bytes", "pareto"]
    first, second = (
        t[columns]
        .astype({"train.augmentations_per_stride": int, "train.batch_size": int})
        .sort_values(columns[:2])
        for t in (whole, again)
    )
    pd.testing.assert_frame_equal(
        first.reset_index(drop=True), second.reset_index(drop=True), check_dtype=False
    )
    draw(again, OBJECTIVES, tmp_path / "pareto.png")
    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")


def documented(command: str) -> list[str]:
    """Return the command of docs/scaling.md that begins with these words."""
    lines = (ROOT / "docs" / "scaling.md").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(command)]
    return line.partition(" #")[0].split()


def test_cluster_of_machines_with_one_token_runs_a_sweep(tmp_path):
    name, _, mode = documented("export ")[1].partition("=")
    own = {**os.environ, "HOME": str(tmp_path), name: mode, "RAY_USAGE_STATS_ENABLED": "0"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(documented("ray get-auth-token"), env=own, check=True, capture_output=True)
    options = ["--node-ip-address=127.0.0.1", "--num-cpus=1", "--block"]
    head = [*documented("ray start --head"), f"--port={port}", "--include-dashboard=false"]
    other = [part.replace("HEAD:6379", f"127.0.0.1:{port}") for part in documented("ray start --address")]
    code = (
        "import sys, time; from tinystride.sweep import _ray; ray = _ray(sys.argv[1], None)\n"
        "while ray.cluster_resources()['CPU'] < 2: time.sleep(0.5)"
    )
    nodes = []
    try:
        for command in (head, other):
            nodes.append(subprocess.Popen([*command, *options], env=own, stdout=subprocess.DEVNULL))
            wait_for(port)
        joined = [sys.executable, "-c", code, f"127.0.0.1:{port}"]
        subprocess.run(joined, env=own, cwd=ROOT, check=True, timeout=600, capture_output=True)
    finally:
        for node in nodes:
            node.terminate()
            node.wait()


def wait_for(port: int, seconds: float = 600) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.2)


def test_sweep_table_of_other_parameters_is_not_continued(tmp_path):
    (tmp_path / "trials.csv").write_text(
        "trial,base,train.augmentations_per_stride,train.batch_size\n0,abc,0,16\n"
    )
    with pytest.raises(ParameterError, match="another sweep, core, parameters"):
        sweep(
            space(), PARAMETERS, lambda own: None, tmp_path / "trials.csv", objectives=OBJECTIVES, workers=1
        )


def test_sweep_table_is_read_as_written(tmp_path):
    varied = {
        "train.augmentation": {"values": [None, {"heading_rad": 0.2}]},
        "train.patience": {"values": [1, None]},
        "train.learning_rate": {"values": [1.0, 0.5]},
    }
    search = Search(space(**varied), trials=1, seed=0, objectives=OBJECTIVES)
    rows = [
        {
            "changes": changes,
            "results": {"rmse_cm": 3.5, "flash_bytes": 2000 + number, "node": "null hypothesis"},
        }
        for number, changes in enumerate(iter(search.propose, None))
    ]
    rows[3]["results"] = {"error": "no stride"}
    _write(tmp_path / "trials.csv", rows, "0e12", OBJECTIVES)
    assert _finished(tmp_path / "trials.csv", space(**varied), "0e12") == rows


def test_fingerprint_differs_by_strides_core_and_parameters():
    other = space(**{"train.augmentations_per_stride": {"values": [0]}})
    found = [
        fingerprint(PARAMETERS, space(), "cortex-m4f", "a"),
        fingerprint(PARAMETERS, space(), "cortex-m4f", "b"),
        fingerprint(PARAMETERS, space(), None, "a"),
        fingerprint(PARAMETERS, other, "cortex-m4f", "a"),
        fingerprint(changed(PARAMETERS, {"seed": 1}), space(), "cortex-m4f", "a"),
    ]
    assert len(set(found)) == len(found)


def test_digest_changes_with_the_signals(tmp_path):
    strides, raw = tmp_path / "strides", tmp_path / "raw"
    (raw / "a").mkdir(parents=True)
    found = [digest(strides)]
    strides.mkdir()
    for name, content in (("strides.parquet", "1"), ("signals.npz", "1"), ("signals.npz", "2")):
        (strides / name).write_text(content)
        found.append(digest(strides))
    for content in "12":
        (raw / "a" / "walk.csv").write_text(content)
        found.append(digest(strides, raw))
    assert len(set(found)) == len(found) and digest(strides) == found[3]


def test_bayes_search_skips_values_of_an_earlier_file():
    search = Search(
        space("bayes", **{"train.augmentations_per_stride": {"values": [1, 2]}}),
        trials=2,
        seed=0,
        objectives=["rmse_cm"],
    )
    search.add_result({"train.augmentations_per_stride": 4}, {"rmse_cm": 1.0})
    search.add_result({"train.augmentations_per_stride": 1}, {"flash_bytes": 2000})
    assert search.propose() is not None and search.propose() is None


def test_bayes_search_separates_whole_numbers_from_others():
    search = Search(
        space("bayes", **{"train.augmentations_per_stride": {"values": [1, 1.0, True]}}),
        trials=3, seed=0, objectives=["rmse_cm"],
    )  # fmt: skip
    for value in (1, 1.0, True):
        search.add_result({"train.augmentations_per_stride": value}, {"rmse_cm": 1.0})
    assert [trial.params["train.augmentations_per_stride"] for trial in search._study.trials] == [0, 1, 2]


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "[::1]:{}", "no..name:{}"])
def test_sweep_at_an_address_without_answer_ends_at_once(tmp_path, address):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        where = address.format(probe.getsockname()[1])
    with pytest.raises(ToolError, match="no answer"):
        sweep(space(), PARAMETERS, lambda own: None, tmp_path / "t.csv", objectives=OBJECTIVES, address=where)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.5, "größer", [], [4, [2.5]], {"heading_rad": 0.2, "horizontal_scale": [0.9, 1.1]}],
)
def test_override_is_read_back_by_dvc(value):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed = OverridesParser.create().parse_override(f"train.x={override(value)}").value()
    assert parsed == value or str(parsed) == value


@pytest.mark.parametrize("before", [None, {"heading_rad": 0.1, "tilt_rad": 0.1}])
@pytest.mark.parametrize("value", [None, {}, {"heading_rad": 0.2}, {"a-b": [1, None]}])
def test_overrides_of_a_mapping_replace_it(tmp_path, before, value):
    from dvc.utils.hydra import apply_overrides

    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({"train": {"augmentation": before, "dense": None}}))
    changes = {"train.augmentation": value, "train.dense": [4, 8]}
    apply_overrides(path, overrides(changes))
    assert yaml.safe_load(path.read_text()) == {"train": {"augmentation": value, "dense": [4, 8]}}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--core", "z80"], "--core z80: unknown; choose one of none, cortex-m0"),
        (["--trials", "0"], "--trials 0: has to be at least 1"),
        (["--workers", "0"], "--workers 0: has to be at least 1"),
        (["--objective", "beauty"], "--objective beauty: unknown"),
        (["--core", "none", "--objective", "flash_bytes"], "--objective flash_bytes: not measured with"),
        (["--core", "none"], "--objective flash_bytes: not measured with --core none; choose from rmse_cm,"),
        (["--objective", "rmse_cm:nosuch"], "--objective rmse_cm:nosuch: unknown"),
        (["--objective", "rmse_cm:tripod-excerpt"], "--objective rmse_cm:tripod-excerpt: unknown"),
    ],
)
def test_sweep_of_unknown_columns_is_refused_before_any_trial(options, words, tmp_path):
    pd.DataFrame({"dataset": ["llio-ruler", "tripod-excerpt"]}).to_parquet(tmp_path / "strides.parquet")
    done = subprocess.run(
        [sys.executable, "-m", "tinystride", "sweep", "sweep.yaml", "--strides", str(tmp_path), *options],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {words}")


def test_progress_bar_of_a_restart_starts_at_finished_trials(tmp_path, monkeypatch):
    bars = []

    class Bar(tqdm.tqdm):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            bars.append(self)

    def rest(space, *arguments, on_start, on_trial, **options):
        on_start(5)
        on_trial({})
        return pd.DataFrame(
            {"train.augmentations_per_stride": ["0"], "rmse_cm": 1.0, "flash_bytes": 1, "pareto": True}
        )

    monkeypatch.setattr("tqdm.tqdm", Bar)
    monkeypatch.setattr("tinystride.sweep.sweep", rest)
    file = tmp_path / "sweep.yaml"
    file.write_text(
        "method: grid\nparameters: {train.augmentations_per_stride: {values: [0, 1, 2, 3, 4, 5, 6, 7]}}\n"
    )
    main(["sweep", str(file), "--params", str(ROOT / "params.yaml"), "-o", str(tmp_path)])
    (shown,) = [bar.format_dict for bar in bars]
    assert (shown["initial"], shown["n"], shown["total"]) == (5, 6, 8)


def test_sweep_without_ray_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        MissingExtraError, match=r"ray is not installed; run: pip install 'tinystride\[sweep\]'"
    ):
        sweep(space(), PARAMETERS, lambda own: None, tmp_path / "trials.csv", objectives=OBJECTIVES)


def test_sweep_command_with_an_unknown_parameter_is_one_line(tmp_path):
    (tmp_path / "sweep.yaml").write_text("method: grid\nparameters: {train.speed: {values: [1]}}\n")
    done = subprocess.run(
        [sys.executable, "-m", "tinystride", "sweep", str(tmp_path / "sweep.yaml")],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: sweep: train.speed is not a parameter")
