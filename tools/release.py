"""Release the models of this commit: checks, MODEL_CARD.md, Git tags. `make release VERSION=v1.0.0`."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tinystride.cli import one_line_errors
from tinystride.errors import TinyStrideError
from tinystride.evaluation.tables import markdown
from tinystride.files import read_json, sha256, write_text
from tools.readme import SHOWN, footprint

ARTIFACTS = ("stride-model", "stride-c")
CARD, CHANGELOG, PACKAGE = Path("MODEL_CARD.md"), Path("CHANGELOG.md"), Path("tinystride/__init__.py")
MODELS = ("models/stride_int8.tflite", "models/stride_float32.tflite")


class ReleaseError(TinyStrideError):
    """This checkout cannot be released."""


def output_of(*command: str) -> str:
    """Return the standard output of a command; raise ReleaseError with its error message if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).splitlines()
        said = [line for line in lines if re.match("error|fatal|❌", line, re.IGNORECASE)]
        raise ReleaseError(f"{' '.join(command[:2])}: {(said or lines or ['failed'])[0]}")
    return done.stdout


def succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def missing_tags(version: str) -> list[str]:
    """Return the artifacts that do not have this version yet.

    Raises ReleaseError if the version exists, unless its tags are at this commit and one is missing: then an
    earlier release of this commit was interrupted.
    """
    tags = {artifact: f"{artifact}@{version}" for artifact in ARTIFACTS}
    existing = set(output_of("git", "tag", "--list", *tags.values()).split())
    here = set(output_of("git", "tag", "--points-at", "HEAD").split())
    missing = [artifact for artifact, tag in tags.items() if tag not in existing]
    if not missing or not existing <= here:
        raise ReleaseError(f"{sorted(existing)[0]} exists, and a version never changes; choose a higher one")
    return missing


def check(version: str) -> None:
    """Raise ReleaseError with a remedy if this checkout is not committed, reproduced and pushed."""
    if not re.fullmatch(r"v\d+\.\d+\.\d+", version):
        raise ReleaseError(f"{version!r} is not a version; use one like v1.0.0")
    if not succeeds("git", "rev-parse", "--git-dir"):
        raise ReleaseError("this is not a Git repository; versions are Git tags, so clone it with Git")
    if not succeeds("git", "rev-parse", "--verify", "HEAD"):
        raise ReleaseError("no commit yet; commit the code and dvc.lock first")
    missing_tags(version)
    if changed := output_of("git", "status", "--porcelain").splitlines():
        raise ReleaseError(f"{changed[0][3:]} is not committed ({len(changed)} in all); commit or remove it")
    if stale := json.loads(output_of("dvc", "status", "--json", "dvc.yaml")):
        raise ReleaseError(f"{sorted(stale)[0]} is not reproduced; run `dvc repro` and commit dvc.lock")
    if unpushed := json.loads(output_of("dvc", "status", "--cloud", "--json", "dvc.yaml")):
        raise ReleaseError(f"{sorted(unpushed)[0]} is not pushed ({len(unpushed)} in all); run `dvc push`")


def card(version: str) -> str:
    """Return the model card, from the files that the stages wrote."""
    locked = yaml.safe_load(Path("dvc.lock").read_text())["stages"]
    md5 = {output["path"]: output["md5"] for stage in locked.values() for output in stage["outs"]}
    split = read_json("data/split.json")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("model_card.md.j2").render(
        version=version,
        models={path: {"sha256": sha256(path), "md5": md5[path]} for path in MODELS},
        c_md5=md5["models/c"],
        network=read_json("results/quantize/metrics.json"),
        estimator=yaml.safe_load(Path("params.yaml").read_text())["estimator"],
        sources=read_json("data/raw/sources.json")["datasets"],
        subjects={name: counted(subjects) for name, subjects in split["final"].items()},
        n_folds=len(split["folds"]),
        accuracy=markdown(read_json("results/evaluate/metrics.json"), SHOWN).strip(),
        footprint=footprint(read_json("results/mcu/metrics.json")),
        parameters=Path("params.yaml").read_text().strip(),
    )


def counted(subjects: list[str]) -> dict[str, int]:
    """Return {data set: number of people} of names like "dataset/subject"."""
    datasets = [subject.split("/", 1)[0] for subject in subjects]
    return {dataset: datasets.count(dataset) for dataset in dict.fromkeys(datasets)}


def set_version(version: str) -> None:
    """Set the version of the package, of models/c and of the changelog, if it is different."""
    number, code = version.removeprefix("v"), PACKAGE.read_text()
    if f'__version__ = "{number}"' in code:
        return
    write_text(PACKAGE, re.sub(r'(?m)^__version__ = "[^"]*"', f'__version__ = "{number}"', code))
    changes = CHANGELOG.read_text()
    write_text(CHANGELOG, changes.replace("## Unreleased\n", f"## Unreleased\n\n## {number}\n", 1))
    # The stage publish writes the version into the C library.
    output_of("dvc", "repro", "publish")


def release(version: str) -> list[str]:
    """Check, set the version, write the card, commit both, register the artifacts; return the tags."""
    check(version)
    set_version(version)
    write_text(CARD, card(version))
    output_of("git", "add", "--all")
    if not succeeds("git", "diff", "--cached", "--quiet"):
        output_of("git", "commit", "--quiet", "--message", f"Release {version}")
    for artifact in missing_tags(version):
        output_of("gto", "register", artifact, "HEAD", "--version", version)
    return [f"{artifact}@{version}" for artifact in ARTIFACTS]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make release VERSION=…", description=__doc__)
    parser.add_argument("version", help="like v1.0.0")
    version = parser.parse_args(argv).version
    with one_line_errors():
        tags = release(version)
        print(f"{CARD}; tags {', '.join(tags)}; `git push --follow-tags` publishes them", file=sys.stderr)


if __name__ == "__main__":
    main()
