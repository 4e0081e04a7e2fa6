"""Write the int8 network as freestanding C99 and prove it on its golden vectors: models/c."""

from stages.common import C_LIBRARY, INT8_TFLITE, run_stage
from tinystride.codegen import check_on_host, export_model


def main(parameters: dict) -> None:
    export_model(INT8_TFLITE, C_LIBRARY)
    check_on_host(C_LIBRARY)


if __name__ == "__main__":
    run_stage("export-c", main)
