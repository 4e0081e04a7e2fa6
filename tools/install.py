"""Install the packages of a lock and this project into this environment.

.venv/bin/python tools/install.py LOCK

Shows progress on one line and an error on one line; the full output of pip is in install.log of the
environment. Needs the standard library only. After an interruption, the next run continues with the files in
pip's cache. If packages were being installed then, the environment is marked and made again by the next run.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

ENVIRONMENT = Path(sys.prefix)
UNFINISHED = ENVIRONMENT / "unfinished"
LOG = ENVIRONMENT / "install.log"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--no-color"]
UNREACHABLE = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ConnectionError|ProtocolError|SSLError"
    r"|Max retries exceeded|Connection reset|IncompleteRead|name resolution|ProxyError|Network is unreachable"
)
REMEDIES = (
    (re.compile(r"No space left on device"), "the disk is full; free 6 GB and run make again"),
    (
        re.compile(r"DO NOT MATCH THE HASHES|HashMismatch"),
        "a downloaded package is incomplete or differs from the lock; check the network and run make again",
    ),
    (
        UNREACHABLE,
        "packages cannot be downloaded; check the network and run make again",
    ),
    (re.compile(r"Read-only file system|Permission denied"), "{folder} is not writable"),
)


class Progress:
    """Progress on one line of a terminal; elsewhere a new line for every 10 %."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown = ""

    def show(self, what: str, done: int, total: int, now: str = "") -> None:
        line = f"Python packages: {what} {min(done, total)} of {total}"
        if self._terminal:
            width = shutil.get_terminal_size().columns
            print(f"\r\033[K{f'{line} {now}'[: width - 1]}", end="", file=sys.stderr, flush=True)
        elif (tenth := f"{what} {10 * done // total}") != self._shown:
            self._shown = tenth
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def in_place() -> int:
    return sum(1 for _ in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))


def watch(progress: Progress, before: int, total: int, finished: threading.Event) -> None:
    while not finished.wait(0.5):
        progress.show("installing", in_place() - before, total)


def install(lock: Path, progress: Progress) -> int:
    """Run pip and return its exit status; its output goes to LOG."""
    total = len(re.findall(r"^[\w.-]+(?:\[[^]]*\])?==", lock.read_text(), re.MULTILINE))
    # Python compiles a module when it is imported first, which is never for most of them.
    options = ["--progress-bar=off", "--retries=3", "--no-compile", "--require-hashes"]
    command = [*PIP, "install", *options, "-r", str(lock)]
    finished, watcher = threading.Event(), None
    seen = 0
    with (
        LOG.open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            log.write(line)
            log.flush()
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                seen += 1
                progress.show("downloading", seen, total)
            elif found := re.search(r"Downloading (\S+?)-[^- ]+(?:-[^ ]*)?\S* (\(.*\))", line):
                progress.show("downloading", seen, total, f"{found[1]} {found[2]}")
            elif line.startswith("Installing collected packages:"):
                UNFINISHED.touch()
                new = line.count(",") + 1
                watcher = threading.Thread(target=watch, args=(progress, in_place(), new, finished))
                watcher.start()
    finished.set()
    if watcher:
        watcher.join()
    return pip.returncode


def install_project() -> int:
    """Install this checkout in editable mode, built with the lock's setuptools; return pip's exit status."""
    command = [*PIP, "install", "--no-deps", "--no-build-isolation", "--editable", "."]
    with LOG.open("a") as log:
        return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT).returncode


def reason() -> str:
    """Return the reason of a failure, from LOG, with its remedy."""
    said = LOG.read_text()
    for pattern, remedy in REMEDIES:
        if pattern.search(said):
            return remedy.format(log=LOG, folder=ENVIRONMENT)
    errors = [line for line in said.splitlines() if line.startswith("ERROR: ")]
    why = (errors or ["ERROR: no details"])[-1].removeprefix("ERROR: ")
    return f"pip failed: {why[:200]}; see {LOG}"


def main() -> None:
    progress = Progress()
    try:
        status = install(Path(sys.argv[1]), progress)
        if not status and Path("pyproject.toml").exists():
            status = install_project()
    except KeyboardInterrupt:
        progress.close()
        sys.exit(130)
    except OSError as error:
        progress.close()
        sys.exit(f"error: {error.filename or ENVIRONMENT}: {error.strerror}; run make again")
    progress.close()
    if status:
        sys.exit(f"error: {reason()}")
    UNFINISHED.unlink(missing_ok=True)
    print(f"Python packages: {in_place()} installed", file=sys.stderr)


if __name__ == "__main__":
    main()
