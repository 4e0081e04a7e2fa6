"""Compare int8, float32 and baselines with reference lengths, out of fold: results/evaluate."""

import pandas as pd

from stages.common import INT8_TFLITE, RAW, RESULTS, SPLIT, STRIDES, run_stage, validated_kwargs
from tinystride.datasets.loading import load_recordings
from tinystride.evaluation.metrics import evaluate
from tinystride.evaluation.plots import draw_plots
from tinystride.evaluation.published import by_protocol, markdown_beside_published
from tinystride.evaluation.rule import network_rule, sentence
from tinystride.evaluation.tables import headline, long, markdown, stride_points, subject_points
from tinystride.files import atomic_folder, read_json, write_json, write_text
from tinystride.gait.strides import read_strides
from tinystride.learning.prediction import Network
from tinystride.streaming.evaluation import stream_tested, unseen_models


def main(parameters: dict) -> None:
    strides, split = read_strides(STRIDES), read_json(SPLIT)
    final = pd.read_csv(RESULTS / "quantize" / "predictions.csv")
    folds = {
        fold: pd.read_csv(RESULTS / "cross_validate" / str(fold) / "predictions.csv")
        for fold in parameters["folds"]
    }
    streamed, streaming = stream_tested(
        load_recordings(RAW),
        strides.table,
        unseen_models(
            split,
            INT8_TFLITE,
            {fold: RESULTS / "cross_validate" / str(fold) / "stride_int8.tflite" for fold in folds},
        ),
        progress=True,
    )
    final = final.merge(streamed, on="stride_id", how="left")
    folds = {fold: table.merge(streamed, on="stride_id", how="left") for fold, table in folds.items()}
    metrics, estimated = evaluate(
        strides.table,
        split,
        final,
        folds,
        source=read_json(RAW / "sources.json")["source"],
        seed=parameters["seed"],
        **validated_kwargs("evaluate", parameters, evaluate),
    )
    published = by_protocol(estimated, seed=parameters["seed"], **parameters["evaluate"])
    beside = markdown_beside_published(published)
    rule, used = network_rule(metrics), Network.load(INT8_TFLITE).used
    with atomic_folder(RESULTS / "evaluate") as folder:
        write_json(folder / "metrics.json", metrics)
        write_json(folder / "headline.json", headline(metrics))
        write_text(folder / "table.md", "\n".join(filter(None, [markdown(metrics), beside])))
        write_json(folder / "published.json", published)
        write_json(folder / "rule.json", {**rule, "use_network": used, "sentence": sentence(rule, used)})
        write_json(folder / "streaming.json", streaming)
        long(metrics).to_csv(folder / "figures.csv", index=False)
        estimated.to_csv(folder / "strides.csv", index=False, float_format="%.4f")
        draw_plots(metrics, estimated, folder)
        (folder / "plots").mkdir()
        points = {"strides": stride_points(metrics, estimated)}
        points |= {f"{kind}_by_subject": subject_points(metrics, kind) for kind in ("accuracy", "agreement")}
        for name, table in points.items():
            table.to_csv(folder / "plots" / f"{name}.csv", index=False, float_format="%.4f")


if __name__ == "__main__":
    run_stage("evaluate", main)
