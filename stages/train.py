"""Train the float32 network, with early stopping on the validation subjects: models/float32."""

from dvclive import Live
from tqdm import tqdm

from stages.common import FLOAT32, RESULTS, SPLIT, STRIDES, run_stage
from tinystride.files import atomic_folder, read_json, write_json
from tinystride.gait.strides import read_strides
from tinystride.learning.estimators import choose
from tinystride.learning.features import augmented, make_examples
from tinystride.learning.training import Epoch, train


def main(parameters: dict) -> None:
    settings = choose(parameters["estimator"], **parameters["train"])
    strides, final = read_strides(STRIDES), read_json(SPLIT)["final"]
    training, validation = (
        augmented(
            make_examples(strides.table, strides.signals, final[side], settings),
            strides.signals,
            settings,
            seed=parameters["seed"],
        )
        for side in ("train", "validation")
    )
    with (
        atomic_folder(RESULTS / "train") as folder,
        Live(str(folder), dvcyaml=None, save_dvc_exp=False) as live,
        tqdm(total=settings.epochs, desc="train", unit="epoch") as bar,
    ):

        def log(epoch: Epoch) -> None:
            live.log_metric("train/rmse_cm", epoch.train_rmse_cm)
            live.log_metric("validation/rmse_cm", epoch.validation_rmse_cm)
            live.next_step()
            bar.update()

        done = train(training, validation, settings, seed=parameters["seed"], on_epoch=log)
        live.summary["best_epoch"] = done.best
        done.model.save(FLOAT32)
        # Not seconds: results must not depend on the load of the machine.
        work = len(training) * len(done.epochs) * settings.n_multiply_accumulates
        write_json(folder / "headline.json", {"training_gmac": round(work / 1e9, 3)})


if __name__ == "__main__":
    run_stage("train", main)
