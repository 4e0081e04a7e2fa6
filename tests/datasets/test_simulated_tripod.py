import re

import numpy as np
import pytest

from tinystride.datasets import tripod
from tinystride.datasets.loading import TRIPOD_EXCERPT
from tinystride.datasets.simulated_tripod import write_tripod_tree
from tinystride.errors import ParameterError

SUBJECTS, WALKING_S = 2, 15.0


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "tripod"
    write_tripod_tree(folder, subjects=SUBJECTS, seed=4, walking_s=WALKING_S)
    return folder


@pytest.fixture(scope="module")
def recordings(tree):
    return list(tripod.load(tree))


def test_files_are_those_of_the_recorded_set(tree, raw_folder):
    recorded = raw_folder / "tripod-excerpt" / TRIPOD_EXCERPT

    def names(folder):
        return {
            re.sub("Sub_[A-Z]+", "Sub_XX", path.relative_to(folder).as_posix())
            for path in folder.rglob("*")
            if path.is_file()
        }

    assert names(tree) == names(recorded) | {tripod.SIMULATED_MARK}
    assert len(list(tree.glob("Sub_*"))) == SUBJECTS


def with_nines(line: str) -> str:
    """Return a line of samples with every digit replaced by 9, and one digit before a point."""
    return re.sub(r"-?9+\.", "9.", re.sub(r"\d", "9", line))


@pytest.mark.parametrize("foot", ["LF", "RF"])
def test_imu_lines_have_the_recorded_form(tree, raw_folder, foot):
    recorded = raw_folder / "tripod-excerpt" / TRIPOD_EXCERPT / "Sub_FZ" / "PWS" / "IMU" / f"{foot}.csv"
    want = recorded.read_text().splitlines()[:300]
    have = (tree / "Sub_SA" / "PWS" / "IMU" / f"{foot}.csv").read_text().splitlines()[:300]
    assert re.sub(r"\d+$", "n", have.pop(2)) == re.sub(r"\d+$", "n", want.pop(2)) == "Total data points: n"
    assert have[:6] == want[:6]
    assert [with_nines(line) for line in have[6:]] == [with_nines(line) for line in want[6:]]


def test_tables_have_the_recorded_form(tree, raw_folder):
    recorded = raw_folder / "tripod-excerpt" / TRIPOD_EXCERPT
    for name in ("Sub_FZ/PWS/OptoGait/optogait.csv", "SyncInfo.csv", "MetaInfo.csv"):
        want = (recorded / name).read_text().splitlines()
        have = (tree / name.replace("FZ", "SA")).read_text().splitlines()
        assert have[0] == want[0]
        assert {line.count(",") for line in have} == {
            line.count(",") for line in want
        } or name == "MetaInfo.csv"
        assert {line.count(";") for line in have} == {line.count(";") for line in want}
    want = (recorded / "Sub_FZ/PWS/OptoGait/optogait.csv").read_text().splitlines()
    have = (tree / "Sub_SA/PWS/OptoGait/optogait.csv").read_text().splitlines()
    assert have[1] == want[1]
    assert have[-1].split(",")[1] == want[-1].split(",")[1] == "External trigger STOP"
    columns = want[0].split(",")
    filled = [
        columns.index(name)
        for name in ("#", "L/R", "TStep", "Step", "Split", "Distance", "Stride", "StrideTime\\Cycle")
    ]
    for row in range(2, 12):
        # The same cells are filled, with as many digits at most.
        for column in filled:
            want_cell, have_cell = want[row].split(",")[column], have[row].split(",")[column]
            assert bool(want_cell) == bool(have_cell), (row, columns[column])
            assert ("." in have_cell) <= (columns[column] in ("TStep", "Split", "StrideTime\\Cycle"))


def test_loader_finds_whole_centimetre_strides_at_belt_speed(recordings):
    assert len(recordings) == SUBJECTS * 3 * 2
    for recording in recordings:
        reference = recording.reference
        reference = reference[reference["end_s"] < recording.walking_s[0] + WALKING_S]
        length_cm = reference["stride_length_cm"].dropna()
        assert len(length_cm) >= 6
        np.testing.assert_array_equal(length_cm, length_cm.round())
        assert length_cm.between(80, 200).all() and length_cm.std() < 8
        first_s, last_s = recording.walking_s
        assert 4.5 < first_s < 8.5 and last_s < recording.duration_s + tripod.WALKING_S


def test_reference_contacts_fit_the_signals(recordings):
    """Between two contacts the foot rests in the first half and swings before the end."""
    for recording in recordings:
        energy = (recording.gyr_radps**2).sum(axis=1)
        walking = recording.reference[recording.reference["end_s"] < recording.walking_s[0] + WALKING_S - 2]
        assert len(walking) >= 5
        for start_s, end_s in walking[["start_s", "end_s"]].to_numpy():

            def mean_energy(from_share, to_share, start_s=start_s, end_s=end_s, energy=energy):
                edges = start_s + np.array([from_share, to_share]) * (end_s - start_s)
                return energy[slice(*np.rint(edges * tripod.RATE_HZ).astype(int))].mean()

            assert mean_energy(0.2, 0.4) < 0.5
            assert mean_energy(0.7, 0.9) > 8


def test_simulated_tripod_slowing_belt_has_false_lengths_like_the_recorded_set(recordings):
    for recording in recordings:
        reference = recording.reference
        slowing = reference["end_s"] > recording.walking_s[0] + WALKING_S + 1
        steady = reference[~slowing]["stride_length_cm"].median()
        assert reference[slowing]["stride_length_cm"].max() > 1.2 * steady


def test_simulated_tripod_of_equal_seeds_has_equal_bytes(tree, tmp_path):
    write_tripod_tree(tmp_path / "again", subjects=1, seed=4, walking_s=WALKING_S)
    for path in sorted((tmp_path / "again" / "Sub_SA").rglob("*.csv")):
        assert path.read_bytes() == (tree / path.relative_to(tmp_path / "again")).read_bytes()


def test_simulated_tripod_with_wrong_arguments_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="subjects is 40: it has to be a whole number from 1 to 26"):
        write_tripod_tree(tmp_path / "tree", subjects=40)
    assert not list(tmp_path.iterdir())
