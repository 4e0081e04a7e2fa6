"""`tinystride sweep`: search parameters from a file over a folder of strides; DVC only for --experiments."""

import argparse
import hashlib
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tinystride.errors import DataError, ParameterError, ToolError
from tinystride.files import sha256

if TYPE_CHECKING:
    from tinystride.gait.strides import StrideSet
    from tinystride.sweep import Space


def add_sweep(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `sweep` to the command line.

    Args:
        commands: subparsers of the command line
    """
    parser = commands.add_parser("sweep", help="search parameters on Ray: error against footprint")
    parser.add_argument(
        "space", type=Path, metavar="SWEEP.yaml", help="parameters to vary, in the format of W&B's sweeps"
    )
    parser.add_argument(
        "--trials", type=int, default=50, help="maximum number; a grid ends by itself (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the search (default: %(default)s)")
    parser.add_argument(
        "--objective",
        action="append",
        metavar="COLUMN",
        help="column to minimise; may be repeated (default: rmse_cm and flash_bytes)",
    )
    parser.add_argument(
        "--core", default="cortex-m4f", help="core to measure on, or none (default: %(default)s)"
    )
    parser.add_argument("--workers", type=int, help="trials at a time (default: all cores)")
    parser.add_argument("--address", help="address of a Ray cluster (default: this machine)")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="(default: %(default)s)")
    parser.add_argument("--strides", type=Path, default=Path("data/strides"), help="(default: %(default)s)")
    parser.add_argument(
        "--raw",
        type=Path,
        default=Path("data/raw"),
        help="recordings, used if preprocess.* is varied (default: %(default)s)",
    )
    parser.add_argument("-o", "--output", type=Path, help="folder (default: sweeps/<name of SWEEP.yaml>)")
    parser.add_argument("--experiments", action="store_true", help="queue the best trials with dvc exp run")
    parser.set_defaults(run=run_sweep)


def run_sweep(arguments: argparse.Namespace) -> None:
    """Run a sweep, print the best trials and draw them.

    Args:
        arguments: arguments of the command line

    Raises:
        ParameterError: for an option out of its range, and if no trial has all objectives
    """
    from tqdm import tqdm

    from tinystride.sweep import Search, draw, read_space, sweep

    for option in ("trials", "workers"):
        if (count := getattr(arguments, option)) is not None and count < 1:
            raise ParameterError(f"--{option} {count}: has to be at least 1")
    core = None if arguments.core == "none" else arguments.core
    objectives = arguments.objective or ["rmse_cm", "flash_bytes"]
    parameters = _yaml(arguments.params)
    space = read_space(_yaml(arguments.space), parameters)
    _check(objectives, core, None if _cut_anew(space) else _data_sets(arguments.strides, parameters, space))
    output = arguments.output or Path("sweeps") / arguments.space.stem
    options = {"trials": arguments.trials, "seed": arguments.seed, "objectives": objectives}
    with tqdm(total=len(Search(space, **options)), desc="sweep", unit="trial") as bar:

        def on_start(finished: int) -> None:
            # The same as initial=finished: trials of an earlier run do not count for the pace.
            bar.initial = bar.n = bar.last_print_n = finished
            bar.refresh()

        table = sweep(
            space,
            parameters,
            _prepare(parameters, arguments.strides, arguments.raw),
            output / "trials.csv",
            core=core,
            data=digest(arguments.strides, *([arguments.raw] if _cut_anew(space) else [])),
            on_start=on_start,
            workers=arguments.workers,
            address=arguments.address,
            on_trial=lambda _: bar.update(),
            **options,
        )
    if not table["pareto"].any():
        raise ParameterError(f"sweep: no trial has {' and '.join(objectives)}; see {output / 'trials.csv'}")
    draw(table, objectives, output / "pareto.png")
    best = table[table["pareto"]].sort_values(objectives[0])
    print(best[[*space.choices, *objectives]].to_string(index=False))
    if arguments.experiments:
        for row in best.to_dict("records"):
            _queue({name: json.loads(row[name]) for name in space.choices})


def _cut_anew(space: "Space") -> bool:
    return any(name.split(".")[0] == "preprocess" for name in space.choices)


def _data_sets(strides_folder: Path, parameters: dict, space: "Space") -> list[str] | None:
    """Return the data sets for which a trial has an error; None if that is not known in advance."""
    import pandas as pd

    try:
        there = pd.read_parquet(strides_folder / "strides.parquet", columns=["dataset"])["dataset"].unique()
    except (OSError, ValueError):
        return None
    varied = {"split", "split.held_out"} & set(space.choices)
    held_out = [] if varied else parameters["split"]["held_out"]
    return [name for name in there if name not in held_out]


def _check(objectives: list[str], core: str | None, data_sets: list[str] | None) -> None:
    """Raise ParameterError for an unknown core and for columns that no trial will have."""
    from tinystride.mcu.cores import CORES
    from tinystride.sweep import FOOTPRINT

    if core is not None and core not in CORES:
        raise ParameterError(f"--core {core}: unknown; choose one of none, {', '.join(CORES)}")
    there = ["rmse_cm", "parameters", "multiply_accumulates", *(FOOTPRINT if core else ())]
    there += ["rmse_cm:<data set>"] if data_sets is None else [f"rmse_cm:{name}" for name in data_sets]
    for name in objectives:
        if name not in there and (data_sets is not None or not name.startswith("rmse_cm:")):
            unknown = "not measured with --core none" if name in FOOTPRINT else "unknown"
            raise ParameterError(f"--objective {name}: {unknown}; choose from {', '.join(there)}")


def digest(*folders: Path) -> str:
    """Return a hash of all that trials learn from: names and contents of all files in folders.

    Args:
        *folders: folders, which may be missing
    """
    files = [(path.relative_to(folder), path) for folder in folders for path in sorted(folder.rglob("*"))]
    lines = [f"{name.as_posix()} {sha256(path)}" for name, path in files if path.is_file()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _yaml(path: Path) -> dict:
    import yaml

    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ParameterError(f"{path}: is not YAML ({error})") from error
    if not isinstance(content, dict):
        raise ParameterError(f"{path}: has no parameters")
    return content


def _prepare(parameters: dict, strides_folder: Path, raw_folder: Path) -> Callable[[Mapping], "StrideSet"]:
    """Return a function that reads the strides, or cuts them again for another preprocess block."""
    from tinystride.datasets.loading import load_recordings
    from tinystride.gait.options import options_from
    from tinystride.gait.strides import gather_strides, read_strides

    def prepare(own: Mapping) -> "StrideSet":
        if own["preprocess"] != parameters["preprocess"]:
            return gather_strides(load_recordings(raw_folder), options_from(own["preprocess"]))
        if not strides_folder.is_dir():
            raise DataError(f"{strides_folder}: not found; run `dvc repro preprocess` or name a folder")
        return read_strides(strides_folder)

    return prepare


def override(value: object) -> str:
    """Return a value as `dvc exp run -S` takes it: JSON, but names in a mapping have no quotes.

    Args:
        value: plain value, list or mapping
    """
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{override(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{','.join(map(override, value))}]"
    return json.dumps(value, ensure_ascii=False)


def overrides(changes: dict) -> list[str]:
    """Return changes as the values of `-S`, in this order.

    Args:
        changes: {parameter: value}
    """
    words = []
    for name, value in changes.items():
        # DVC merges mappings, but a trial replaces the mapping: it is set to null first.
        words += [f"{name}=null"] if isinstance(value, dict) else []
        words.append(f"{name}={override(value)}")
    return words


def _queue(changes: dict) -> None:
    settings = [word for each in overrides(changes) for word in ("-S", each)]
    done = subprocess.run(["dvc", "exp", "run", "--queue", *settings], capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise ToolError(f"dvc exp run --queue: {(errors or ['failed'])[0]}")
    print(done.stdout.strip().splitlines()[-1])
