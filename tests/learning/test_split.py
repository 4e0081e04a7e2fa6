import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinystride.errors import ParameterError
from tinystride.learning.split import split_by_subject, subject_names


def strides(counts: dict[str, int]) -> pd.DataFrame:
    """A strides table with the given number of strides for each "dataset/subject"."""
    names = [name for name, count in counts.items() for _ in range(count)]
    dataset, subject = zip(*(name.split("/") for name in names), strict=True)
    return pd.DataFrame({"dataset": dataset, "subject": subject, "usable": True})


def split(counts, **changes):
    options = dict(strategy="grouped-kfold", seed=3, folds=3, held_out=["simulated"], validation_fraction=0.2)
    return split_by_subject(strides(counts), **{**options, **changes})


# The three recorded sets, by their subjects and roughly by their strides.
RECORDED = {
    **{f"ipol-healthy/{i}": 120 + 7 * i for i in range(19)},
    "llio-ruler/1": 952,
    "tripod-excerpt/FZ": 659,
}
PERSONS = st.dictionaries(
    st.tuples(st.sampled_from(["ipol", "llio", "simulated"]), st.integers(0, 9)).map("{0[0]}/{0[1]}".format),
    st.integers(1, 40),
    min_size=1,
)


def test_subject_names_equal_subjects_of_two_data_sets_differ():
    assert list(subject_names(strides({"a/1": 1, "b/1": 2}))) == ["a/1", "b/1", "b/1"]


@given(
    counts=PERSONS,
    strategy=st.sampled_from(["grouped-kfold", "leave-one-subject-out", "paper"]),
    seed=st.integers(0, 2**32 - 1),
    folds=st.integers(2, 6),
    fraction=st.floats(0.01, 0.99),
)
def test_split_each_subject_is_in_exactly_one_part(counts, strategy, seed, folds, fraction):
    known = sorted(name for name in counts if not name.startswith("simulated/"))
    strangers = sorted(set(counts) - set(known))
    if strategy == "leave-one-subject-out":
        folds = max(len(known), 2)
    options = dict(strategy=strategy, seed=seed, folds=folds, validation_fraction=fraction)
    try:
        result = split(counts, **options)
    except ParameterError:
        needed = 5 if strategy == "paper" else max(folds, 3)
        assert len(known) < max(needed, 5 if folds == 2 else 0) or (strategy == "paper" and folds > 5)
        return
    for part in [result["final"], *result["folds"]]:
        everybody = part["train"] + part["validation"] + part["test"]
        assert len(everybody) == len(set(everybody))
        assert part["train"] and part["validation"] and part["test"]
    for fold in result["folds"]:
        assert sorted(fold["train"] + fold["validation"] + fold["test"]) == known
    tested = [subject for fold in result["folds"] for subject in fold["test"]]
    assert len(tested) == len(set(tested))
    if strategy != "paper" or folds == 5:
        assert sorted(tested) == known
    if strangers:
        assert result["final"]["test"] == strangers
        assert sorted(result["final"]["train"] + result["final"]["validation"]) == known
    else:
        assert result["final"] == {side: result["folds"][0][side] for side in ("train", "validation", "test")}
    assert split(dict(reversed(counts.items())), **options) == result


def test_split_only_subject_of_a_data_set_is_trained_on_and_tested_out_of_fold():
    result = split(RECORDED, folds=5, held_out=["tripod-excerpt"])
    assert result["final"]["test"] == ["tripod-excerpt/FZ"]
    assert "llio-ruler/1" in result["final"]["train"]
    assert sum("llio-ruler/1" in fold["test"] for fold in result["folds"]) == 1


def test_split_grouped_kfold_spreads_data_sets_and_strides():
    counts = {**RECORDED, **{f"simulated/{i}": 60 for i in range(10)}}
    result = split(counts, folds=5, held_out=["tripod-excerpt"])
    for dataset, minimum, maximum in (("ipol-healthy", 3, 4), ("simulated", 2, 2)):
        n = [sum(name.startswith(dataset) for name in fold["test"]) for fold in result["folds"]]
        assert min(n) == minimum and max(n) == maximum
    sizes = [sum(counts[name] for name in fold["test"]) for fold in result["folds"]]
    *others, max_size = sorted(sizes)
    assert max(others) < 1.3 * min(others)
    assert max_size < 952 + 3 * 246 + 120


def test_split_paper_is_9_3_3_and_tests_each_subject_once():
    counts = {f"tripod/Sub_{i:02d}": 300 for i in range(15)}
    result = split(counts, strategy="paper", folds=5)
    for fold in result["folds"]:
        assert [len(fold[side]) for side in ("train", "validation", "test")] == [9, 3, 3]
    assert len({name for fold in result["folds"] for name in fold["test"]}) == 15
    assert result["final"]["test"] == result["folds"][0]["test"]
    assert result["folds"][0]["validation"] == result["folds"][1]["test"]


SETS = {"a/1": 30, "a/2": 20, "b/1": 5, "llio-ruler/wearer": 9, "llio-ruler-2/wearer": 19, "vicon/d": 4}


def test_split_leave_one_dataset_out_tests_each_set_unseen():
    result = split(SETS, strategy="leave-one-dataset-out", folds=3, held_out=["vicon"])
    assert [sorted(fold["test"]) for fold in result["folds"]] == [
        ["a/1", "a/2"],
        ["b/1"],
        ["llio-ruler-2/wearer", "llio-ruler/wearer"],
    ]
    assert result["final"]["test"] == ["vicon/d"]
    for fold in result["folds"]:
        sets = {name.split("/")[0] for name in fold["test"]}
        assert not sets & {name.split("/")[0] for side in ("train", "validation") for name in fold[side]}


@pytest.mark.parametrize("strategy", ["leave-one-dataset-out", "grouped-kfold", "leave-one-subject-out"])
def test_split_data_sets_of_the_same_person_are_in_one_part(strategy):
    folds = 4 if strategy == "leave-one-dataset-out" else 5
    result = split(SETS, strategy=strategy, folds=folds, held_out=[])
    for part in [result["final"], *result["folds"]]:
        sides = [side for side in ("train", "validation", "test") if "llio-ruler/wearer" in part[side]]
        assert sides == [
            side for side in ("train", "validation", "test") if "llio-ruler-2/wearer" in part[side]
        ]
        assert len(sides) == 1


def test_split_held_out_set_includes_other_sets_of_the_same_person():
    result = split(SETS, strategy="leave-one-dataset-out", folds=3, held_out=["llio-ruler"])
    assert sorted(result["final"]["test"]) == ["llio-ruler-2/wearer", "llio-ruler/wearer"]


def test_split_leave_one_dataset_out_single_set_splits_its_people():
    result = split(
        {f"simulated/{i}": 9 for i in range(6)}, strategy="leave-one-dataset-out", held_out=["vicon"]
    )
    assert result["strategy"] == "grouped-kfold"
    assert sorted(name for fold in result["folds"] for name in fold["test"]) == [
        f"simulated/{i}" for i in range(6)
    ]


def test_split_leave_one_dataset_out_wrong_folds_names_the_remedy():
    with pytest.raises(ParameterError, match=r"a, b, llio-ruler, vicon, not 3; use -S 'folds=\[0,1,2,3\]'"):
        split(SETS, strategy="leave-one-dataset-out", folds=3, held_out=[])


def test_split_other_seed_gives_another_split():
    assert len({str(split(RECORDED, seed=seed)["folds"]) for seed in range(5)}) == 5


def test_split_subjects_without_usable_strides_are_skipped():
    table = strides({"a/1": 3, "a/2": 1, "a/3": 5, "a/4": 2})
    table["usable"] = table["subject"] != "4"
    result = split_by_subject(
        table, strategy="grouped-kfold", seed=0, folds=3, held_out=[], validation_fraction=np.float64(0.3)
    )
    assert sorted(name for fold in result["folds"] for name in fold["test"]) == ["a/1", "a/2", "a/3"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"strategy": "random"}, "^split.strategy is 'random': it has to be one of .*grouped-kfold"),
        ({"folds": 1}, "folds: 1.*at least"),
        ({"validation_fraction": 0.0}, "^split.validation_fraction is .*a number above 0 and below 1$"),
        ({"validation_fraction": 1.0}, "^split.validation_fraction is .*a number above 0 and below 1$"),
        ({"folds": 5}, "4 subjects .* too few.*5 folds"),
        ({"strategy": "paper"}, "4 subjects .* too few"),
        ({"strategy": "paper", "folds": 6}, "at most 5"),
        ({"strategy": "leave-one-subject-out", "folds": 3}, r"-S 'folds=\[0,1,2,3\]'"),
        ({"held_out": ["a"]}, "0 subjects.*too few"),
        ({"held_out": ["tripod-exerpt"]}, "unknown data set 'tripod-exerpt'; choose from .*tripod-excerpt"),
    ],
)
def test_split_invalid_parameter_is_rejected(changes, says):
    with pytest.raises(ParameterError, match=says):
        split({f"a/{i}": 5 for i in range(4)}, **changes)
