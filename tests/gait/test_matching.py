import numpy as np
import pytest

from tinystride.datasets.recording import reference_table
from tinystride.gait.matching import NO_STRIDE, SEVERAL_STRIDES, match

# Mid-stances at 1, 2, 3, 4, 5 s; contacts 0.3 s before them.
START_S, END_S = np.arange(1.0, 5), np.arange(2.0, 6)
CONTACTS_S = END_S - 0.3


def reference(start_s, end_s):
    return reference_table(start_s, end_s, 100.0, "simulated")


def test_match_contacts_selects_the_stride_after_the_contact():
    stride, reason = match(reference(CONTACTS_S[:-1], CONTACTS_S[1:]), "initial_contact", START_S, END_S)
    assert stride.tolist() == [1, 2, 3]
    assert reason.tolist() == ["", "", ""]


def test_match_mid_stances_selects_the_nearest_stances():
    marked_s = np.array([1.2, 1.9, 3.2, 4.1, 5.4])
    stride, _ = match(reference(marked_s[:-1], marked_s[1:]), "mid_stance", START_S, END_S)
    assert stride.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("event", "times_s"), [("initial_contact", CONTACTS_S), ("mid_stance", np.arange(2.1, 5.5))]
)
def test_match_missed_and_divided_strides_have_a_reason(event, times_s):
    rows = reference(times_s[:-1], times_s[1:])
    missed = np.delete(np.append(START_S, END_S[-1]), 2)
    stride, reason = match(rows, event, missed[:-1], missed[1:])
    assert stride.tolist() == [-1, -1, 2]
    assert reason.tolist() == [NO_STRIDE, NO_STRIDE, ""]
    divided = np.sort(np.append(np.append(START_S, END_S[-1]), 3.5))
    stride, reason = match(rows, event, divided[:-1], divided[1:])
    assert stride.tolist() == [1, -1, 4]
    assert reason.tolist() == ["", SEVERAL_STRIDES, ""]


def test_match_outside_of_the_detected_strides_has_no_stride():
    rows = reference([0.1, 6.0], [0.6, 6.9])
    for event in ("initial_contact", "mid_stance"):
        stride, reason = match(rows, event, START_S, END_S)
        assert stride.tolist() == [-1, -1]
        assert reason.tolist() == [NO_STRIDE, NO_STRIDE]


def test_match_empty_reference_gives_no_match():
    stride, reason = match(reference([], []), "initial_contact", START_S, END_S)
    assert len(stride) == len(reason) == 0
