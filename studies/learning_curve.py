"""Compare networks trained on 1 to 16 people: studies/results/learning_curve."""

import numpy as np
import pandas as pd
from attrs import evolve
from tqdm import tqdm

from stages.common import SPLIT, STRIDES, run_stage
from studies.common import STUDIES, measured, write_table
from studies.plots import plot_learning_curve
from tinystride.files import atomic_folder, read_json
from tinystride.gait.strides import StrideSet, read_strides
from tinystride.learning.estimators import Settings, choose
from tinystride.learning.features import augmented, length_cm, make_examples
from tinystride.learning.split import subject_names
from tinystride.learning.training import train

ESTIMATORS = ("strapdown-residual", "direct")
PEOPLE = (1, 3, 8, 16)
DRAWS = 3


def roles(table: pd.DataFrame, split: dict) -> tuple[list[str], list[str], list[str]]:
    """Return the names of training, validation and test people.

    A data set of one person is used for the test only: no training person wore its sensor.
    """
    final, names = split["final"], subject_names(table)
    people = names.groupby(table["dataset"]).transform("nunique")
    alone = set(names[people == 1])
    testable = set(subject_names(measured(table)))
    learn, validate = (sorted(set(final[side]) - alone) for side in ("train", "validation"))
    return learn, validate, sorted(testable & (alone | set(final["test"])))


def errors_cm(
    strides: StrideSet, learn: list[str], validate: list[str], test: list[str], settings: Settings, seed: int
) -> pd.Series:
    """Return the error in cm of each test stride with features; its data set is the index."""
    table, signals = strides.table, strides.signals
    sides = (make_examples(table, signals, names, settings) for names in (learn, validate))
    model = train(
        *(augmented(side, signals, settings, seed=seed) for side in sides), settings, seed=seed
    ).model
    tested = make_examples(table, signals, test, evolve(settings, exclude_flags=()))
    rows = table.set_index("stride_id").loc[tested.stride_id]
    estimate_cm = length_cm(
        settings.estimator, model.predict(tested.values), rows["strapdown_length_cm"].to_numpy()
    )
    return pd.Series(estimate_cm - tested.length_cm, index=rows["dataset"])


def main(parameters: dict) -> None:
    strides, split, seed = read_strides(STRIDES), read_json(SPLIT), parameters["seed"]
    learn, validate, test = roles(strides.table, split)
    numbers = sorted({min(people, len(learn)) for people in PEOPLE})
    runs = [(estimator, n, draw) for estimator in ESTIMATORS for n in numbers for draw in range(DRAWS)]
    rows = []
    for estimator, n, draw in tqdm(runs, desc="learning curve", unit="network"):
        chosen = np.random.default_rng([seed, draw]).permutation(learn)[:n].tolist()
        errors = errors_cm(strides, sorted(chosen), validate, test, choose(estimator), seed + draw)
        for dataset, own in errors.groupby(level=0):
            rows.append(
                {
                    "set": dataset,
                    "estimator": estimator,
                    "people": n,
                    "draw": draw,
                    "n_strides": len(own),
                    "rmse_cm": np.sqrt((own**2).mean()),
                    "bias_cm": own.mean(),
                }
            )
    table = pd.DataFrame(rows)
    with atomic_folder(STUDIES / "learning_curve") as folder:
        write_table(table, folder / "learning_curve.csv")
        plot_learning_curve(table, folder / "learning_curve.png")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:learning-curve", main)
