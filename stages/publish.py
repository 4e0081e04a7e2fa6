"""Copy the results that belong in Git: models/stride_*.tflite, models/c, results/headline.json.

These outputs are in Git and not in DVC's cache, so that `dvc get` finds them in any clone, at any revision.
DVC has no run cache for such a stage, so this stage only copies.
"""

import shutil
from pathlib import Path

from stages.common import C_LIBRARY, FLOAT32_TFLITE, INT8_TFLITE, MODELS, RESULTS, run_stage
from tinystride import __version__
from tinystride.codegen.costs import with_costs
from tinystride.codegen.versions import set_version
from tinystride.files import atomic_folder, read_json, write_bytes, write_json, write_text

HEADLINES = ("evaluate", "quantize", "mcu", "train")
BESIDE_THE_C = ("LICENSE", "CHANGELOG.md")


def main(parameters: dict) -> None:
    for model in (FLOAT32_TFLITE, INT8_TFLITE):
        write_bytes(MODELS / model.name, model.read_bytes())
    with atomic_folder(MODELS / C_LIBRARY.name) as folder:
        shutil.copytree(C_LIBRARY, folder, dirs_exist_ok=True)
        for name in BESIDE_THE_C:
            shutil.copyfile(Path(name), folder / name)
        set_version(folder, __version__)
        readme = folder / "README.md"
        write_text(readme, with_costs(readme.read_text(), read_json(RESULTS / "mcu" / "metrics.json")))
    headline: dict = {}
    for stage in HEADLINES:
        headline |= read_json(RESULTS / stage / "headline.json")
    write_json(RESULTS / "headline.json", headline)


if __name__ == "__main__":
    run_stage("publish", main)
