"""W&B logging: offline runs are read back, no mode means silence, failures are harmless."""

import http.server
import json
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from wandb.proto.wandb_internal_pb2 import Record

from tests.pipeline.clones import run

KEY = 40 * "0"
BLOCK, FILE_HEADER, CHUNK_HEADER = 32768, 7, 7
LAST_CHUNKS = (1, 4)  # of a record: whole, last


def records(path: Path) -> list[Record]:
    """Return the records of an offline run file: LevelDB's log format, chunks in blocks of 32 KiB."""
    content, found, begun, position = path.read_bytes(), [], b"", FILE_HEADER
    assert content.startswith(b":W&B")
    while position < len(content):
        if BLOCK - position % BLOCK < CHUNK_HEADER:
            position += BLOCK - position % BLOCK
            continue
        length, kind = int.from_bytes(content[position + 4 : position + 6], "little"), content[position + 6]
        begun += content[position + CHUNK_HEADER : position + CHUNK_HEADER + length]
        position += CHUNK_HEADER + length
        if kind in LAST_CHUNKS:
            found.append(Record.FromString(begun))
            begun = b""
    return found


def values(updates) -> dict:
    return {update.key or "/".join(update.nested_key): json.loads(update.value_json) for update in updates}


@pytest.fixture(scope="module")
def logged_run(reproduced, tmp_path_factory) -> tuple[Path, Path]:
    """A clone in which an experiment ran with WANDB_MODE=offline, and W&B's folder."""
    clone = shutil.copytree(reproduced, tmp_path_factory.mktemp("logged_run") / "clone", symlinks=True)
    folder = clone.with_name("tracked")
    options = ["--temp", "--name", "tracked-run", "-S", "benchmark.vectors=21"]
    run(clone, "dvc", "exp", "run", *options, WANDB_MODE="offline", WANDB_DIR=str(folder))
    return clone, folder


@pytest.fixture(scope="module")
def logged_records(logged_run) -> list[Record]:
    (path,) = logged_run[1].glob("wandb/offline-run-*/run-*.wandb")
    return records(path)


def test_wandb_run_has_the_experiments_name_and_its_baseline_as_group(logged_run, logged_records):
    (record,) = [record.run for record in logged_records if record.HasField("run")]
    assert record.display_name == "tracked-run"
    assert record.run_group == run(logged_run[0], "git", "rev-parse", "HEAD").stdout[:7]
    config = values(record.config.update)
    assert config["benchmark"]["vectors"] == 21 and config["train"]["epochs"] == 3


def test_wandb_run_holds_curve_metrics_plots_and_model(logged_run, logged_records):
    history = [values(record.history.item) for record in logged_records if record.HasField("history")]
    live = logged_run[0] / "results" / "train" / "plots" / "metrics" / "train" / "rmse_cm.tsv"
    curve = [float(line.split("\t")[1]) for line in live.read_text().splitlines()[1:]]
    assert [step["train/rmse_cm"] for step in history if "train/rmse_cm" in step] == curve
    assert len(curve) == 3 and all("validation/rmse_cm" in step for step in history[: len(curve)])
    summary = {}
    for record in logged_records:
        if record.HasField("summary"):
            summary |= values(record.summary.update)
    metrics = json.loads((logged_run[0] / "results" / "evaluate" / "metrics.json").read_text())
    assert summary["all/simulated/int8/rmse_cm"] == metrics["simulated"]["int8"]["rmse_cm"]
    assert summary["mcu/net/instructions"] > 1000
    shown = " ".join(name for step in history for name in step)
    assert "figures/overview" in shown and "figures/waveforms" in shown
    (artifact,) = [record.artifact for record in logged_records if record.HasField("artifact")]
    assert artifact.name == "stride-model" and artifact.type == "model"


def test_wandb_mode_changes_no_stage(logged_run, tmp_path):
    clone, environment = logged_run[0], {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path)}
    assert "up to date" in run(clone, "dvc", "status", "dvc.yaml", **environment).stdout
    assert "up to date" in run(clone, "dvc", "repro", **environment).stdout
    assert list(tmp_path.iterdir()) == []
    page = (clone / "results" / "report" / "index.html").read_bytes()
    assert "wandb sync" in run(clone, "python", "-m", "stages.report", **environment).stderr
    assert (clone / "results" / "report" / "index.html").read_bytes() == page
    assert run(clone, "git", "status", "--porcelain").stdout == ""


def test_wandb_without_mode_is_silent_and_not_imported(logged_run, tmp_path):
    done = run(logged_run[0], "python", "-X", "importtime", "-m", "stages.report", HOME=str(tmp_path))
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "pandas" in imported and "wandb" not in imported
    assert "W&B" not in done.stderr


# Run W&B's agent with a command from this test instead of a server.
AGENT = """
import json, sys
from wandb.wandb_agent import Agent
agent = Agent(None, None, sweep_id="search")
agent._sweep_command = json.loads(sys.argv[1])
agent._command_run({"run_id": "trial1", "program": None, "args": json.loads(sys.argv[2])})
sys.exit(agent._run_processes["trial1"].wait())
"""


def test_wandb_agent_trial_is_an_experiment_in_the_agents_run(reproduced, tmp_path):
    clone = shutil.copytree(reproduced, tmp_path / "clone", symlinks=True)
    sweep = yaml.safe_load((clone / "sweep.yaml").read_text())
    # As the parameters are, so that nothing is trained again, and one of another stage that is not.
    current = yaml.safe_load((clone / "params.yaml").read_text())
    wanted = {name: current["train"][name.partition(".")[2]] for name in sweep["parameters"]}
    wanted |= {"benchmark.vectors": 21}
    arguments = [
        json.dumps(sweep["command"]),
        json.dumps({name: {"value": value} for name, value in wanted.items()}),
    ]
    own = {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path / "tracked"), "WANDB_SWEEP_ID": "search"}
    run(clone, "python", "-c", AGENT, *arguments, **own)
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    (name,) = run(clone, "dvc", "exp", "list", "--name-only").stdout.split()
    diff = json.loads(run(clone, "dvc", "exp", "diff", "main", name, "--json").stdout)
    changed = {key: str(values["new"]) for key, values in diff["params"]["params.yaml"].items()}
    assert changed == {"benchmark.vectors": "21"}
    (path,) = (tmp_path / "tracked" / "wandb").glob("offline-run-*/run-*.wandb")
    (record,) = [record.run for record in records(path) if record.HasField("run")]
    assert (record.run_id, record.sweep_id, record.display_name) == ("trial1", "search", name)


@contextmanager
def server_without_valid_keys():
    class Refusal(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(401)
            self.end_headers()
            self.wfile.write(b'{"errors": [{"message": "user is not logged in"}]}')

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"WANDB_API_KEY": KEY}, "user is not logged in"),
        ({}, "API key"),
        ({"WANDB_MODE": "nowhere"}, "nowhere"),
    ],
)
def test_wandb_failed_logging_is_a_warning_in_one_line(logged_run, tmp_path, environment, words):
    with server_without_valid_keys() as address:
        own = {"WANDB_MODE": "online", "WANDB_BASE_URL": address, "WANDB_DIR": str(tmp_path)}
        own |= {"HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}
        done = run(logged_run[0], "python", "-m", "stages.report", **own | environment)
    (warning,) = done.stderr.strip().splitlines()
    assert warning.startswith("WARNING: W&B: ") and words in warning
    assert done.stdout == ""
    assert run(logged_run[0], "git", "status", "--porcelain").stdout == ""
