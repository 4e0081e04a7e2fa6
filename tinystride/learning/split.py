"""Split subjects into training, validation and test.

The unit is the person: all their trials and both feet, in all data sets with that person.
"""

import numpy as np
import pandas as pd

from tinystride.datasets.catalogue import CATALOGUE
from tinystride.errors import ParameterError
from tinystride.validation import one_of, real_number

STRATEGIES = ("leave-one-dataset-out", "grouped-kfold", "leave-one-subject-out", "paper")
PAPER_BLOCKS = 5  # of 20 % of the subjects each: three for training, one for validation, one for test


def subject_names(table: pd.DataFrame) -> pd.Series:
    """Return "dataset/subject" of each stride; `subject` alone is unique only within its data set.

    Args:
        table: strides table
    """
    return table["dataset"] + "/" + table["subject"]


def unit_names(subjects: pd.Series) -> pd.Series:
    """Return a name of the person of each subject, the same for data sets with the same people.

    Args:
        subjects: "dataset/subject"
    """
    return subjects.map({subject: _unit(subject) for subject in subjects.unique()})


def _unit(subject: str) -> str:
    dataset, name = subject.split("/", 1)
    return f"{_group(dataset)}/{name}"


def _group(dataset: str) -> str:
    """Return the data set that represents all those with the same people."""
    return (CATALOGUE[dataset].same_people_as if dataset in CATALOGUE else "") or dataset


def split_by_subject(
    table: pd.DataFrame,
    *,
    strategy: str,
    seed: int,
    folds: int,
    held_out: list[str],
    validation_fraction: float,
) -> dict:
    """Divide the subjects of the strides table with a usable stride into training, validation and test.

    Strategies:

    - "leave-one-dataset-out": a fold tests all people of one data set (data sets with the same people are
      one), so that sensor, people and reference are unknown to its network. There is one fold per data set.
      If only one data set remains, its people are split as by "grouped-kfold".
    - "grouped-kfold": folds with similar numbers of strides; the subjects of each data set are spread over
      the folds.
    - "leave-one-subject-out": there is one fold per subject.
    - "paper" (Verbiest et al., Sensors 2023, 7166: 9, 3 and 3 of 15 subjects): the shuffled subjects form
      five blocks. Fold i tests block i, validates on the next one and trains on the other three; there are
      at most five folds.

    Args:
        table: strides table
        strategy: one of STRATEGIES
        seed: seed of the random choices
        folds: number of folds, at least 2, with one cross-validated model each
        held_out: data sets that no fold contains and on which the final model is tested; if they have no
            usable stride, the final split is fold 0
        validation_fraction: share of each data set's subjects, outside the test, for validation, between 0
            and 1; it is rounded, never all subjects of a data set, and at least one in total

    Returns:
        {"strategy", "seed", "final": {"train", "validation", "test"},
        "folds": [{"fold", "train", "validation", "test"}, …]} with sorted lists of "dataset/subject"

    Raises:
        ParameterError: if strategy or data set is unknown, a number is out of range, or there are too few
            subjects
    """
    _check(strategy, folds, validation_fraction)
    _check_names(held_out, table)
    subjects = subject_names(table[table["usable"].astype(bool)])
    units = unit_names(subjects)
    n_strides = subjects.groupby(units).size().sort_index()
    subjects_of = {unit: sorted(own.unique()) for unit, own in subjects.groupby(units)}
    left_out = {_group(dataset) for dataset in held_out}
    is_held_out = np.array([_dataset(unit) in left_out for unit in n_strides.index], dtype=bool)
    learned, held = n_strides[~is_held_out], n_strides[is_held_out]
    datasets = sorted({_dataset(unit) for unit in learned.index})
    if strategy == "leave-one-dataset-out" and len(datasets) == 1:
        strategy = "grouped-kfold"
    _check_subjects(strategy, folds, len(learned), held_out)
    _check_datasets(strategy, folds, datasets)

    def complete(test: list[str], validation: list[str] | None = None) -> dict:
        rest = [subject for subject in learned.index if subject not in test]
        if len(rest) < 2:
            raise ParameterError(
                f"split: testing on {', '.join(test)} leaves {len(rest)} subjects to train and validate on, "
                "too few; add data sets or use more folds"
            )
        if validation is None:
            validation = _choose_validation(rest, validation_fraction, seed)
        train = [subject for subject in rest if subject not in validation]
        sides = {"train": train, "validation": sorted(validation), "test": sorted(test)}
        return {side: [name for unit in own for name in subjects_of[unit]] for side, own in sides.items()}

    if strategy == "paper":
        blocks = _shuffled_blocks(list(learned.index), PAPER_BLOCKS, seed)
        parts = [complete(blocks[i], blocks[(i + 1) % PAPER_BLOCKS]) for i in range(folds)]
    elif strategy == "leave-one-dataset-out":
        parts = [complete([unit for unit in learned.index if _dataset(unit) == name]) for name in datasets]
    else:
        parts = [complete(block) for block in _balanced_blocks(learned, folds, seed)]
    final = complete(list(held.index)) if len(held) else parts[0]
    return {
        "strategy": strategy,
        "seed": seed,
        "final": final,
        "folds": [{"fold": i, **part} for i, part in enumerate(parts)],
    }


def _dataset(subject: str) -> str:
    return subject.split("/", 1)[0]


def _check(strategy: str, folds: int, validation_fraction: float) -> None:
    one_of(STRATEGIES).check("split.strategy", strategy)
    real_number(above=0, below=1).check("split.validation_fraction", validation_fraction)
    if folds < 2:
        raise ParameterError(f"folds: {folds} is too few, at least 2 are needed; use -S 'folds=[0,1]'")
    if strategy == "paper" and folds > PAPER_BLOCKS:
        raise ParameterError(
            f"folds: split.strategy paper has at most {PAPER_BLOCKS}; use -S 'folds=[0,1,2,3,4]'"
        )


def _check_names(held_out: list[str], table: pd.DataFrame) -> None:
    # With a misspelt name the network would be trained on its test data.
    unknown = sorted(set(held_out) - set(CATALOGUE) - set(table["dataset"]))
    if unknown:
        raise ParameterError(
            f"split.held_out: unknown data set {unknown[0]!r}; choose from {', '.join(CATALOGUE)}"
        )


def _check_subjects(strategy: str, folds: int, n_subjects: int, held_out: list[str]) -> None:
    subjects = (
        f"{n_subjects} subjects with usable strides beside held_out ({', '.join(held_out) or 'nothing'})"
    )
    needed = PAPER_BLOCKS if strategy == "paper" else 3 if "dataset" in strategy else max(folds, 3)
    if n_subjects < needed:
        raise ParameterError(
            f"split.strategy {strategy}: {subjects} are too few, {folds} folds need {needed}; "
            "add data sets or use fewer folds"
        )
    if strategy == "leave-one-subject-out" and folds != n_subjects:
        numbers = ",".join(str(i) for i in range(n_subjects))
        raise ParameterError(
            f"folds: leave-one-subject-out needs one for each of {subjects}, not {folds}; "
            f"use -S 'folds=[{numbers}]'"
        )


def _check_datasets(strategy: str, folds: int, datasets: list[str]) -> None:
    if strategy == "leave-one-dataset-out" and folds != len(datasets):
        numbers = ",".join(str(i) for i in range(len(datasets)))
        raise ParameterError(
            f"folds: leave-one-dataset-out needs one for each of {', '.join(datasets)}, not {folds}; "
            f"use -S 'folds=[{numbers}]', or -S split.strategy=grouped-kfold"
        )


def _choose_validation(subjects: list[str], fraction: float, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    chosen: list[str] = []
    for dataset in sorted({_dataset(subject) for subject in subjects}):
        own = [subject for subject in subjects if _dataset(subject) == dataset]
        # A data set's only subject is used for training rather than for early stopping.
        n = min(round(fraction * len(own)), len(own) - 1)
        chosen += list(random.permutation(own)[:n])
    if not chosen:
        chosen = [random.choice(subjects)]
    return [str(subject) for subject in chosen]


def _shuffled_blocks(subjects: list[str], n_blocks: int, seed: int) -> list[list[str]]:
    shuffled = np.random.default_rng(seed).permutation(subjects)
    return [[str(subject) for subject in block] for block in np.array_split(shuffled, n_blocks)]


def _balanced_blocks(n_strides: pd.Series, n_blocks: int, seed: int) -> list[list[str]]:
    """Return blocks of subjects of similar size, found greedily.

    Each subject is added to the block with the fewest subjects of the same data set and, among those, the
    fewest strides. Data sets with many strides per subject come first, their subjects shuffled. With enough
    subjects no block stays empty.
    """
    datasets = n_strides.groupby(_dataset).mean().sort_values(ascending=False, kind="stable").index
    shuffled = _shuffled_blocks(list(n_strides.index), 1, seed)[0]
    blocks: list[list[str]] = [[] for _ in range(n_blocks)]

    def load(block: list[str], dataset: str) -> tuple[int, int]:
        return sum(_dataset(other) == dataset for other in block), int(n_strides[block].sum())

    for subject in sorted(shuffled, key=lambda subject: datasets.get_loc(_dataset(subject))):
        loads = [load(block, _dataset(subject)) for block in blocks]
        blocks[loads.index(min(loads))].append(subject)
    return blocks
