"""The tables of the studies in the documents are those of the committed results."""

import re

import pandas as pd
import pytest

from tests.pipeline.test_graph import ROOT
from tools.studies import DOCUMENTS, STUDIES, TABLES, change, filled


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_tables_equal_the_committed_results(name):
    text = (ROOT / name).read_text()
    assert filled(text, ROOT / STUDIES) == text


def test_documents_hold_each_table_once():
    marks = [
        mark for name in DOCUMENTS for mark in re.findall(r"<!-- (\w+) -->\n\n\|", (ROOT / name).read_text())
    ]
    assert sorted(marks) == sorted(TABLES)


def test_change_has_sign_and_interval():
    row = {"rmse_difference_cm": 0.4203, "rmse_difference_cm_low": 0.286, "rmse_difference_cm_high": 0.616}
    assert change(pd.Series(row)) == "+0.42 [0.29, 0.62]"
    row = {"rmse_difference_cm": -0.14, "rmse_difference_cm_low": -0.228, "rmse_difference_cm_high": -0.079}
    assert change(pd.Series(row)) == "−0.14 [−0.23, −0.08]"


def test_filled_text_around_a_table_is_kept(tmp_path):
    (tmp_path / "ablation").mkdir()
    ends = {
        f"rmse_difference_cm{end}": value for end, value in (("", 0.01), ("_low", -0.01), ("_high", 0.03))
    }
    names = ("integral", "integral without lever arm", "direct")
    rows = [
        {"set": "ruler", "estimator": name, "n_strides": 1200, "rmse_cm": 3.4 + i, "median_abs_cm": i, **ends}
        for i, name in enumerate(names)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "ablation/ablation.csv", index=False)
    before = "a\n<!-- ablation -->\nold\n<!-- end -->\nb\n"
    after = filled(before, tmp_path)
    assert after.startswith("a\n<!-- ablation -->\n\n| ") and after.endswith("|\n\n<!-- end -->\nb\n")
    changed = "+0.01 [−0.01, 0.03]"
    row = f"| `ruler` (1,200) | 3.40 / 0.00 | {changed} | 5.40 / 2.00 | {changed} |"
    assert row in after and "old" not in after
    assert filled(after, tmp_path) == after
