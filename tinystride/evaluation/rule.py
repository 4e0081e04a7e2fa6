"""Whether the network may be in the default: the rule, on data sets that it has never seen."""

MIN_BETTER_SETS = 4
MIN_SIGNIFICANT_SETS = 2
MAX_WORSE_CM = 0.05
FIGURE = "median_abs_minus_strapdown_cm"


def network_rule(metrics: dict, estimator: str = "int8") -> dict:
    """Compare the median error of a network with that of the integral, set by set.

    metrics: of report.evaluate, each set judged by a network that has learned from other sets
    Returns `passes`; `better`, `significant`, `worse`: names of the sets in which the median error without
    sign is lower, is lower with the whole 95 % interval, and is higher by more than MAX_WORSE_CM; and `sets`:
    {set: [median of the network, of the integral, difference, its interval]}, cm. The network passes with at
    least MIN_BETTER_SETS better, MIN_SIGNIFICANT_SETS significantly, and none worse.
    """
    found: dict = {"better": [], "significant": [], "worse": [], "sets": {}}
    for name, estimators in metrics.items():
        figures = estimators.get(estimator, {}) if isinstance(estimators, dict) else {}
        if figures.get("kind") != "accuracy" or figures.get(FIGURE) is None:
            continue
        difference, interval = figures[FIGURE], figures.get(f"{FIGURE}_ci95")
        if difference < 0:
            found["better"].append(name)
        if interval and interval[1] < 0:
            found["significant"].append(name)
        if difference > MAX_WORSE_CM:
            found["worse"].append(name)
        medians = [each["median_abs_cm"] for each in (figures, estimators["strapdown"])]
        found["sets"][name] = [*medians, difference, interval]
    passes = len(found["better"]) >= MIN_BETTER_SETS and len(found["significant"]) >= MIN_SIGNIFICANT_SETS
    return {"passes": passes and not found["worse"], **found}


def sentence(rule: dict, use_network: bool) -> str:
    """What the rule says about the network, and what the default is, for people to read."""
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
