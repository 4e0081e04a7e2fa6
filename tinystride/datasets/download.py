"""Download of the data sets into one folder: every file is verified, and the folder is complete or absent."""

import logging
import shutil
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from tqdm import tqdm

from tinystride.datasets import tripod
from tinystride.datasets.catalogue import Dataset, choose
from tinystride.datasets.simulator import simulate_dataset
from tinystride.errors import DataError, ParameterError, UnreachableError
from tinystride.files import atomic_folder, atomic_write, sha256, write_json
from tinystride.optional import extra

with extra("train"):
    import pooch
    import requests

UPSTREAM = "https://raw.githubusercontent.com"
WHEN_UNREACHABLE = ("simulate", "fail")
PARALLEL_TRANSFERS = 8
ATTEMPTS, PAUSE_S = 3, 0.3
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 3, 20

pooch.get_logger().setLevel(logging.WARNING)


def download(
    datasets: list[str],
    raw_folder: Path | str,
    *,
    mirrors: Sequence[str | Path] = (),
    when_unreachable: str = "fail",
    simulated: dict | None = None,
    seed: int = 0,
    tripod_folder: Path | str | None = None,
    progress: bool = True,
) -> dict:
    """Fill `raw_folder/<data set>/<path in its repository>`.

    Files are verified by SHA-256 before they get their names. An interrupted run leaves a hidden folder
    beside `raw_folder`, from which the next one continues; `raw_folder` itself appears when all files are
    there.

    Args:
        datasets: names of data sets
        raw_folder: the folder to write
        mirrors: download mirrors, folders or addresses, tried for every file in this order, before UPSTREAM
        when_unreachable: "simulate" (warn, and mark the source) or "fail", if no recorded set can be reached
        simulated: arguments of simulator.simulate_dataset, beside the seed
        seed: seed of the simulated set
        tripod_folder: folder of the full TRIPOD set, if it is among the data sets
        progress: show progress bars

    Returns:
        The content of sources.json.

    Raises:
        ParameterError: for a wrong argument
        DataError: for a file with another hash
        UnreachableError: if a set or a file cannot be reached at any base, unless no recorded set can be
            reached and `when_unreachable` is "simulate"
    """
    entries = choose(datasets)
    if {"tripod", "tripod-excerpt"} <= set(datasets):
        # One person would be in the training data under one name and in the test data under another.
        raise ParameterError("tripod-excerpt is a part of tripod: choose one of the two data sets")
    if when_unreachable not in WHEN_UNREACHABLE:
        raise ParameterError(
            f"when_unreachable is {when_unreachable!r}: choose {' or '.join(WHEN_UNREACHABLE)}"
        )
    if any(entry.kind == "given" for entry in entries) and tripod_folder is None:
        raise ParameterError(
            "data set 'tripod' needs its folder, which is given on request: set TINYSTRIDE_TRIPOD"
        )
    with atomic_folder(raw_folder, keep_partial=True) as partial:
        public = [entry for entry in entries if entry.kind == "public"]
        bases, unreached = _probe(public, [*mirrors, UPSTREAM], partial)
        nothing_recorded = len(unreached) == sum(entry.kind != "simulated" for entry in entries)
        if unreached and nothing_recorded and when_unreachable == "simulate":
            warnings.warn(
                f"NO RECORDED DATA: {', '.join(unreached)} cannot be reached. SIMULATED recordings are used "
                "instead, and every result made from them is marked simulated.",
                stacklevel=2,
            )
            entries, public = choose(["simulated"]), []
        elif unreached:
            raise UnreachableError(
                f"{', '.join(unreached)}: cannot be reached at any base; restore the network or a download "
                "mirror, or remove it from the list of data sets"
            )
        _transfer_all(public, bases, partial, progress)
        for entry in entries:
            if entry.kind == "given" and tripod_folder is not None:
                _copy_tripod(Path(tripod_folder), partial / entry.name)
            if entry.kind == "simulated":
                simulate_dataset(partial / entry.name, seed=seed, progress=progress, **(simulated or {}))
        _remove_strays(entries, partial)
        sources = _describe(entries, partial)
        write_json(partial / "sources.json", sources)
    return sources


def _probe(entries: list[Dataset], bases: list, partial: Path) -> tuple[list, list[str]]:
    """Return the bases that answer, and the names of the sets that no base has.

    Transfers one missing file of each set, and asks a base that does not answer only once: a dead network is
    noticed after one time-out, not after one per file.
    """
    alive, unreached = list(bases), []
    for entry in entries:
        missing = [file for file in entry.files if not _is_verified(partial / entry.name / file[0], file[1])]
        if missing and not _any_base_gives(entry, missing[0], alive, partial):
            unreached.append(entry.name)
    return alive, unreached


def _any_base_gives(entry: Dataset, file: tuple[str, str], alive: list, partial: Path) -> bool:
    for base in list(alive):
        try:
            _transfer_patiently(entry, file, base, partial, silent_bases=False)
            return True
        except FileNotFoundError:
            continue
        except requests.RequestException:
            alive.remove(base)
    return False


def _transfer_all(entries: list[Dataset], bases: list, partial: Path, progress: bool) -> None:
    jobs = [(entry, file) for entry in entries for file in entry.files]
    with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
        try:
            done = pool.map(lambda job: _transfer_from_any(job[0], job[1], bases, partial), jobs)
            for _ in tqdm(done, total=len(jobs), desc="download", unit="file", disable=not progress):
                pass
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _transfer_from_any(entry: Dataset, file: tuple[str, str], bases: list, partial: Path) -> None:
    if _is_verified(partial / entry.name / file[0], file[1]):
        return
    failure = "no base has it"
    for base in bases:
        try:
            return _transfer_patiently(entry, file, base, partial)
        except FileNotFoundError:
            continue
        except requests.RequestException as error:
            failure = f"{type(error).__name__} at {base}"
    raise UnreachableError(
        f"{entry.name}: {file[0]} cannot be downloaded from any base ({failure}); "
        "run it again to continue where this run stopped"
    )


def _transfer_patiently(
    entry: Dataset, file: tuple[str, str], base: str | Path, partial: Path, silent_bases: bool = True
) -> None:
    """Transfer a file, and try again after temporary errors; after silence only with `silent_bases`."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _transfer(entry, file, base, partial)
        except requests.RequestException as error:
            silent = isinstance(error, requests.ConnectionError | requests.Timeout)
            if attempt == ATTEMPTS or (silent and not silent_bases):
                raise
            time.sleep(PAUSE_S * attempt)


def _transfer(entry: Dataset, file: tuple[str, str], base: str | Path, partial: Path) -> None:
    """Transfer one file from one base; it gets its name only if its hash is right.

    Raises:
        FileNotFoundError: if the base lacks it, requests.RequestException for a transfer that failed
    """
    path, digest = file
    target = partial / entry.name / path
    if str(base).startswith(("http://", "https://")):
        origin = f"{str(base).rstrip('/')}/{quote(entry.location(path))}"
        downloader = pooch.HTTPDownloader(timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S))
        try:
            pooch.retrieve(origin, f"sha256:{digest}", target.name, target.parent, downloader=downloader)
        except requests.HTTPError as error:
            raise (
                FileNotFoundError(origin) if getattr(error.response, "status_code", None) == 404 else error
            ) from None
        except requests.RequestException:
            raise
        except ValueError:  # raised by pooch for a hash that differs
            raise _wrong_hash(origin) from None
    else:
        given = Path(base) / entry.location(path)
        with atomic_write(target) as copy:
            shutil.copyfile(given, copy)
            if sha256(copy) != digest:
                raise _wrong_hash(given)


def _wrong_hash(origin: Path | str) -> DataError:
    return DataError(
        f"{origin}: its SHA-256 differs from the catalogue's; repair the file, or remove its base from the "
        "download mirrors"
    )


def _is_verified(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _copy_tripod(given: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path in tripod.files(given):
        with atomic_write(folder / path) as copy:
            shutil.copyfile(given / path, copy)


def _describe(entries: list[Dataset], partial: Path) -> dict:
    described = {}
    for entry in entries:
        files = [path for path in (partial / entry.name).rglob("*") if path.is_file()]
        is_simulated = entry.kind == "simulated" or (partial / entry.name / tripod.SIMULATED_MARK).is_file()
        described[entry.name] = {
            "source": "simulated" if is_simulated else "recorded",
            "repository": f"{entry.owner}/{entry.repository}" if entry.owner else "",
            "commit": entry.commit,
            "licence": entry.licence,
            "citation": entry.citation,
            "files": len(entry.files) or len(files),
        }
    simulated = any(entry["source"] == "simulated" for entry in described.values())
    return {"source": "simulated" if simulated else "recorded", "datasets": described}


def _remove_strays(entries: list[Dataset], partial: Path) -> None:
    """Remove files that an interrupted run with another list of data sets, or a killed transfer, has left."""
    for path in partial.iterdir():
        if path.name not in {entry.name for entry in entries}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for entry in entries:
        if entry.kind != "public":
            continue
        wanted = {partial / entry.name / path for path, _ in entry.files}
        for path in (partial / entry.name).rglob("*"):
            if path.is_file() and path not in wanted:
                path.unlink()
