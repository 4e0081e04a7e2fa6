"""Build the int8 network's C for cores, emulate it, count bytes and instructions: results/mcu."""

from tqdm import tqdm

from stages.common import INT8_TFLITE, RESULTS, run_stage
from tinystride.files import complete_folder, write_json
from tinystride.mcu import benchmark_model


def main(parameters: dict) -> None:
    cores, vectors = parameters["benchmark"]["cores"], parameters["benchmark"]["vectors"]
    metrics = {
        core: {"network": benchmark_model(INT8_TFLITE, core, vectors=vectors, seed=parameters["seed"])}
        for core in tqdm(cores, desc="benchmark", unit="core")
    }
    core = cores[0]
    network = metrics[core]["network"]
    headline = {"core": core} | {name: network[name] for name in ("flash_bytes", "ram_bytes", "instructions")}
    with complete_folder(RESULTS / "mcu") as folder:
        write_json(folder / "headline.json", headline)
        write_json(folder / "metrics.json", metrics)


if __name__ == "__main__":
    run_stage("benchmark-mcu", main)
