"""Decide whether the network may be the default: the rule, on data sets that the network has not seen."""

MIN_BETTER_SETS = 4
MIN_SIGNIFICANT_SETS = 2
MAX_WORSE_CM = 0.05
METRIC = "median_abs_minus_strapdown_cm"


def network_rule(metrics: dict, estimator: str = "int8") -> dict:
    """Compare the median |error| of a network with that of the integral, set by set.

    The network passes if at least MIN_BETTER_SETS sets are better, at least MIN_SIGNIFICANT_SETS
    significantly, and no set is worse.

    Args:
        metrics: see `metrics.evaluate`, with each set evaluated by a network trained on other sets
        estimator: name of the network in the metrics

    Returns:
        `passes`; `better`, `significant`, `worse`: names of the sets whose median is lower, is lower with
        the whole 95 % interval, is higher by more than MAX_WORSE_CM; `sets`: {set: [median of the network,
        of the integral, difference, its interval]}, cm
    """
    found: dict = {"better": [], "significant": [], "worse": [], "sets": {}}
    for name, estimators in metrics.items():
        values = estimators.get(estimator, {}) if isinstance(estimators, dict) else {}
        if values.get("kind") != "accuracy" or values.get(METRIC) is None:
            continue
        difference, interval = values[METRIC], values.get(f"{METRIC}_ci95")
        if difference < 0:
            found["better"].append(name)
        if interval and interval[1] < 0:
            found["significant"].append(name)
        if difference > MAX_WORSE_CM:
            found["worse"].append(name)
        medians = [each["median_abs_cm"] for each in (values, estimators["strapdown"])]
        found["sets"][name] = [*medians, difference, interval]
    passes = len(found["better"]) >= MIN_BETTER_SETS and len(found["significant"]) >= MIN_SIGNIFICANT_SETS
    return {"passes": passes and not found["worse"], **found}


def sentence(rule: dict, use_network: bool) -> str:
    """Return the result of the rule and the default as text.

    Args:
        rule: see `network_rule`
        use_network: whether the network's correction is the default
    """
    parts = [
        f"Leaving out whole data sets, the network's median error is lower than the integral's on "
        f"{len(rule['better'])} of {len(rule['sets'])} sets, significantly on {len(rule['significant'])}"
        f"{', and higher by more than 0.05 cm on ' + ', '.join(rule['worse']) if rule['worse'] else ''}."
    ]
    parts.append(
        "The default is the integral with the network's correction."
        if use_network
        else "The default is the integral; the network is an option (`quantize.use_network`)."
    )
    if use_network and not rule["passes"]:
        parts.append("**This breaks the rule that the network has to help on unseen data sets.**")
    return " ".join(parts)
