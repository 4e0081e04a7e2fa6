import pytest

from tinystride.evaluation.rule import network_rule, sentence


def metrics(*differences, significant=2):
    sets = {}
    for i, difference_cm in enumerate(differences):
        high = -0.01 if i < significant else 0.2
        network = {
            "kind": "accuracy",
            "median_abs_cm": 2 + difference_cm,
            "median_abs_minus_strapdown_cm": difference_cm,
            "median_abs_minus_strapdown_cm_ci95": [difference_cm - 0.2, high],
        }
        sets[f"set{i}"] = {"int8": network, "strapdown": {"kind": "accuracy", "median_abs_cm": 2.0}}
    sets["street"] = {"int8": {"kind": "agreement", "median_abs_cm": 0.1}}
    return {"source": "recorded", **sets}


@pytest.mark.parametrize(
    ("differences", "significant", "passes"),
    [
        ((-0.3, -0.2, -0.1, -0.1, 0.05), 2, True),
        ((-0.3, -0.2, -0.1, -0.1, 0.06), 2, False),
        ((-0.3, -0.2, -0.1, 0.01, 0.01), 2, False),
        ((-0.3, -0.2, -0.1, -0.1, 0.0), 1, False),
    ],
)
def test_network_rule_needs_four_better_two_significant_none_worse(differences, significant, passes):
    assert network_rule(metrics(*differences, significant=significant))["passes"] == passes


def test_network_rule_counts_measured_sets_only():
    rule = network_rule(metrics(-0.3, -0.2, 0.1))
    assert list(rule["sets"]) == ["set0", "set1", "set2"]
    assert (rule["better"], rule["worse"]) == (["set0", "set1"], ["set2"])
    assert rule["sets"]["set2"][:3] == [2.1, 2.0, 0.1]


def test_sentence_names_the_default_and_a_broken_rule():
    failed = network_rule(metrics(-0.3, -0.2, 0.1))
    assert "The default is the integral" in sentence(failed, use_network=False)
    assert "set2" in sentence(failed, use_network=False)
    assert "breaks the rule" in sentence(failed, use_network=True)
    passed = network_rule(metrics(-0.3, -0.2, -0.1, -0.1, 0.0))
    assert "breaks" not in sentence(passed, use_network=True)
