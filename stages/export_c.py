"""Write the C library of network and estimator and test it with golden vectors: models/built/c."""

from stages.common import C_LIBRARY, INT8_TFLITE, RAW, SPLIT, run_stage
from tinystride.codegen import check_on_host, export_model
from tinystride.codegen.data_notice import data_notice
from tinystride.files import read_json, write_text


def main(parameters: dict) -> None:
    export_model(INT8_TFLITE, C_LIBRARY)
    sources, split = read_json(RAW / "sources.json")["datasets"], read_json(SPLIT)["final"]
    write_text(C_LIBRARY / "DATA.md", data_notice(sources, split))
    check_on_host(C_LIBRARY)


if __name__ == "__main__":
    run_stage("export-c", main)
