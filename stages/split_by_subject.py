"""Assign each person to training, validation or test: data/split.json."""

import pandas as pd

from stages.common import SPLIT, STRIDES, run_stage, validated_kwargs
from tinystride.files import write_json
from tinystride.learning.split import split_by_subject


def main(parameters: dict) -> None:
    table = pd.read_parquet(STRIDES / "strides.parquet")
    options = validated_kwargs("split", parameters, split_by_subject)
    split = split_by_subject(table, seed=parameters["seed"], folds=len(parameters["folds"]), **options)
    write_json(SPLIT, split)


if __name__ == "__main__":
    run_stage("split-by-subject", main)
