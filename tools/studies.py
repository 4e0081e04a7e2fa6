"""Write the tables of `dvc repro studies/dvc.yaml` into docs/."""

import re
from pathlib import Path

import pandas as pd

from tinystride.files import write_text
from tools import documents

STUDIES = Path("studies/results")
DOCUMENTS = (
    "docs/accuracy.md",
    "docs/decisions.md",
    "docs/method.md",
    "docs/parameters.md",
    "docs/sensors.md",
)


def number(value: float, decimals: int = 2) -> str:
    # + 0.0 turns −0.0 into 0.0.
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def change(row: pd.Series) -> str:
    """Return the change of the RMSE with its interval, such as "+0.42 [0.29, 0.62]"."""
    value, low, high = (number(row[f"rmse_difference_cm{end}"]) for end in ("", "_low", "_high"))
    return f"{'' if value.startswith('−') or float(value) == 0 else '+'}{value} [{low}, {high}]"


def ablation(folder: Path) -> str:
    """Return a row for each set: RMSE / median of integral and direct, and changes of the RMSE."""
    table = pd.read_csv(folder / "ablation/ablation.csv")
    rows = []
    for name, own in table.groupby("set", sort=False):
        cells = own.set_index("estimator")

        def error(estimator: str, cells: pd.DataFrame = cells) -> str:
            return f"{number(cells.rmse_cm[estimator])} / {number(cells.median_abs_cm[estimator])}"

        rows.append(
            [
                f"`{name}` ({cells['n_strides'].iloc[0]:,})",
                error("integral"),
                change(cells.loc["integral without lever arm"]),
                error("direct"),
                change(cells.loc["direct"]),
            ]
        )
    head = ["set", "integral", "without lever arm, change", "`direct`", "`direct`, change"]
    return documents.table(head, rows)


def mid_stances(folder: Path) -> str:
    table = pd.read_csv(folder / "mid_stances/simulated.csv")
    rows = [
        [
            row["walking"],
            f"{row['mid_stances']} ({row['missed']} missed)",
            number(row["late_sd_ms"], 0),
            number(row["unrest_rms_ms"], 0),
        ]
        for _, row in table.iterrows()
    ]
    return documents.table(
        ["simulated", "mid-stances", "from the lowest rate, SD, ms", "from rest, RMS, ms"], rows
    )


def noise(folder: Path) -> str:
    table = pd.read_csv(folder / "mid_stances/under_noise.csv")
    rows = [
        [f"`{row['set']}`", f"{row['mid_stances']} ({row['missed']} lost)", number(row["moved_sd_ms"], 1)]
        for _, row in table.iterrows()
    ]
    return documents.table(["recorded", "mid-stances", "moved by noise, SD, ms"], rows)


def neighbours(folder: Path) -> str:
    """Return a row for each set: RMSE of single strides, of means over two, and without opposite errors."""
    table = pd.read_csv(folder / "neighbours/neighbours.csv")
    rows = [
        [
            f"`{row['set']}`",
            number(row["rmse_cm"]),
            number(row["neighbours_rmse_cm"]),
            number(row["two_apart_rmse_cm"]),
            f"{row['opposite_neighbours']} / {row['opposite_two_apart']}",
            number(row["evened_rmse_cm"]),
            f"{number(row['without_large_bias_cm'])} ± {number(row['without_large_sd_cm'])} ({row['large']})",
        ]
        for _, row in table.iterrows()
    ]
    head = [
        "set",
        "single stride",
        "mean of two in a row",
        "mean of two, two apart",
        "opposite pairs, in a row / two apart",
        "single, opposite pairs in a row evened out",
        "without errors above 6 cm (how many)",
    ]
    return documents.table(head, rows)


def second_opinion(folder: Path) -> str:
    """Return a row for saturated and one for other strides: how often both integrals have the same error."""
    table = pd.read_csv(folder / "second_opinion/second_opinion.csv")
    rows = [
        [
            row["kind"],
            str(row["strides"]),
            number(row["apart_median_cm"], 1),
            str(row["large"]),
            str(row["alike"]),
        ]
        for _, row in table.iterrows()
    ]
    head = [
        "`llio-ruler`",
        "strides",
        "difference, median, cm",
        "error above 6 cm",
        "of these, same error of both",
    ]
    return documents.table(head, rows)


def gait_parameters(folder: Path) -> str:
    """Return a row for each gait parameter: its error against the reference."""
    table = pd.read_csv(folder / "gait_parameters/validation.csv")
    rows = []
    for _, row in table.iterrows():
        decimals = 1 if row["parameter"].endswith("ms") else 3 if "mps" in row["parameter"] else 2
        bias, sd, high = (number(row[name], decimals) for name in ("bias", "sd", "p95_abs"))
        missing = f" ({row['missing']} missing)" if row["missing"] else ""
        rows.append(
            [row["parameter"], row["reference"], str(row["people"]), f"{row['n']}{missing}", bias, sd, high]
        )
    head = ["parameter", "reference", "people", "n", "bias", "SD", "95 % are within ± (of the median)"]
    return documents.table(head, rows)


def sensor_settings(folder: Path) -> str:
    """Return a row for each setting: median error / RMSE, cm, and share of strides found, by set."""
    table = pd.read_csv(folder / "sensor_settings/sensor_settings.csv")
    sets = list(table["set"].unique())
    rows = []
    for setting, own in table.groupby("setting", sort=False):
        cells = own.set_index("set")
        rows.append(
            [
                setting,
                *(
                    f"{number(cells.median_abs_cm[name])} / {number(cells.rmse_cm[name])}, "
                    f"{round(100 * min(cells.found[name], 1))} %"
                    if name in cells.index
                    else "–"
                    for name in sets
                ),
            ]
        )
    return documents.table(["setting", *(f"`{name}`" for name in sets)], rows)


def reference_point(folder: Path) -> str:
    """Return a row for each reference point: RMSE, median and maximum error of all and straight strides."""
    table = pd.read_csv(folder / "reference_point/errors.csv")
    rows = []
    for point, own in table.groupby("point", sort=False):
        cells = [point]
        for _, row in own.iterrows():
            cells.append(
                f"{number(row['rmse_cm'])} / {number(row['median_abs_cm'])} / {number(row['max_abs_cm'])}"
            )
        rows.append(cells)
    counts = table.drop_duplicates("strides")
    heads = [f"{row['strides']} ({row['n']})" for _, row in counts.iterrows()]
    return documents.table(["distance that was covered by", *heads], rows)


def sensor_place(folder: Path) -> str:
    """Return a row for each foot: place of the sensor, and the unexplained acceleration."""
    table = pd.read_csv(folder / "reference_point/place.csv")
    rows = [
        [
            row["foot"],
            *(number(row[f"{axis}_mm"], 0) for axis in "xyz"),
            f"{number(row['without_mps2'], 1)} → {number(row['with_mps2'], 1)}",
        ]
        for _, row in table.iterrows()
    ]
    head = ["foot", "forward, mm", "outward, mm", "normal to both, mm", "unexplained acceleration, m/s²"]
    return documents.table(head, rows)


def interval_weights(folder: Path) -> str:
    """Return a row for each set and copy: coverage and surest 80 %, with weights fitted without the set."""
    table = pd.read_csv(folder / "interval_weights/held.csv")
    kinds = list(table["copy"].unique())
    rows = []
    for name, own in table.groupby("set", sort=False):
        cells = own.set_index("copy")
        rows.append(
            [
                f"`{name}`",
                *(f"{number(100 * cells.coverage[c], 1)} % / {number(cells.surest80[c])}" for c in kinds),
            ]
        )
    return documents.table(["fitted without", *kinds], rows)


def integral_steps(folder: Path) -> str:
    """Return a row for each start, set and step: RMSE and median with intervals, coverage, surest 80 %."""
    table = pd.read_csv(folder / "integral_steps/integral_steps.csv")
    rows = []
    for _, row in table.iterrows():
        cells = [
            f"{number(row[name])} [{number(row[f'{name}_low'])}, {number(row[f'{name}_high'])}]"
            for name in ("rmse_cm", "median_abs_cm")
        ]
        if row.isna()["coverage"]:
            cells += ["–", "–"]
        else:
            cells += [f"{number(100 * row['coverage'], 1)} %", number(row["surest80_rmse_cm"])]
        rows.append([row["start"], f"`{row['set']}` ({row['n_strides']})", row["step"], *cells])
    head = [
        "start",
        "set",
        "step",
        "RMSE, cm",
        "median error, cm",
        "within the interval",
        "RMSE, surest 80 %, cm",
    ]
    return documents.table(head, rows)


def stance_motion(folder: Path) -> str:
    """Return a row for each set: errors without the foot's motion, and with coefficients of other sets."""
    table = pd.read_csv(folder / "small_networks/stance_motion.csv")
    rows = [
        [
            f"`{row['set']}` ({row['n_strides']})",
            f"{number(row['rmse_before_cm'])} → {number(row['rmse_cm'])}",
            f"{number(row['median_before_cm'])} → {number(row['median_abs_cm'])}",
            _median_change(row),
        ]
        for _, row in table.iterrows()
    ]
    return documents.table(["left out", "RMSE, cm", "median error, cm", "change of the median, cm"], rows)


def _median_change(row: pd.Series) -> str:
    value, low, high = (number(row[f"median_difference_cm{end}"]) for end in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"


def small_networks(folder: Path) -> str:
    """Return a row for each network: change of the median error on each set left out."""
    table = pd.read_csv(folder / "small_networks/networks.csv")
    table = table[table["variant"] == "as recorded"]
    sets = list(table["set"].unique())
    rows = []
    for (inputs, training), own in table.groupby(["inputs", "trained"], sort=False):
        cells = own.set_index("set")
        better, significant = (
            int((own[name] < 0).sum()) for name in ("median_difference_cm", "median_difference_cm_high")
        )
        rows.append(
            [
                inputs,
                training,
                str(own["parameters"].iloc[0]),
                *(_median_change(cells.loc[name]) for name in sets),
                f"{better} / {significant}",
            ]
        )
    head = ["sees", "trained on", "parameters", *(f"`{name}`" for name in sets), "better / significant"]
    return documents.table(head, rows)


def networks_at_50_hz(folder: Path) -> str:
    """Return a row for each set: RMSE at 50 Hz of the integral, and of each network trained also at 50 Hz."""
    table = pd.read_csv(folder / "small_networks/networks.csv")
    table = table[(table["trained"] != "as recorded") & (table["variant"] != "as recorded")]
    inputs = list(table["inputs"].unique())
    rows = []
    for (name, variant), own in table.groupby(["set", "variant"], sort=False):
        cells = own.set_index("inputs")["rmse_cm"]
        rows.append(
            [
                f"`{name}`",
                variant,
                number(own["rmse_before_cm"].iloc[0]),
                *(number(cells[each]) for each in inputs),
            ]
        )
    return documents.table(["left out", "recording", "integral", *inputs], rows)


def certainty(folder: Path) -> str:
    """Return a row for each set and recording: coverage and surest 80 % of formula and networks."""
    table = pd.read_csv(folder / "small_networks/networks.csv")
    table = table[table["trained"] != "as recorded"]
    inputs = list(table["inputs"].unique())
    rows = []
    for (name, variant), own in table.groupby(["set", "variant"], sort=False):
        cells = own.set_index("inputs")
        first = own.iloc[0]
        rows.append(
            [
                f"`{name}`",
                variant,
                f"{number(100 * first['coverage_before'], 1)} % / {number(first['surest80_before'])}",
                *(
                    f"{number(100 * cells.coverage[each], 1)} % / {number(cells.surest80[each])}"
                    for each in inputs
                ),
            ]
        )
    return documents.table(["left out", "recording", "formula", *inputs], rows)


TABLES = {
    each.__name__: each
    for each in (
        ablation, mid_stances, noise, neighbours, second_opinion,
        gait_parameters, sensor_settings, reference_point, sensor_place, interval_weights, integral_steps,
        stance_motion, small_networks, networks_at_50_hz, certainty,
    )
}  # fmt: skip


def filled(text: str, folder: Path) -> str:
    """Return the document with each table between its marks: `<!-- ablation -->` and `<!-- end -->`."""

    def fill(mark: re.Match) -> str:
        return f"<!-- {mark[1]} -->\n\n{TABLES[mark[1]](folder)}\n\n<!-- end -->"

    return re.sub(rf"<!-- ({'|'.join(TABLES)}) -->.*?<!-- end -->", fill, text, flags=re.DOTALL)


def main() -> None:
    for name in DOCUMENTS:
        write_text(name, filled(Path(name).read_text(), STUDIES))


if __name__ == "__main__":
    main()
