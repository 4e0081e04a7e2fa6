"""Build the page: the C library as WebAssembly, scripts, styles and a sample in one html file.

    python demo/build.py [OUTPUT.html]        (default: build/demo/index.html)

Needs clang, wasm-ld and wasi-libc (`make demo` installs them on Debian). Equal inputs give equal bytes.
"""

import base64
import gzip
import hashlib
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LIBRARY = ROOT / "models" / "c"
MAX_MODULE_BYTES = 60_000
FLAGS = (
    "--target=wasm32-wasi", "-std=c99", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Wpedantic",
    "-Werror", "-nostartfiles", "-Wl,--no-entry", "-Wl,--strip-all",
)  # fmt: skip
IMPORT_SECTION = 2
IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([\w.]+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:class|function|const|let) (\w+)", re.MULTILINE)
# The second name of `export const A = 1, B = 2`.
SECOND_EXPORT = re.compile(r"^export const \w+ = [^,;]+, (\w+) = ", re.MULTILINE)
VERSION = re.compile(r'#define TINYSTRIDE_VERSION "([^"]+)"')
SAMPLE_SEED = 17
AXES = ("acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z")


def main() -> int:
    """Write the page. Return the exit status."""
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "demo" / "index.html"
    try:
        module = compile_module()
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    page = assemble(module, sample_csv())
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page, encoding="utf-8")
    print(f"{output}: {len(page.encode()):,} bytes, of which the module is {len(module):,} before base64")
    return 0


class BuildError(Exception):
    """The page cannot be built; the message says why."""


def compile_module(library: Path = LIBRARY) -> bytes:
    """The C library with demo/glue.c as a WebAssembly module, stripped.

    Raises BuildError without the compiler, and for a module that imports something or is too large.
    """
    sources = [HERE / "glue.c", *sorted((library / "src").glob("*.c"))]
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder) / "tinystride.wasm"
        command = ["clang", *FLAGS, f"-I{library / 'include'}", *map(str, sources), "-o", str(module)]
        if "repaired_deg" in (library / "include" / "tinystride.h").read_text(encoding="utf-8"):
            command.append("-DHAS_REPAIRED_DEG")
        try:
            run = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            raise BuildError("clang is missing; run make demo, which installs it") from None
        if run.returncode:
            raise BuildError(f"clang failed; run make demo, which installs wasi-libc and lld: {run.stderr}")
        data = module.read_bytes()
    if IMPORT_SECTION in sections(data):
        raise BuildError("the module imports functions; it must run without any")
    if len(data) > MAX_MODULE_BYTES:
        raise BuildError(f"the module has {len(data)} bytes; at most {MAX_MODULE_BYTES} are allowed")
    return data


def sections(module: bytes) -> list[int]:
    """The numbers of the sections of a WebAssembly module, in its order."""
    found, at = [], 8
    while at < len(module):
        found.append(module[at])
        size, shift, at = 0, 0, at + 1
        while True:
            byte = module[at]
            size, shift, at = size | (byte & 0x7F) << shift, shift + 7, at + 1
            if byte < 0x80:
                break
        at += size
    return found


def sample_csv() -> bytes:
    """A walk of both feet with a turn, made by the project's simulator: csv, m/s² and rad/s at 100 Hz."""
    import numpy as np

    from tinystride.datasets.simulator import simulate_walk
    from tinystride.datasets.virtual_sensor import VirtualSensor
    from tinystride.datasets.walker import Leg, SimulatedSubject

    rng = np.random.default_rng(SAMPLE_SEED)
    person = SimulatedSubject.draw(rng, "sample")
    corner = [Leg(3, 1.0, turn_rad=np.pi / 2)]
    long, short = [Leg(9, 1.25)], [Leg(4, 1.1)]
    legs = 2 * (long + corner + short + corner)
    feet = [
        simulate_walk(
            person, foot=foot, legs=legs, rate_hz=100.0, seed=SAMPLE_SEED, sensor=VirtualSensor.draw(rng)
        )
        for foot in ("left", "right")
    ]
    n = min(foot.n_samples for foot in feet)
    names = [f"{foot.foot}_{axis}" for foot in feet for axis in AXES]
    columns = np.column_stack([part[:n] for foot in feet for part in (foot.acc_mps2, foot.gyr_radps)])
    text = io.StringIO()
    text.write("# simulated walk of a person who does not exist; units m/s2 and rad/s\n")
    text.write(",".join(["time_s", *names]) + "\n")
    for i, row in enumerate(columns):
        text.write(f"{i / 100:.2f}," + ",".join(f"{value:.4f}" for value in row) + "\n")
    return text.getvalue().encode()


def bundle(entry: str) -> str:
    """The script demo/js/ENTRY.js and all that it imports as one script without modules."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        source = (HERE / "js" / f"{name}.js").read_text(encoding="utf-8")
        for match in IMPORT.finditer(source):
            visit(match.group(2))
        order.append(name)

    visit(entry)
    return '"use strict";\n' + "".join(wrapped(name) for name in order)


def wrapped(name: str) -> str:
    """A module as a function that is called at once and returns what the module exports."""
    source = (HERE / "js" / f"{name}.js").read_text(encoding="utf-8")
    exported = [*EXPORT.findall(source), *SECOND_EXPORT.findall(source)]
    body = IMPORT.sub(lambda match: f"const {match.group(1)} = module_{match.group(2)};\n", source)
    body = re.sub(r"^export ", "", body, flags=re.MULTILINE)
    return f"const module_{name} = (() => {{\n{body}return {{ {', '.join(exported)} }};\n}})();\n"


def assemble(module: bytes, sample: bytes, library: Path = LIBRARY) -> str:
    """The page with everything in it. Its policy lets it run its own scripts and reach no address.

    module: of `compile_module`; sample: of `sample_csv`; library: whose version the page names
    """
    encoded = base64.b64encode(module).decode()
    packed = base64.b64encode(gzip.compress(sample, mtime=0)).decode()
    worker = f'const MODULE_BASE64 = "{encoded}";\n' + bundle("worker")
    parts = {
        "style": (HERE / "style.css").read_text(encoding="utf-8"),
        "worker": worker,
        "version": VERSION.findall((library / "include" / "tinystride.h").read_text(encoding="utf-8"))[0],
        "sample": packed,
        "page": bundle("page"),
    }
    for name in ("worker", "page"):
        if "</script" in parts[name] or "<!--" in parts[name]:
            raise BuildError(f"the script {name} holds text that would end it")
    parts["policy"] = policy(parts["page"], parts["style"])
    page = (HERE / "index.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: parts[match.group(1)], page)


def policy(script: str, style: str) -> str:
    """The Content-Security-Policy that allows this script and style, a worker from a blob, no address."""
    digests = [hashlib.sha256(text.encode()).digest() for text in (script, style)]
    hashes = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
    return (
        f"default-src 'none'; script-src {hashes[0]} blob: 'wasm-unsafe-eval'; worker-src blob:; "
        f"style-src {hashes[1]}; img-src data:; connect-src 'none'; form-action 'none'; base-uri 'none'"
    )


if __name__ == "__main__":
    sys.exit(main())
