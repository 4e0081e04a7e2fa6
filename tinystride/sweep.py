"""Search over parameters on Ray: every trial with its folds by person, error beside footprint.

The space is given in the format of Weights & Biases, so that one file serves both:
`{"method": "grid" | "random" | "bayes", "parameters": {"train.epochs": {"values": [40, 80]},
"train.learning_rate": {"min": 0.001, "max": 0.02, "distribution": "log_uniform_values"}}}`. "bayes" is
Optuna's sampler. A parameter is named by its path in the nested parameters.
"""

import copy
import hashlib
import itertools
import json
import logging
import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import attrs
import numpy as np
import pandas as pd

from tinystride.errors import ParameterError, TinyStrideError, ToolError
from tinystride.files import atomic_write
from tinystride.gait.strides import StrideSet
from tinystride.optional import extra
from tinystride.validation import increasing_pair, one_of

METHODS = ("grid", "random", "bayes")
DISTRIBUTIONS = ("uniform", "log_uniform_values", "int_uniform")
BLOCKS = ("seed", "estimator", "folds", "preprocess", "split", "train", "quantize")
FOOTPRINT = ("flash_bytes", "ram_bytes", "instructions")
# Number of times that a trial is restarted after its worker or machine was lost.
RETRIES = 5
STARTS = 3
CONNECT_S = 10
VECTORS = 20  # the pipeline proves that the C is bit-exact; only the cost is measured here


@attrs.frozen
class Space:
    """The parameters that a sweep varies.

    Attributes:
        method: one of METHODS
        choices: {parameter: list of values, or {"min", "max", "distribution"}}
    """

    PREFIX: ClassVar[str] = "sweep: "

    method: str = attrs.field(validator=one_of(METHODS))
    choices: Mapping[str, list | Mapping]


def read_space(content: Mapping, parameters: Mapping) -> Space:
    """Read the space of a sweep file.

    Args:
        content: bytes of the file
        parameters: nested parameters, of which the space varies some

    Returns:
        The space, checked.

    Raises:
        ParameterError: for an unknown method, parameter or distribution, and for a range in a grid
    """
    method = str(content.get("method"))
    one_of(METHODS).check("sweep: method", method)
    named = content.get("parameters") or {}
    if not named:
        raise ParameterError("sweep: no parameters; name some, e.g. train.batch_size: {values: [32, 64]}")
    return Space(method, {name: _choice(name, how, method, parameters) for name, how in named.items()})


def _choice(name: str, how: Mapping, method: str, parameters: Mapping) -> list | Mapping:
    paths = dict(_paths(parameters))
    if name not in paths:
        raise ParameterError(f"sweep: {name} is not a parameter; use one of {', '.join(paths)}")
    if name.split(".")[0] not in BLOCKS:
        raise ParameterError(f"sweep: {name} does not change a trial; sweep over {', '.join(BLOCKS)}")
    if isinstance(how, Mapping) and isinstance(how.get("values"), list) and how["values"]:
        return how["values"]
    if isinstance(how, Mapping) and "value" in how:
        return [how["value"]]
    if not isinstance(how, Mapping) or not {"min", "max"} <= set(how):
        raise ParameterError(f"sweep: {name} needs values: [...] or min and max")
    if method == "grid":
        raise ParameterError(f"sweep: {name} has a range, but a grid needs values: [...]")
    whole = isinstance(how["min"], int) and isinstance(how["max"], int)
    distribution = how.get("distribution", "int_uniform" if whole else "uniform")
    one_of(DISTRIBUTIONS).check(f"sweep: {name}.distribution", distribution)
    bounds = increasing_pair(above=0 if distribution.startswith("log") else None, strictly=True)
    bounds.check(f"sweep: {name}.(min, max)", (how["min"], how["max"]))
    return {"min": how["min"], "max": how["max"], "distribution": distribution}


def _paths(values: Mapping, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        yield f"{prefix}{name}", value
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{name}.")


def changed(parameters: Mapping, changes: Mapping) -> dict:
    """Return a copy of nested parameters with some values set.

    Args:
        parameters: nested parameters
        changes: {path: value}, such as {"train.epochs": 80}
    """
    copied = copy.deepcopy(dict(parameters))
    for name, value in changes.items():
        *blocks, key = name.split(".")
        block = copied
        for part in blocks:
            block = block[part]
        block[key] = value
    return copied


class Search:
    """Proposes trials. Results of finished trials, also of an earlier run, are added and not proposed again.

    Args:
        space: the parameters to vary
        trials: maximum number of trials; a grid ends by itself
        seed: seed of the search
        objectives: columns of the results, all to be minimised

    Attributes:
        space, trials, objectives: as given
    """

    def __init__(self, space: Space, *, trials: int, seed: int, objectives: list[str]):
        self.space, self.trials, self.objectives = space, trials, objectives
        self._proposed = 0
        if space.method == "grid":
            rows = itertools.product(*space.choices.values())
            self._fixed = (dict(zip(space.choices, row, strict=True)) for row in rows)
        elif space.method == "random":
            self._fixed = (_draw(space, np.random.default_rng([seed, i])) for i in range(trials))
        else:
            self._study = _study(len(objectives), seed)
            self._asked: dict[str, object] = {}

    def __len__(self) -> int:
        """Return the number of trials in all."""
        if self.space.method == "grid":
            return int(np.prod([len(values) for values in self.space.choices.values()]))
        return self.trials

    def propose(self) -> dict | None:
        """Return {parameter: value} of the next trial; None at the end."""
        if self.space.method != "bayes":
            return next(self._fixed, None)
        if self._proposed >= self.trials:
            return None
        self._proposed += 1
        asked = self._study.ask(self._distributions())
        changes = {name: self._value(name, value) for name, value in asked.params.items()}
        self._asked[_key(changes)] = asked
        return changes

    def add_result(self, changes: Mapping, results: Mapping) -> None:
        """Add the result of a trial, from which later proposals learn.

        Args:
            changes: the trial's parameters
            results: by objective, or `error`
        """
        if self.space.method != "bayes":
            return
        import optuna

        complete = not results.get("error") and all(name in results for name in self.objectives)
        values = [results[name] for name in self.objectives] if complete else None
        failed: dict[str, Any] = {} if complete else {"state": optuna.trial.TrialState.FAIL}
        asked = self._asked.pop(_key(changes), None)
        if asked is not None:
            self._study.tell(asked, values, **failed)
            return
        # The trial comes from an earlier run, whose file may have had other values.
        try:
            coded = {name: self._code(name, value) for name, value in changes.items()}
            earlier = optuna.create_trial(
                params=coded, distributions=self._distributions(), values=values, **failed
            )
        except ValueError:
            return
        self._proposed += 1
        self._study.add_trial(earlier)

    def _distributions(self) -> dict:
        import optuna

        found: dict[str, Any] = {}
        for name, choice in self.space.choices.items():
            if isinstance(choice, list):
                # Optuna's categories cannot be lists or mappings; indices stand for them.
                found[name] = optuna.distributions.CategoricalDistribution(list(range(len(choice))))
            elif choice["distribution"] == "int_uniform":
                found[name] = optuna.distributions.IntDistribution(choice["min"], choice["max"])
            else:
                log = choice["distribution"] == "log_uniform_values"
                found[name] = optuna.distributions.FloatDistribution(choice["min"], choice["max"], log=log)
        return found

    def _value(self, name: str, coded: Any) -> Any:
        choice = self.space.choices[name]
        return choice[coded] if isinstance(choice, list) else coded

    def _code(self, name: str, value: Any) -> Any:
        choice = self.space.choices[name]
        # Compared as text: to Python, 1, 1.0 and true are equal.
        return [_key(each) for each in choice].index(_key(value)) if isinstance(choice, list) else value


def _draw(space: Space, random: np.random.Generator) -> dict:
    drawn = {}
    for name, choice in space.choices.items():
        if isinstance(choice, list):
            drawn[name] = choice[random.integers(len(choice))]
        elif choice["distribution"] == "int_uniform":
            drawn[name] = int(random.integers(choice["min"], choice["max"] + 1))
        elif choice["distribution"] == "uniform":
            drawn[name] = float(random.uniform(choice["min"], choice["max"]))
        else:
            drawn[name] = float(np.exp(random.uniform(np.log(choice["min"]), np.log(choice["max"]))))
    return drawn


def _study(n_objectives: int, seed: int) -> Any:
    with extra("sweep"):
        import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    return optuna.create_study(directions=["minimize"] * n_objectives, sampler=sampler)


def _key(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def run_trial(strides: StrideSet, parameters: Mapping, core: str | None) -> dict:
    """Cross-validate one set of parameters: a network that never saw a person estimates the person's strides.

    Data sets in `split.held_out` are left out, so that they can evaluate what the sweep chooses.

    Args:
        strides: strides and their signals
        parameters: nested parameters
        core: core that the first fold's int8 network is measured on; None: it is not measured

    Returns:
        rmse_cm (int8, against measured lengths if any data set has them, else against the integral),
        `rmse_cm:<data set>`, parameters, multiply_accumulates, and FOOTPRINT if measured.
    """
    from tinystride.learning.cross_validation import cross_validate
    from tinystride.learning.estimators import choose
    from tinystride.learning.split import split_by_subject

    settings = choose(parameters["estimator"], **parameters["train"])
    split = split_by_subject(
        strides.table, seed=parameters["seed"], folds=len(parameters["folds"]), **parameters["split"]
    )
    folds = [
        cross_validate(
            strides.table, strides.signals, part, settings, seed=parameters["seed"], **parameters["quantize"]
        )
        for part in split["folds"]
    ]
    results = errors(strides.table, pd.concat([fold.predictions for fold in folds]))
    results |= {
        "parameters": settings.n_parameters,
        "multiply_accumulates": settings.n_multiply_accumulates,
    }
    return results | (footprint(folds[0].quantized.int8, core) if core else {})


def errors(table: pd.DataFrame, predictions: pd.DataFrame) -> dict:
    """Return the errors of int8 predictions.

    Args:
        table: table of strides
        predictions: stride_id and int8_cm

    Returns:
        rmse_cm and `rmse_cm:<data set>`, as of `run_trial`.
    """
    evaluated = predictions.merge(table[["stride_id", "dataset", "reference", "stride_length_cm"]], "left")
    evaluated["square"] = (evaluated["int8_cm"] - evaluated["stride_length_cm"]) ** 2
    measured = evaluated[evaluated["reference"] != "strapdown"]
    overall = (measured if measured["square"].notna().any() else evaluated)["square"].mean()
    of_sets = evaluated.groupby("dataset")["square"].mean()
    return {"rmse_cm": round(float(np.sqrt(overall)), 4)} | {
        f"rmse_cm:{name}": round(float(np.sqrt(square)), 4) for name, square in of_sets.items()
    }


def footprint(tflite: bytes, core: str) -> dict:
    """Return FOOTPRINT of a network on a core.

    Args:
        tflite: content of an int8 .tflite
        core: name of an emulated core
    """
    from tinystride.mcu import benchmark_model

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(tflite)
        measured = benchmark_model(path, core, vectors=VECTORS)
    return {name: measured[name] for name in FOOTPRINT}


def sweep(
    space: Space,
    parameters: Mapping,
    prepare: Callable[[Mapping], StrideSet],
    table_path: Path,
    *,
    objectives: list[str],
    core: str | None = "cortex-m4f",
    trials: int = 50,
    seed: int = 0,
    workers: int | None = None,
    address: str | None = None,
    data: str = "",
    on_start: Callable[[int], None] = lambda finished: None,
    on_trial: Callable[[Mapping], object] = lambda row: None,
    trial: Callable[[StrideSet, Mapping, str | None], dict] = run_trial,
) -> pd.DataFrame:
    """Run the trials that `table_path` does not hold yet. The table is complete after each trial.

    Args:
        space: the parameters to vary
        parameters: nested parameters that the space does not vary
        prepare: returns the strides for nested parameters; called once for each preprocess block that occurs
        table_path: csv of trials, made or continued
        objectives: columns of the results to minimise at once
        core: as of `run_trial`
        trials: maximum number of trials
        seed: seed of the search
        workers: trials at a time, one core each; None: as many as there are cores
        address: address of a Ray cluster, such as "auto" or "ray://host:10001"; None: this machine
        data: identifies the strides, such as their hash; results of other strides are not mixed with these
        on_start: called with the number of trials that are finished already
        on_trial: called with each new row
        trial: the function to run

    Returns:
        The table: `trial`, one column per parameter, the results, `error` (why a trial could not be run) and
        `pareto`, true if no other trial is at least as good by all objectives and better by one.

    Raises:
        ParameterError: if `table_path` belongs to another sweep
        ToolError: if Ray is missing or cannot be reached, or if a trial's worker was lost repeatedly;
            finished trials are kept, and the next call continues
    """
    base = fingerprint(parameters, space, core, data)
    rows = _finished(table_path, space, base)
    on_start(len(rows))
    ray = _ray(address, workers)
    search = Search(space, trials=trials, seed=seed, objectives=objectives)
    done = {_key(row["changes"]): row["results"] for row in rows}
    for row in rows:
        search.add_result(row["changes"], row["results"])
    remote = ray.remote(num_cpus=1, max_retries=RETRIES)(_guarded)
    prepared: dict[str, object] = {}
    running: dict[object, dict] = {}
    at_once = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    try:
        while True:
            while len(running) < at_once and (changes := search.propose()) is not None:
                if _key(changes) in done:
                    search.add_result(changes, done[_key(changes)])
                    continue
                own = changed(parameters, changes)
                block = _key(own.get("preprocess", {}))
                if block not in prepared:
                    prepared[block] = ray.put(prepare(own))
                running[remote.remote(trial, prepared[block], own, core)] = changes
            if not running:
                break
            (finished,), _ = ray.wait(list(running), num_returns=1)
            changes = running.pop(finished)
            results = ray.get(finished)
            rows.append({"changes": changes, "results": results})
            done[_key(changes)] = results
            search.add_result(changes, results)
            _write(table_path, rows, base, objectives)
            on_trial({**changes, **results})
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[0]
        raise ToolError(
            f"sweep: a trial was lost ({reason}); run it again to continue from {table_path}"
        ) from error
    finally:
        ray.shutdown()
    return _write(table_path, rows, base, objectives)


def _guarded(trial: Callable, strides: StrideSet, parameters: Mapping, core: str | None) -> dict:
    # A trial uses one core: TensorFlow reads these variables on its first import in a worker.
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    try:
        return trial(strides, parameters, core)
    except TinyStrideError as error:
        return {"error": str(error)}


def _ray(address: str | None, workers: int | None) -> Any:
    with extra("sweep"):
        import ray
    _check_address(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # The machines of a cluster receive this code.
    code = {"py_modules": [str(Path(__file__).parent)], "excludes": ["__pycache__"]} if address else None
    for attempts_left in reversed(range(STARTS)):
        try:
            ray.init(
                address=address or "local",
                num_cpus=None if address else workers,
                include_dashboard=None if address else False,
                runtime_env=code,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
            return ray
        # Ray raises plain exceptions here. Its limit is half a minute, which a busy machine may exceed.
        except Exception as error:
            ray.shutdown()
            if not attempts_left:
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise ToolError(
                    f"Ray at {address or 'this machine'}: {reason}; check --address and RAY_AUTH_MODE"
                ) from error


def _check_address(address: str | None) -> None:
    """Raise ToolError if nothing listens at the address: Ray would go on trying for half an hour."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    # UnicodeError: the name cannot be a host's.
    except (OSError, UnicodeError) as error:
        raise ToolError(
            f"Ray at {address}: no answer ({error}); run `ray start --head` there, or check --address"
        ) from error


def fingerprint(parameters: Mapping, space: Space, core: str | None, data: str) -> str:
    """Return 12 hexadecimal digits of all that a trial depends on, so that results are not mixed.

    Args:
        parameters: nested parameters
        space: the parameters that are varied
        core: as of `run_trial`
        data: identifies the strides
    """
    of_trial = {name: parameters[name] for name in BLOCKS if name in parameters}
    whole = {"parameters": of_trial, "varied": sorted(space.choices), "core": core, "data": data}
    return hashlib.sha256(_key(whole).encode()).hexdigest()[:12]


def _finished(path: Path, space: Space, base: str) -> list[dict]:
    if not path.is_file():
        return []
    # Read as text: pandas would read null as a missing value and 1 as 1.0.
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if not {"base", *space.choices} <= set(table) or set(table["base"]) - {base}:
        raise ParameterError(
            f"{path}: belongs to another sweep, core, parameters or strides; "
            "name another folder, or remove it"
        )
    results = [name for name in table if name not in {"trial", "base", "pareto", *space.choices}]
    return [
        {
            "changes": {name: json.loads(row[name]) for name in space.choices},
            "results": {name: _result(row[name]) for name in results if row[name]},
        }
        for row in table.to_dict("records")
    ]


def _result(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _write(path: Path, rows: list[dict], base: str, objectives: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "trial": number,
            **{name: json.dumps(value) for name, value in row["changes"].items()},
            **row["results"],
        }
        for number, row in enumerate(rows)
    )
    if rows:
        table.insert(1, "base", base)
        table["pareto"] = pareto(table.reindex(columns=objectives).to_numpy(float))
    with atomic_write(path) as partial:
        table.to_csv(partial, index=False)
    return table


def pareto(costs: np.ndarray) -> np.ndarray:
    """Return which rows no other row dominates, [n] bool.

    Args:
        costs: [n, objectives]; a row with NaN is dominated
    """
    finite = np.isfinite(costs).all(axis=1)
    no_worse = (costs[:, None] <= costs[None]).all(axis=2)
    better = (costs[:, None] < costs[None]).any(axis=2)
    return finite & ~(no_worse & better & finite[:, None]).any(axis=0)


def draw(table: pd.DataFrame, objectives: list[str], path: Path) -> None:
    """Draw the first objective against every other one, trial by trial, with the best trials joined.

    Args:
        table: of `sweep`
        objectives: columns of the table
        path: PNG file to write
    """
    with extra("sweep"):
        from matplotlib.figure import Figure

    first, *others = objectives if len(objectives) > 1 else [objectives[0], "trial"]
    figure = Figure(figsize=(4.5 * len(others), 3.6), layout="constrained")
    for axes, other in zip(figure.subplots(1, len(others), squeeze=False)[0], others, strict=True):
        axes.scatter(table[other], table[first], s=14, color="0.6", label="trials")
        best = table[table["pareto"]].sort_values(other)
        axes.plot(best[other], best[first], "o-", color="C0", label="best by all objectives")
        axes.set(xlabel=other, ylabel=first)
        axes.legend(fontsize=8)
    with atomic_write(path) as partial:
        figure.savefig(partial, format="png", dpi=150, metadata={"Software": None})
