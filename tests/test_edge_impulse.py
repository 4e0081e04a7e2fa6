"""Export, and upload to a server that checks, refuses and fails as the ingestion service does."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cbor2
import numpy as np
import pytest

from tests.learning.walking import walk
from tinystride import edge_impulse
from tinystride.errors import DataError, MissingExtraError, ParameterError, ServiceError
from tinystride.gait.strides import StrideSet

HMAC_KEY, API_KEY = "fed53116f20684c067774ebf9e7bcbdc", "ei_1234"
SPLIT = {"final": {"train": ["line/1"], "validation": ["line/2"], "test": ["belt/1"]}}
FAST = {"api_key": API_KEY, "backoff_s": 0.01, "retries": 3}


@pytest.fixture(scope="module")
def strides() -> StrideSet:
    table, signals = walk({"line/1": 3, "line/2": 2, "belt/1": 3, "other/1": 2})
    table.loc[2, "usable"] = False
    return StrideSet(table, signals)


@pytest.fixture
def exported(strides, tmp_path):
    edge_impulse.export(strides, SPLIT, tmp_path / "strides", hmac_key=HMAC_KEY)
    return tmp_path / "strides"


class Ingestion(ThreadingHTTPServer):
    """stored: {(category, name): (label, content)}; complaints: what a request got wrong; requests: by name;
    answers: {name: statuses to give in turn before the file is stored}
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), IngestionHandler)
        self.stored, self.complaints, self.requests, self.answers = {}, [], Counter(), {}
        self.at_once, self.max_at_once, self.lock = 0, 0, threading.Lock()
        self.host = f"http://127.0.0.1:{self.server_port}"


class IngestionHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        server, body = self.server, self.rfile.read(int(self.headers["content-length"]))
        with server.lock:
            server.at_once += 1
            server.max_at_once = max(server.max_at_once, server.at_once)
        time.sleep(0.02)
        with server.lock:
            server.at_once -= 1
            status, text = self.answer_to(body)
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        """Refuse every request to the API of projects."""
        self.send_error(401)

    def answer_to(self, body: bytes) -> tuple[int, str]:
        path = re.fullmatch("/api/(training|testing)/data", self.path)
        name, label = self.headers["x-file-name"], self.headers["x-label"]
        self.server.requests[name] += 1
        if not path or self.headers["x-disallow-duplicates"] != "1":
            self.server.complaints.append(self.path)
        if self.headers["x-api-key"] != API_KEY:
            return 401, "Invalid API key"
        if self.server.answers.get(name):
            return self.server.answers[name].pop(0), "no"
        if (path[1], name) in self.server.stored:
            return 400, "An item with this hash already exists (ids: 1)"
        self.server.complaints += complaints(body, self.headers["content-type"])
        self.server.stored[path[1], name] = label, body
        return 200, name

    def log_message(self, *_):
        """Print nothing: the test reports what is wrong."""


def complaints(body: bytes, content_type: str) -> list[str]:
    """Return the parts of a file that break the format, its signature included."""
    decode = {"application/json": json.loads, "application/cbor": cbor2.loads}[content_type]
    content, found = decode(body), []
    if content["protected"] != {"ver": "v1", "alg": "HS256"}:
        found.append("protected")
    unsigned = body.replace(content["signature"].encode(), b"0" * 64)
    if hmac.new(HMAC_KEY.encode(), unsigned, hashlib.sha256).hexdigest() != content["signature"]:
        found.append("signature")
    payload = content["payload"]
    if set(payload) != {"device_name", "device_type", "interval_ms", "sensors", "values"}:
        found.append("payload")
    if [sensor["name"] for sensor in payload["sensors"]] != ["accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ"]:
        found.append("sensors")
    if not payload["interval_ms"] > 0 or {len(sample) for sample in payload["values"]} != {6}:
        found.append("values")
    return found


@pytest.fixture
def server():
    with Ingestion() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def contents(folder) -> dict:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_export_training_and_test_people_stay_separate(exported):
    listed = json.loads((exported / "info.labels").read_text())["files"]
    assert {file["path"] for file in listed} | {"info.labels"} == set(contents(exported))
    people = {category: set() for category in ("training", "testing")}
    for file in listed:
        people[file["category"]].add(
            json.loads((exported / file["path"]).read_bytes())["payload"]["device_name"]
        )
    assert people == {"training": {"line/1", "line/2"}, "testing": {"belt/1"}}
    assert Counter(file["category"] for file in listed) == {"training": 4, "testing": 3}


def test_export_file_holds_samples_and_length_of_its_stride(strides, exported):
    listed = {file["name"]: file for file in json.loads((exported / "info.labels").read_text())["files"]}
    row = strides.table.iloc[5]
    file = listed[row["stride_id"].replace("/", ".") + ".json"]
    assert file["label"] == {"type": "label", "label": f"{row['stride_length_cm']:.1f}"}
    payload = json.loads((exported / file["path"]).read_bytes())["payload"]
    start, end = np.rint(strides.signals.mid_stance[5]).astype(int) + strides.signals.offset[5]
    acc_mps2 = strides.signals.acc_mps2[start : end + 1]
    np.testing.assert_allclose(np.array(payload["values"])[:, :3], acc_mps2, atol=6e-5)
    assert payload["interval_ms"] == 10


@pytest.mark.parametrize("file_format", ["json", "cbor"])
def test_export_of_equal_strides_gives_equal_bytes(strides, tmp_path, file_format):
    for name in "ab":
        edge_impulse.export(strides, SPLIT, tmp_path / name, file_format=file_format, hmac_key=HMAC_KEY)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_export_without_a_key_is_marked_unsigned(strides, tmp_path):
    edge_impulse.export(strides, SPLIT, tmp_path / "strides")
    content = json.loads(next((tmp_path / "strides" / "testing").iterdir()).read_bytes())
    assert content["protected"]["alg"] == "none" and content["signature"] == "0" * 64


@pytest.mark.parametrize("file_format", ["json", "cbor"])
def test_upload_sends_every_file_in_the_services_format(strides, tmp_path, server, file_format):
    folder = tmp_path / "strides"
    edge_impulse.export(strides, SPLIT, folder, file_format=file_format, hmac_key=HMAC_KEY)
    done = edge_impulse.upload(folder, host=server.host, **FAST)
    assert (done.accepted, done.accepted_before, done.refused) == (7, 0, {})
    assert server.complaints == []
    listed = json.loads((folder / "info.labels").read_text())["files"]
    assert server.stored == {
        (file["category"], file["name"]): (file["label"]["label"], (folder / file["path"]).read_bytes())
        for file in listed
    }


def test_upload_of_accepted_files_sends_nothing_again(strides, exported, server):
    edge_impulse.upload(exported, host=server.host, **FAST)
    again = edge_impulse.upload(exported, host=server.host, **FAST)
    assert (again.accepted, again.accepted_before) == (0, 7) and server.requests.total() == 7
    edge_impulse.export(strides, SPLIT, exported, hmac_key="another key")
    server.stored.clear()
    assert edge_impulse.upload(exported, host=server.host, **FAST).accepted == 7


def test_upload_of_files_the_service_has_counts_them_as_accepted(exported, server):
    edge_impulse.upload(exported, host=server.host, **FAST)
    exported.with_name("strides.uploaded.jsonl").unlink()
    assert edge_impulse.upload(exported, host=server.host, **FAST).accepted == 7


def test_upload_record_with_an_incomplete_line_resends_one_file(exported, server):
    edge_impulse.upload(exported, host=server.host, **FAST)
    record = exported.with_name("strides.uploaded.jsonl")
    record.write_text(record.read_text()[:-20])
    again = edge_impulse.upload(exported, host=server.host, **FAST)
    assert (again.accepted, again.accepted_before) == (1, 6)
    assert edge_impulse.upload(exported, host=server.host, **FAST).accepted_before == 7


@pytest.mark.parametrize("statuses", [[429], [500, 503], [429, 502, 500]])
def test_upload_after_a_temporary_error_is_retried(exported, server, statuses):
    server.answers = {"belt.1.walk.right.0005.json": list(statuses)}
    done = edge_impulse.upload(exported, host=server.host, **FAST)
    assert done.accepted == 7 and server.requests["belt.1.walk.right.0005.json"] == len(statuses) + 1


@pytest.mark.parametrize(("statuses", "sent"), [([413], 1), ([400], 1), ([500] * 4, 4)])
def test_upload_of_a_refused_file_reports_it_and_sends_it_next_time(exported, server, statuses, sent):
    name = "belt.1.walk.right.0005.json"
    server.answers = {name: list(statuses)}
    done = edge_impulse.upload(exported, host=server.host, **FAST)
    assert done.refused == {f"testing/{name}": f"{statuses[-1]} no"}
    assert done.accepted == 6 and server.requests[name] == sent
    again = edge_impulse.upload(exported, host=server.host, **FAST)
    assert (again.accepted, again.accepted_before, again.refused) == (1, 6, {})


def test_upload_with_a_wrong_key_ends_at_once(exported, server):
    with pytest.raises(ServiceError, match=r"refuses the API key \(401\); set EI_API_KEY"):
        edge_impulse.upload(exported, host=server.host, **FAST | {"api_key": "wrong"}, workers=1)
    assert server.requests.total() <= 2 and not server.stored


def test_upload_to_an_unreachable_host_keeps_the_record(exported, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(ServiceError, match="cannot be reached"):
        edge_impulse.upload(exported, host=server.host, **FAST)


def test_upload_sends_no_more_files_at_once_than_allowed(exported, server):
    edge_impulse.upload(exported, host=server.host, **FAST, workers=2)
    assert server.max_at_once == 2


def test_export_and_upload_of_wrong_input_are_refused(strides, tmp_path, server):
    with pytest.raises(ParameterError, match="format 'xml'"):
        edge_impulse.export(strides, SPLIT, tmp_path / "a", file_format="xml")
    unknown = {"final": {"train": [], "validation": [], "test": ["line/9"]}}
    with pytest.raises(DataError, match="usable stride"):
        edge_impulse.export(strides, unknown, tmp_path / "a")
    with pytest.raises(DataError, match="run tinystride edge-impulse export"):
        edge_impulse.upload(tmp_path / "a", host=server.host, **FAST)
    assert not list(tmp_path.iterdir())


def tinystride(*arguments, **environment) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EI_")}
    command = [sys.executable, "-m", "tinystride", "edge-impulse", *map(str, arguments)]
    return subprocess.run(command, env=kept | environment, capture_output=True, text=True)


def test_upload_command_reports_refused_files(exported, server):
    server.answers = {"belt.1.walk.right.0005.json": [413]}
    done = tinystride("upload", exported, "--host", server.host, EI_API_KEY=API_KEY)
    assert done.returncode == 1 and done.stdout == "6 accepted, 0 accepted before, 1 refused\n"
    assert "refused: testing/belt.1.walk.right.0005.json: 413 no\n" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: 1 files were refused")
    again = tinystride("upload", exported, EI_API_KEY=API_KEY, EI_INGESTION_ENDPOINT=server.host)
    assert again.returncode == 0 and again.stdout == "1 accepted, 6 accepted before, 0 refused\n"
    assert API_KEY not in exported.with_name("strides.uploaded.jsonl").read_text()


@pytest.mark.parametrize(
    "action", [("upload", "x"), ("profile", "m.tflite"), ("deploy", "m.tflite", "out.zip")]
)
def test_command_without_its_key_names_the_variable(action):
    done = tinystride(*action)
    assert done.returncode == 1
    assert done.stderr.startswith("error: EI_API_KEY is not set") and done.stderr.count("\n") == 1


def test_official_package_error_is_one_line(server, tmp_path):
    model = tmp_path / "model.tflite"
    model.write_bytes(b"TFL3")
    done = tinystride("profile", model, EI_API_KEY="wrong", EI_API_ENDPOINT=f"{server.host}/v1")
    assert done.returncode == 1
    assert (
        done.stderr.splitlines()[-1]
        == "error: Edge Impulse: 401 Unauthorized; set EI_API_KEY to the project's key"
    )


def test_missing_package_error_names_the_extra(monkeypatch, strides, tmp_path):
    for name in ("edgeimpulse", "cbor2"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        MissingExtraError, match=r"edgeimpulse is not installed; run: pip install 'tinystride\[edge"
    ):
        edge_impulse.profile("m.tflite", api_key=API_KEY)
    with pytest.raises(MissingExtraError, match="cbor2 is not installed"):
        edge_impulse.export(strides, SPLIT, tmp_path / "a", file_format="cbor")
