"""Run the named benchmarks (default: all) and print one line per metric: name, measured, bound."""

import argparse
import importlib

NAMES = [
    "pipeline",
    "preprocess",
    "training",
    "augmentation",
    "robustness",
    "streaming",
    "slips",
    "fuzz",
    "c_exactness",
    "c_cost",
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)} (default: all)")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark {unknown[0]}; there are {', '.join(NAMES)}")
    for name in arguments.names or NAMES:
        for what, measured, bound in importlib.import_module(f"benchmarks.{name}").measure():
            print(f"{what:58} {measured:>12}   {bound}", flush=True)


if __name__ == "__main__":
    main()
