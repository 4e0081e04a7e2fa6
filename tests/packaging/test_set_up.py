"""The set-up by `make` before anything is installed; failures are one line that names the remedy."""

import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"
SUPPORTED = sys.version_info[:2] in {(3, 11), (3, 12), (3, 13)}


def run(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True
    )


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def tools(tmp_path) -> Path:
    """A folder with the programs that the scripts call, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("sh", "dirname", "mkdir", "tail", "touch", "cat", "env", "make", "rm"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def old_python(folder: Path) -> Path:
    """Create a Python that reports version 3.10."""
    lie = "import sys; sys.version_info = (3, 10, 0, 'final', 0); exec(sys.argv[2])"
    return program(folder / "python3", f'#!/bin/sh\nexec {sys.executable} -c "{lie}" "$@"\n')


@pytest.mark.skipif(not SUPPORTED, reason="the tests themselves run on an unsupported Python")
def test_find_python_broken_interpreter_is_skipped(tools, tmp_path):
    program(tmp_path / "shims" / "python3.13", "#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    path = f"{tmp_path}/shims:{tmp_path}/bin:{tools}"
    found = run(TOOLS / "find_python.sh", cwd=tmp_path, PATH=path, HOME=str(tmp_path))
    assert found.returncode == 0, found.stderr
    assert Path(found.stdout.strip()).exists() and found.stderr == ""


def test_find_python_no_supported_version_is_one_line(tools, tmp_path):
    old_python(tmp_path / "bin")
    done = run(TOOLS / "find_python.sh", cwd=tmp_path, PATH=f"{tmp_path}/bin:{tools}", HOME=str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "error: no supported Python found (there is 3.10); install Python 3.11, 3.12 or 3.13"
    )


def test_make_unsupported_python_is_rejected_and_writes_nothing(tools, tmp_path):
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("Makefile", "pyproject.toml", "setup.py", "requirements.lock"):
        shutil.copy(ROOT / name, checkout)
    shutil.copytree(TOOLS, checkout / "tools")
    done = run(
        "make", "run", f"PYTHON={old_python(tmp_path / 'bin')}", cwd=checkout, PATH=str(tools), HOME="/"
    )
    assert done.returncode
    assert "is Python 3.10, not a supported Python" in done.stderr.splitlines()[0]
    assert not (checkout / ".venv" / "bin").exists()


@pytest.mark.skipif(not SUPPORTED, reason="the tests themselves run on an unsupported Python")
def test_make_read_only_checkout_is_rejected(tools, tmp_path):
    (tmp_path / "file").touch()
    done = run(
        TOOLS / "virtual_environment.sh",
        "file/.venv",
        sys.executable,
        cwd=tmp_path,
        PATH=str(tools),
        HOME="/",
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path} is not writable; clone the repository into a folder of your own\n"
    )


class Index(http.server.BaseHTTPRequestHandler):
    """A package index of the wheels in `folder`; the connection is cut in the middle of `broken`."""

    folder: Path
    broken: str | None = None

    def do_GET(self) -> None:
        name = self.path.strip("/").split("/")[-1]
        file = self.folder / name
        if file.suffix == ".whl":
            content = file.read_bytes()
            cut = len(content) // 2 if name == self.broken else len(content)
            self._answer(content, cut, "application/octet-stream")
            return
        wheels = [each.name for each in self.folder.glob("*.whl") if each.name.startswith(f"{name}-")]
        links = "".join(f'<a href="/files/{each}">{each}</a>' for each in wheels)
        self._answer(links.encode(), len(links), "text/html")

    def _answer(self, content: bytes, cut: int, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def write_wheel(folder: Path, name: str) -> str:
    """A package of one module; returns its line of a lock."""
    file, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", f"# {os.urandom(40000).hex()}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


@pytest.fixture
def index(tmp_path):
    folder = tmp_path / "wheels"
    folder.mkdir()
    handler = type("Handler", (Index,), {"folder": folder})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.slow
@pytest.mark.skipif(not SUPPORTED, reason="the tests themselves run on an unsupported Python")
def test_install_interrupted_download_is_one_line_and_resumes(index, tmp_path):
    folder = index.RequestHandlerClass.folder
    (tmp_path / "lock").write_text("".join(write_wheel(folder, name) for name in ("first", "second")))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"http://127.0.0.1:{index.server_port}/simple",
    }
    made = run(TOOLS / "virtual_environment.sh", "venv", sys.executable, cwd=tmp_path, **environment)
    assert made.returncode == 0, made.stderr
    install = [tmp_path / "venv/bin/python", TOOLS / "install.py", "lock"]

    index.RequestHandlerClass.broken = "second-1.0-py3-none-any.whl"
    failed = run(*install, cwd=tmp_path, **environment)
    assert failed.returncode == 1 and failed.stdout == ""
    *progress, error = failed.stderr.splitlines()
    # Older versions of pip take a file that is cut off for whole, and find its hash to be wrong.
    assert error in (
        "error: packages cannot be downloaded; check the network and run make again",
        "error: a downloaded package is incomplete or differs from the lock; "
        "check the network and run make again",
    )
    assert all(line.startswith("Python packages: downloading") for line in progress)
    assert not (tmp_path / "venv/unfinished").exists()

    index.RequestHandlerClass.broken = None
    done = run(*install, cwd=tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    imported = run(tmp_path / "venv/bin/python", "-c", "import first, second", cwd=tmp_path, **environment)
    assert imported.returncode == 0, imported.stderr

    # Killed while packages were put in place: nothing of that environment is kept.
    (tmp_path / "venv/unfinished").touch()
    made = run(TOOLS / "virtual_environment.sh", "venv", sys.executable, cwd=tmp_path, **environment)
    assert made.returncode == 0, made.stderr
    imported = run(tmp_path / "venv/bin/python", "-c", "import first", cwd=tmp_path, **environment)
    assert imported.returncode == 1


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no Debian system")
@pytest.mark.parametrize("entry", ["dpkg", "no-such-package|dpkg", "dpkg?"])
def test_debian_packages_installed_ones_are_skipped(entry, tmp_path):
    done = run(TOOLS / "debian_packages.sh", entry, cwd=tmp_path, PATH=os.environ["PATH"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no Debian system")
def test_debian_packages_without_root_and_sudo_are_named(tools, tmp_path):
    for name in ("dpkg-query", "tr", "sed"):
        (tools / name).symlink_to(shutil.which(name))
    program(tools / "id", "#!/bin/sh\necho 1000\n")
    entries = ["no-such-a|no-such-b", "no-such-c?", "dpkg"]
    done = run(TOOLS / "debian_packages.sh", *entries, cwd=tmp_path, PATH=str(tools))
    assert done.returncode == 1
    expected = "error: Debian packages are missing; as root, run: apt-get install no-such-a no-such-c\n"
    assert done.stderr == expected


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no Debian system")
@pytest.mark.parametrize(
    ("python_status", "entry", "status", "last"),
    [
        (0, "dpkg", 0, "Python packages"),
        (3, "dpkg", 3, "Python packages"),
        (0, "no-such-package", 1, "error: apt-get could not read the lists of packages (E: no network); "),
    ],
)
def test_packages_as_root_installs_both_and_reports_failures(
    tools, tmp_path, python_status, entry, status, last
):
    for name in ("dpkg-query", "tr", "sed", "mktemp", "grep"):
        (tools / name).symlink_to(shutil.which(name))
    program(tools / "id", "#!/bin/sh\necho 0\n")
    program(tools / "apt-get", "#!/bin/sh\necho 'E: no network'\nexit 1\n")
    python = program(
        tmp_path / "python", f"#!/bin/sh\necho 'Python packages' \"$2\" >&2\nexit {python_status}\n"
    )
    done = run(TOOLS / "packages.sh", python, "some.lock", entry, cwd=tmp_path, PATH=str(tools))
    assert done.returncode == status
    lines = done.stderr.splitlines()
    assert lines[0] == "Python packages some.lock" and lines[-1].startswith(last)
