"""Strides for Edge Impulse: data-acquisition files, their upload, and the official package's cost estimates.

File format, signature and ingestion service: https://docs.edgeimpulse.com (data acquisition format, ingestion
API). A file's signature is the HMAC-SHA256 of its bytes with 64 zeros in the signature's place. The files
hold no time stamp, so that equal strides give equal bytes.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar, overload

import numpy as np
from tqdm import tqdm

from tinystride.errors import DataError, ParameterError, ServiceError
from tinystride.files import atomic_folder, read_json, write_bytes, write_json
from tinystride.gait.strides import StrideSet
from tinystride.learning.split import subject_names
from tinystride.optional import extra

T = TypeVar("T")

with extra("edge-impulse"):
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

INGESTION_HOST = "https://ingestion.edgeimpulse.com"
FORMATS = ("json", "cbor")
CATEGORIES = {"training": ("train", "validation"), "testing": ("test",)}
LABELS = "info.labels"  # name used by Edge Impulse's exporter: its uploader accepts the folder, too
DEVICE_TYPE = "TINYSTRIDE"
SENSORS = [
    {"name": f"{kind}{axis}", "units": units}
    for kind, units in (("acc", "m/s2"), ("gyr", "rad/s"))
    for axis in "XYZ"
]
DECIMALS = 4  # 0.1 mm/s² and 0.1 mrad/s are below any such sensor's noise
NO_SIGNATURE = "0" * 64
TIMEOUT_S = 60
PASSING = (429, 500, 502, 503, 504)
KEY_REFUSED = (401, 403)


@dataclass
class Upload:
    """Outcome of an upload.

    Attributes:
        accepted: number of files that the service accepted now
        accepted_before: number of files that it had accepted in an earlier run
        refused: {file: reason}
    """

    accepted: int = 0
    accepted_before: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def export(
    strides: StrideSet,
    split: dict,
    folder: Path | str,
    *,
    file_format: str = "json",
    hmac_key: str | None = None,
    progress: bool = False,
) -> dict[str, int]:
    """Write each usable stride of the final split's people as one data-acquisition file.

    Files are in training/ (training and validation people) and testing/. They hold the samples from
    mid-stance to mid-stance in the canonical foot frame at their own rate; info.labels gives each file its
    length in cm as label, as text. The folder is complete or absent.

    Args:
        strides: strides and their signals
        split: data/split.json
        folder: the folder to write
        file_format: one of FORMATS
        hmac_key: signs the files; None: they say alg "none"
        progress: show a progress bar

    Returns:
        {category: number of files}

    Raises:
        ParameterError: if the format is unknown
        DataError: if no person of the split has a usable stride
    """
    if file_format not in FORMATS:
        raise ParameterError(f"format {file_format!r}: unknown; choose one of {', '.join(FORMATS)}")
    listed, counts = [], dict.fromkeys(CATEGORIES, 0)
    with atomic_folder(folder) as partial:
        for category, row, values, rate_hz in tqdm(
            list(_samples(strides, split)), "export", unit="stride", disable=not progress
        ):
            name = f"{row.stride_id.replace('/', '.')}.{file_format}"
            content = message(values, rate_hz, f"{row.dataset}/{row.subject}", file_format, hmac_key)
            write_bytes(partial / category / name, content)
            label = {"type": "label", "label": f"{row.stride_length_cm:.1f}"}
            listed.append({"path": f"{category}/{name}", "name": name, "category": category, "label": label})
            counts[category] += 1
        if not listed:
            raise DataError("data/split.json: no usable stride of its people; split again")
        write_json(partial / LABELS, {"version": 1, "files": listed})
    return counts


def _samples(strides: StrideSet, split: dict) -> Iterator[tuple]:
    """Yield (category, row of the table, samples [n, 6], rate_hz) of each stride to export."""
    for category, sides in CATEGORIES.items():
        people = [person for side in sides for person in split["final"][side]]
        rows = strides.table[strides.table["usable"] & subject_names(strides.table).isin(people)]
        signals = strides.signals.select(rows["stride_id"])
        for i, row in enumerate(rows.itertuples()):
            start, end = np.rint(signals.mid_stance[i]).astype(int) + signals.offset[i]
            chosen = slice(start, end + 1)
            yield (
                category,
                row,
                np.hstack([signals.acc_mps2[chosen], signals.gyr_radps[chosen]]),
                signals.rate_hz[i],
            )


def message(
    values: np.ndarray,
    rate_hz: float,
    device_name: str,
    file_format: str = "json",
    hmac_key: str | None = None,
) -> bytes:
    """Return the content of one data-acquisition file.

    Args:
        values: samples, [n, 6], in the order and units of SENSORS
        rate_hz: sampling rate
        device_name: name of the person
        file_format: one of FORMATS
        hmac_key: signs the file; None: it says alg "none"
    """
    content = {
        "protected": {"ver": "v1", "alg": "HS256" if hmac_key else "none"},
        "signature": NO_SIGNATURE,
        "payload": {
            "device_name": device_name,
            "device_type": DEVICE_TYPE,
            "interval_ms": _plain(1000 / rate_hz),
            "sensors": SENSORS,
            "values": [
                [_plain(value) for value in sample] for sample in values.astype(float).round(DECIMALS)
            ],
        },
    }
    unsigned = _encoded(content, file_format)
    if not hmac_key:
        return unsigned
    signature = hmac.new(hmac_key.encode(), unsigned, hashlib.sha256).hexdigest()
    return unsigned.replace(NO_SIGNATURE.encode(), signature.encode(), 1)


def _plain(value: float) -> float | int:
    """Return a whole number as int: JavaScript, which may encode the message again, writes 3.0 as 3."""
    return int(value) if float(value).is_integer() else float(value)


def _encoded(content: dict, file_format: str) -> bytes:
    if file_format == "json":
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
    return _optional("cbor2").dumps(content)


def upload(
    folder: Path | str,
    *,
    api_key: str,
    host: str = INGESTION_HOST,
    workers: int = 4,
    retries: int = 5,
    backoff_s: float = 1.0,
    progress: bool = False,
) -> Upload:
    """Send the files of an exported folder that the service has not accepted yet.

    The file <folder>.uploaded.jsonl beside the folder records which host accepted which file for which key
    (its hash), so that the next call sends the rest.

    Args:
        folder: folder that `export` wrote
        api_key: key of the project
        host: address of the ingestion service
        workers: files sent at once
        retries: number of retries after a lost connection, 429 or 5xx
        backoff_s: pause before the first retry, doubled each time, or as long as the service asks for
        progress: show a progress bar

    Returns:
        The outcome, with refused files.

    Raises:
        DataError: if the folder is not an export
        ServiceError: if the key is refused or the service cannot be reached
    """
    folder = Path(folder)
    files, record = _listed(folder), _Record(folder, host, api_key)
    todo = [file for file in files if not record.has(file["path"])]
    result = Upload(accepted_before=len(files) - len(todo))
    with _session(api_key, workers, retries, backoff_s) as session, ThreadPoolExecutor(workers) as pool:
        sent = {pool.submit(_send, session, host, folder, file): file["path"] for file in todo}
        try:
            for future in tqdm(as_completed(sent), "upload", len(sent), unit="file", disable=not progress):
                reason = future.result()
                if reason:
                    result.refused[sent[future]] = reason
                else:
                    record.add(sent[future])
                    result.accepted += 1
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    result.refused = dict(sorted(result.refused.items()))
    return result


def _listed(folder: Path) -> list[dict]:
    try:
        return read_json(folder / LABELS)["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder / LABELS}: is not a list of exported files; run tinystride edge-impulse export"
        ) from error


class _Record:
    """Files that a host accepted for a key, one line each, so that a killed upload loses nothing."""

    def __init__(self, folder: Path, host: str, api_key: str):
        self.folder = folder
        self.path = folder.with_name(f"{folder.name}.uploaded.jsonl")
        self.to = {"host": host, "key_sha256": hashlib.sha256(api_key.encode()).hexdigest()[:16]}
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        # The last line of a killed upload may be incomplete: its file is sent again.
        self.accepted = {line for line in lines if line.endswith("}")}

    def _line(self, path: str) -> str:
        digest = hashlib.sha256((self.folder / path).read_bytes()).hexdigest()
        return json.dumps({**self.to, "file": path, "sha256": digest})

    def has(self, path: str) -> bool:
        return self._line(path) in self.accepted

    def add(self, path: str) -> None:
        with open(self.path, "a") as file:
            file.write("\n" + self._line(path))


def _session(api_key: str, workers: int, retries: int, backoff_s: float) -> requests.Session:
    again = Retry(
        total=retries,
        backoff_factor=backoff_s,
        status_forcelist=PASSING,
        allowed_methods=None,
        raise_on_status=False,
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=workers, max_retries=again))
    session.headers.update({"x-api-key": api_key, "x-disallow-duplicates": "1"})
    return session


def _send(session: requests.Session, host: str, folder: Path, file: dict) -> str:
    """Send one file; return "" if the service has it now, else the reason why not."""
    path = folder / file["path"]
    headers = {
        "x-file-name": file["name"],
        "x-label": file["label"]["label"],
        "content-type": f"application/{path.suffix[1:]}",
    }
    address = f"{host.rstrip('/')}/api/{file['category']}/data"
    try:
        answer = session.post(address, data=path.read_bytes(), headers=headers, timeout=TIMEOUT_S)
    except requests.RequestException as error:
        raise ServiceError(
            f"{host}: cannot be reached ({type(error).__name__}); accepted files are recorded, run it again"
        ) from error
    if answer.status_code in KEY_REFUSED:
        raise ServiceError(
            f"{host}: refuses the API key ({answer.status_code}); set EI_API_KEY to the project's"
        )
    # If an answer was lost, the service has the file already.
    if answer.ok or "already exists" in answer.text:
        return ""
    return f"{answer.status_code} {answer.text.strip()[:200] or answer.reason}"


def profile(model: Path | str, *, api_key: str, device: str | None = None) -> dict:
    """Return the official package's estimate of a network's cost.

    Args:
        model: path of a .tflite
        api_key: key of the project
        device: name of a device; None: typical devices

    Raises:
        ServiceError: if the key is refused or the service fails
    """
    return _official(api_key, lambda package: package.model.profile(str(model), device=device).to_dict())


def deploy(model: Path | str, output: Path | str, *, api_key: str, target: str = "zip") -> None:
    """Have Edge Impulse make a library of a network, and write its archive.

    Args:
        model: path of a .tflite
        output: archive to write
        api_key: key of the project
        target: target of the official package

    Raises:
        ServiceError: if the key is refused or the service fails
    """

    def library(package: ModuleType) -> bytes:
        kind = package.model.output_type.Regression()
        return package.model.deploy(str(model), model_output_type=kind, deploy_target=target).getvalue()

    write_bytes(output, _official(api_key, library))


def _official(api_key: str, call: Callable[[Any], T]) -> T:
    """Return the result of a call of the official package; raise its errors as ServiceError in one line."""
    package: Any = _optional("edgeimpulse")
    package.API_KEY = api_key
    try:
        return call(package)
    except Exception as error:  # the package, its client and its transport raise many kinds of errors
        status = getattr(error, "status", None)
        reason = f"{status} {getattr(error, 'reason', '')}" if status else str(error) or type(error).__name__
        remedy = "set EI_API_KEY to the project's key" if status in KEY_REFUSED else "run it again"
        raise ServiceError(f"Edge Impulse: {reason}; {remedy}") from error


def _optional(name: str) -> ModuleType:
    with extra("edge-impulse"):
        module = import_module(name)
    return module


@overload
def key_from(variable: str, *, needed: Literal[True]) -> str: ...


@overload
def key_from(variable: str, *, needed: bool = False) -> str | None: ...


def key_from(variable: str, *, needed: bool = False) -> str | None:
    """Return a secret from the environment.

    Args:
        variable: name of the environment variable
        needed: whether a missing variable is an error

    Raises:
        ParameterError: if it is needed and missing
    """
    key = os.environ.get(variable)
    if needed and not key:
        raise ParameterError(f"{variable} is not set; export the key of your Edge Impulse project under it")
    return key
