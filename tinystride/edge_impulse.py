"""Strides to Edge Impulse: data-acquisition files, their upload, and the official package's cost estimates.

File format, signature and ingestion service: https://docs.edgeimpulse.com (data acquisition format, ingestion
API). A file's signature is the HMAC-SHA256 of its bytes with 64 zeros in the signature's place. No time is
written into it, so that equal strides give equal bytes.
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
LABELS = "info.labels"  # of Edge Impulse's own exporter: its uploader takes the folder as it is, too
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
    """What became of a folder's files: how many the service took, now and before, and {file: why not}."""

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

    Files lie in training/ (train and validation) and testing/, samples from mid-stance to mid-stance in the
    canonical foot frame at their native rate; info.labels gives each its length in cm as label, as text.
    file_format: of FORMATS; hmac_key: signs the files; without one they say alg "none"
    Returns {category: number of files}. The folder is complete or absent.
    Raises ParameterError, and DataError if nobody has a usable stride.
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
            raise DataError("data/split.json: none of its people has a usable stride; split again")
        write_json(partial / LABELS, {"version": 1, "files": listed})
    return counts


def _samples(strides: StrideSet, split: dict) -> Iterator[tuple]:
    """(category, row of the table, samples [n, 6], rate_hz) of each stride to export."""
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
    """One file: samples [n, 6] of SENSORS at rate_hz, signed if there is a key."""
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
    """Whole numbers as such: JavaScript, which may encode the message again, writes 3.0 as 3."""
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
    """Send the files of an exported folder that this project has not accepted yet.

    workers: files on their way at once; retries, backoff_s: after a lost connection, 429 or 5xx, with twice
        the pause each time, or as long as the service asks for
    Beside the folder, <folder>.uploaded.jsonl keeps what was accepted by which host for which key (its hash),
    so that the next call sends the rest. A file that is refused stands in the result.
    Raises DataError if the folder is no export, ServiceError for a refused key or a service out of reach.
    """
    folder = Path(folder)
    files, record = _listed(folder), _Record(folder, host, api_key)
    todo = [file for file in files if not record.has(file["path"])]
    result = Upload(accepted_before=len(files) - len(todo))
    with _session(api_key, workers, retries, backoff_s) as session, ThreadPoolExecutor(workers) as pool:
        sent = {pool.submit(_send, session, host, folder, file): file["path"] for file in todo}
        try:
            for future in tqdm(as_completed(sent), "upload", len(sent), unit="file", disable=not progress):
                why_not = future.result()
                if why_not:
                    result.refused[sent[future]] = why_not
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
            f"{folder / LABELS}: no list of exported files; run tinystride edge-impulse export"
        ) from error


class _Record:
    """What a host has accepted for a key, line by line, so that a killed upload loses nothing."""

    def __init__(self, folder: Path, host: str, api_key: str):
        self.folder = folder
        self.path = folder.with_name(f"{folder.name}.uploaded.jsonl")
        self.to = {"host": host, "key_sha256": hashlib.sha256(api_key.encode()).hexdigest()[:16]}
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        # A line of a killed upload may be cut short: its file is sent again, and the next line begins anew.
        self.known = {line for line in lines if line.endswith("}")}

    def _line(self, path: str) -> str:
        digest = hashlib.sha256((self.folder / path).read_bytes()).hexdigest()
        return json.dumps({**self.to, "file": path, "sha256": digest})

    def has(self, path: str) -> bool:
        return self._line(path) in self.known

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
    """Send one file; "" if the service has it now, else why not."""
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
            f"{host}: cannot be reached ({type(error).__name__}); what it has accepted is kept, run it again"
        ) from error
    if answer.status_code in KEY_REFUSED:
        raise ServiceError(
            f"{host}: refuses the API key ({answer.status_code}); set EI_API_KEY to the project's"
        )
    # After an answer that was lost on its way the file is there already.
    if answer.ok or "already exists" in answer.text:
        return ""
    return f"{answer.status_code} {answer.text.strip()[:200] or answer.reason}"


def profile(model: Path | str, *, api_key: str, device: str | None = None) -> dict:
    """What the official package estimates that a .tflite costs, on a device or on typical ones."""
    return _official(api_key, lambda package: package.model.profile(str(model), device=device).to_dict())


def deploy(model: Path | str, output: Path | str, *, api_key: str, target: str = "zip") -> None:
    """Have Edge Impulse make a library of a .tflite for a target, and write that archive to `output`."""

    def library(package: ModuleType) -> bytes:
        kind = package.model.output_type.Regression()
        return package.model.deploy(str(model), model_output_type=kind, deploy_target=target).getvalue()

    write_bytes(output, _official(api_key, library))


def _official(api_key: str, call: Callable[[Any], T]) -> T:
    """The result of a call of the official package, whose errors end in one line."""
    package: Any = _optional("edgeimpulse")
    package.API_KEY = api_key
    try:
        return call(package)
    except Exception as error:  # what the package raises is its own, its client's or its transport's
        status = getattr(error, "status", None)
        why = f"{status} {getattr(error, 'reason', '')}" if status else str(error) or type(error).__name__
        remedy = "set EI_API_KEY to the project's key" if status in KEY_REFUSED else "run it again"
        raise ServiceError(f"Edge Impulse: {why}; {remedy}") from error


def _optional(name: str) -> ModuleType:
    with extra("edge-impulse"):
        module = import_module(name)
    return module


@overload
def key_from(variable: str, *, needed: Literal[True]) -> str: ...


@overload
def key_from(variable: str, *, needed: bool = False) -> str | None: ...


def key_from(variable: str, *, needed: bool = False) -> str | None:
    """A secret from the environment. Raises ParameterError if it is needed and missing."""
    key = os.environ.get(variable)
    if needed and not key:
        raise ParameterError(f"{variable} is not set; export the key of your Edge Impulse project under it")
    return key
