"""The download, from folders and from a server on this machine that can fail."""

import errno
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tinystride.datasets import catalogue
from tinystride.datasets import download as module
from tinystride.datasets.catalogue import CATALOGUE, Dataset, licence_notice, read_hashes
from tinystride.datasets.download import download
from tinystride.datasets.loading import load_recordings
from tinystride.errors import DataError, ParameterError, UnreachableError

COUNT = 20
NOWHERE = "http://127.0.0.1:1"  # nothing listens there


def contents(name: str) -> dict[str, bytes]:
    return {f"GaitData/{name} {k}+.txt": f"{name} {k}\n".encode() * 2000 for k in range(COUNT)}


@pytest.fixture(autouse=True)
def small_sets(monkeypatch):
    """Two public sets of small files in place of the real ones, and an upstream that does not answer."""
    for name in ("ipol-healthy", "llio-ruler"):
        files = tuple((path, hashlib.sha256(data).hexdigest()) for path, data in contents(name).items())
        entry = Dataset(name, "public", "MIT", "nobody", "owner", name, "commit", files=files)
        monkeypatch.setitem(catalogue.CATALOGUE, name, entry)
    monkeypatch.setattr(module, "UPSTREAM", NOWHERE)
    monkeypatch.setattr(module, "PAUSE_S", 0.01)


@pytest.fixture
def mirror(tmp_path) -> Path:
    """A folder that holds both sets, laid out like the upstream host."""
    return write_mirror(tmp_path / "mirror", ["ipol-healthy", "llio-ruler"])


def write_mirror(folder: Path, names: list[str]) -> Path:
    for name in names:
        for path, data in contents(name).items():
            target = folder / CATALOGUE[name].location(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    return folder


class Server:
    """Serves a folder.

    faults: end of a path to what goes wrong with it, one after the other; delay_s: before every answer
    """

    def __init__(self, folder: Path):
        self.faults: dict[str, list[str]] = {}
        self.delay_s = 0.0
        self.asked: list[str] = []
        self.busy = self.max_busy = 0
        self.lock = threading.Lock()
        server = self

        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=str(folder))

            def log_message(self, *args):
                pass

            def do_GET(self):
                with server.lock:
                    path = self.translate_path(self.path).removeprefix(str(folder))
                    server.asked.append(path.lstrip("/"))
                    server.busy += 1
                    server.max_busy = max(server.max_busy, server.busy)
                    faults = next((f for end, f in server.faults.items() if path.endswith(end)), [])
                    fault = faults.pop(0) if faults else ""
                time.sleep(server.delay_s)
                self.answer(fault)
                with server.lock:
                    server.busy -= 1

            def answer(self, fault):
                if fault == "500":
                    return self.send_error(500)
                if fault in ("truncated", "wrong"):
                    data = Path(self.translate_path(self.path)).read_bytes()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    return self.wfile.write(data[: len(data) // 2] if fault == "truncated" else data[::-1])
                if fault == "closed":
                    return self.connection.close()
                if fault == "silent":
                    return time.sleep(3)
                return super().do_GET()

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server(mirror):
    server = Server(mirror)
    yield server
    server.http.shutdown()
    server.http.server_close()


def fetch(raw, *mirrors, names=("ipol-healthy", "llio-ruler"), when_unreachable="fail", **options) -> dict:
    return download(
        list(names), raw, mirrors=list(mirrors), when_unreachable=when_unreachable, progress=False, **options
    )


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def assert_whole(raw: Path, names=("ipol-healthy", "llio-ruler")) -> None:
    expected = {f"{name}/{path}": data for name in names for path, data in contents(name).items()}
    found = files_below(raw)
    assert json.loads(found.pop("sources.json"))["source"] == "recorded"
    assert found == expected
    assert [path.name for path in raw.parent.iterdir() if "partial" in path.name] == []


def assert_nothing_looks_complete(raw: Path) -> None:
    """Check that there is no final folder, and that files of the hidden one have the right bytes."""
    assert not raw.exists()
    right = {f"{name}/{path}": data for name in CATALOGUE for path, data in contents(name).items()}
    for path, data in files_below(raw.with_name(f".{raw.name}.partial")).items():
        assert data == right[path]


def test_download_from_every_base_gives_the_same_folder(tmp_path, mirror, server, monkeypatch):
    sources = [
        fetch(tmp_path / "a", mirror),
        fetch(tmp_path / "b", server.url),
        fetch(tmp_path / "c", str(mirror), server.url + "/"),
    ]
    monkeypatch.setattr(module, "UPSTREAM", server.url)
    sources.append(fetch(tmp_path / "d"))
    folders = [files_below(tmp_path / name) for name in "abcd"]
    assert all(one == folders[0] for one in folders) and all(one == sources[0] for one in sources)
    assert_whole(tmp_path / "a")
    assert sources[0]["datasets"]["llio-ruler"] == {
        "source": "recorded",
        "repository": "owner/llio-ruler",
        "commit": "commit",
        "licence": "MIT",
        "citation": "nobody",
        "files": COUNT,
    }


def test_download_replaces_an_older_folder(tmp_path, mirror):
    fetch(tmp_path / "raw", mirror)
    fetch(tmp_path / "raw", mirror, names=["llio-ruler"])
    assert_whole(tmp_path / "raw", ["llio-ruler"])


def test_download_runs_transfers_in_parallel(tmp_path, server):
    server.delay_s = 0.05
    fetch(tmp_path / "raw", server.url)
    assert server.max_busy >= 4
    assert_whole(tmp_path / "raw")


@pytest.mark.parametrize("fault", ["500", "truncated", "closed"])
def test_download_after_a_temporary_fault_tries_again(tmp_path, server, fault):
    server.faults = {" 0+.txt": [], " 7+.txt": [fault], " 9+.txt": [fault, fault]}
    fetch(tmp_path / "raw", server.url)
    assert_whole(tmp_path / "raw")


@pytest.mark.parametrize("fault", ["500", "truncated", "closed"])
def test_download_with_a_lasting_fault_ends_and_the_next_run_resumes(tmp_path, server, fault):
    server.faults = {"llio-ruler 19+.txt": [fault] * 99}
    with pytest.raises(UnreachableError, match=r"llio-ruler 19\+\.txt cannot be downloaded .* run it again"):
        fetch(tmp_path / "raw", server.url)
    assert_nothing_looks_complete(tmp_path / "raw")
    kept = len(files_below(tmp_path / ".raw.partial"))
    assert kept >= COUNT
    server.faults, server.asked = {}, []
    fetch(tmp_path / "raw", server.url)
    assert len(server.asked) == 2 * COUNT - kept
    assert_whole(tmp_path / "raw")


def test_download_of_a_failing_base_continues_with_the_next(tmp_path, server, mirror):
    server.faults = {"ipol-healthy 5+.txt": ["500"] * 99}
    next(mirror.rglob("llio-ruler 3+.txt")).rename(tmp_path / "elsewhere")
    complete = write_mirror(tmp_path / "complete", ["ipol-healthy", "llio-ruler"])
    fetch(tmp_path / "raw", server.url, mirror, complete)
    assert_whole(tmp_path / "raw")


def test_download_takes_sets_from_different_bases(tmp_path):
    one = write_mirror(tmp_path / "one", ["ipol-healthy"])
    other = write_mirror(tmp_path / "other", ["llio-ruler"])
    fetch(tmp_path / "raw", NOWHERE, one, tmp_path / "not there", other)
    assert_whole(tmp_path / "raw")


@pytest.mark.parametrize("number", [0, 11])
def test_download_of_wrong_bytes_from_a_server_is_refused(tmp_path, server, number):
    server.faults = {f"llio-ruler {number}+.txt": ["wrong"] * 99}
    with pytest.raises(
        DataError, match=rf"llio-ruler%20{number}%2B\.txt: its SHA-256 differs from the catalogue's"
    ):
        fetch(tmp_path / "raw", server.url)
    assert_nothing_looks_complete(tmp_path / "raw")


def test_download_of_wrong_bytes_from_a_folder_is_refused(tmp_path, mirror):
    damaged = next(mirror.rglob("ipol-healthy 3+.txt"))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(DataError) as caught:
        fetch(tmp_path / "raw", mirror)
    assert str(caught.value).startswith(f"{damaged}: its SHA-256") and "\n" not in str(caught.value)
    assert_nothing_looks_complete(tmp_path / "raw")


def test_download_after_an_interrupted_run_replaces_damaged_bytes(tmp_path, server):
    server.faults = {"llio-ruler 19+.txt": ["500"] * 99}
    with pytest.raises(UnreachableError):
        fetch(tmp_path / "raw", server.url)
    next((tmp_path / ".raw.partial").rglob("*4+.txt")).write_text("cut o")
    (tmp_path / ".raw.partial" / "llio-ruler" / "stray.txt").write_text("left by another run")
    (tmp_path / ".raw.partial" / "other-set").mkdir()
    server.faults = {}
    fetch(tmp_path / "raw", server.url)
    assert_whole(tmp_path / "raw")


@pytest.mark.parametrize("base", ["closed port", "silent server", "missing folder", "empty folder"])
def test_download_without_a_network_ends_quickly(tmp_path, server, monkeypatch, base):
    monkeypatch.setattr(module, "READ_TIMEOUT_S", 0.3)
    server.faults = {".txt": ["silent"] * 99}
    (tmp_path / "empty").mkdir()
    bases = {
        "closed port": NOWHERE,
        "silent server": server.url,
        "missing folder": tmp_path / "missing",
        "empty folder": tmp_path / "empty",
    }
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="ipol-healthy, llio-ruler: cannot be reached at any base; "):
        fetch(tmp_path / "raw", bases[base])
    assert time.monotonic() - started < 5
    assert len(server.asked) <= 1
    assert_nothing_looks_complete(tmp_path / "raw")


def test_download_with_nothing_reachable_warns_and_simulates(tmp_path):
    with pytest.warns(UserWarning, match="NO RECORDED DATA: ipol-healthy, llio-ruler .* SIMULATED"):
        sources = fetch(
            tmp_path / "raw", when_unreachable="simulate", simulated={"subjects": 1, "strides": 5}, seed=7
        )
    assert sources["source"] == "simulated" and list(sources["datasets"]) == ["simulated"]
    assert sources == json.loads((tmp_path / "raw" / "sources.json").read_text())
    assert {path.name for path in (tmp_path / "raw").iterdir()} == {"simulated", "sources.json"}
    assert {recording.dataset for recording in load_recordings(tmp_path / "raw")} == {"simulated"}


def test_download_of_simulated_walks_has_equal_bytes(tmp_path):
    for name in "ab":
        fetch(tmp_path / name, names=["simulated"], simulated={"subjects": 1, "strides": 5}, seed=7)
    assert files_below(tmp_path / "a") == files_below(tmp_path / "b")


@pytest.mark.parametrize("when_unreachable", ["simulate", "fail"])
def test_download_of_a_missing_set_names_it_and_does_not_simulate(tmp_path, when_unreachable):
    one = write_mirror(tmp_path / "one", ["ipol-healthy"])
    with pytest.raises(UnreachableError, match=r"^llio-ruler: cannot be reached .* remove it from the list"):
        fetch(tmp_path / "raw", one, when_unreachable=when_unreachable)
    assert_nothing_looks_complete(tmp_path / "raw")


def test_download_of_recorded_and_simulated_sets_counts_as_simulated(tmp_path, mirror):
    names = ["llio-ruler", "simulated"]
    sources = fetch(tmp_path / "raw", mirror, names=names, simulated={"subjects": 1, "strides": 5})
    assert sources["source"] == "simulated"
    assert [entry["source"] for entry in sources["datasets"].values()] == ["recorded", "simulated"]


def test_download_of_tripod_copies_needed_files_only(tmp_path, built_tripod):
    (built_tripod / "Sub_AB" / "PWS" / "video.mp4").write_bytes(b"large")
    sources = fetch(tmp_path / "raw", names=["tripod"], tripod_folder=built_tripod)
    assert sources["datasets"]["tripod"]["files"] == 2 + 3 * 3
    assert not list((tmp_path / "raw").rglob("video.mp4"))
    assert len(list(load_recordings(tmp_path / "raw"))) == 6


def test_download_of_an_incomplete_tripod_folder_is_refused(tmp_path, built_tripod):
    missing = built_tripod / "Sub_AB" / "PWS" / "OptoGait" / "optogait.csv"
    missing.unlink()
    with pytest.raises(DataError, match=r"optogait\.csv: is missing"):
        fetch(tmp_path / "raw", names=["tripod"], tripod_folder=built_tripod)
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"names": ["tripod"]}, "set TINYSTRIDE_TRIPOD"),
        (
            {"names": ["ipol"]},
            "unknown data set 'ipol': choose from gaitmap-mocap, ipol-healthy, llio-ruler, llio-ruler-2, "
            "simulated",
        ),
        ({"names": ["tripod", "tripod-excerpt"]}, "tripod-excerpt is a part of tripod"),
        ({"names": []}, "no data set is named"),
        ({"when_unreachable": "ignore"}, "when_unreachable is 'ignore': choose simulate or fail"),
        ({"names": ["simulated"], "simulated": {"subjects": 0}}, "subjects"),
    ],
)
def test_download_with_wrong_parameters_is_refused(tmp_path, mirror, options, rule):
    with pytest.raises(ParameterError, match=rule):
        fetch(tmp_path / "raw", mirror, **options)
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "..", "", "a\\..\\x", "C:/x", "a/.."])
def test_dataset_with_a_path_outside_the_folder_is_refused(path):
    with pytest.raises(DataError, match="correct the catalogue"):
        Dataset("bad", "public", "MIT", "nobody", files=((path, "0" * 64),))


def test_dataset_without_hashes_is_refused():
    with pytest.raises(DataError, match="has no SHA-256"):
        Dataset("bad", "public", "MIT", "nobody", files=read_hashes("abc  file.txt\n"))


@contextmanager
def limited_file_size(size: int):
    """Limit the files of this process to `size` bytes: writes fail as on a full disk."""
    old, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (old, hard))


@pytest.mark.parametrize("over_http", [True, False])
def test_download_to_a_full_disk_leaves_no_complete_folder(tmp_path, mirror, server, over_http):
    base = server.url if over_http else mirror
    with limited_file_size(10_000), pytest.raises(OSError) as caught:
        fetch(tmp_path / "raw", base)
    assert caught.value.errno == errno.EFBIG
    assert_nothing_looks_complete(tmp_path / "raw")
    fetch(tmp_path / "raw", base)
    assert_whole(tmp_path / "raw")


def test_download_to_a_read_only_folder_is_an_os_error(mirror):
    with pytest.raises(OSError):
        fetch(Path("/proc/tinystride/raw"), mirror)


KILLED = """
import hashlib, signal, sys
# A shell that starts tests in the background lets them inherit that SIGINT is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv[3])
import test_download
from tinystride.datasets.catalogue import CATALOGUE, Dataset
for name in ("ipol-healthy", "llio-ruler"):
    files = tuple((p, hashlib.sha256(d).hexdigest()) for p, d in test_download.contents(name).items())
    CATALOGUE[name] = Dataset(name, "public", "MIT", "nobody", "owner", name, "commit", files=files)
test_download.fetch(sys.argv[1], sys.argv[2])
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_download_after_a_killed_run_resumes_to_the_same_folder(tmp_path, server, how):
    server.delay_s = 1.0
    here = os.path.dirname(__file__)
    command = [sys.executable, "-c", KILLED, str(tmp_path / "raw"), server.url, here]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while len(server.asked) < COUNT:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(how)
    assert process.wait(timeout=600) != 0
    assert not (tmp_path / "raw").exists()
    server.delay_s, server.asked = 0.0, []
    fetch(tmp_path / "raw", server.url)
    assert len(server.asked) < 2 * COUNT
    assert_whole(tmp_path / "raw")


def test_catalogue_entries_are_complete():
    for name, count in (
        ("gaitmap-mocap", 4),
        ("ipol-healthy", 332),
        ("llio-ruler", 31),
        ("llio-ruler-2", 37),
        ("tripod-excerpt", 12),
        ("vicon", 43),
    ):
        files = catalogue._public(name, licence="", citation="").files
        assert len(files) == len(set(files)) == count
    notice = licence_notice(list(CATALOGUE))
    for entry in CATALOGUE.values():
        assert f"{entry.name}: {entry.licence}\n  cite: {entry.citation}" in notice
