"""Read randomly damaged recordings for a given time: no traceback, no memory above 2 GB.

python -m benchmarks.fuzz_reading FILE… --minutes 10
"""

import argparse
import collections
import resource
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

from tinystride.errors import TinyStrideError
from tinystride.reading import ReadingOptions, read_recordings

SNIPPETS = (
    b",", b";", b"\t", b"\n", b"\r\n", b'"', b"'", b"#", b"nan", b"-", b"1e308", b"-1e308", b"inf", b"\0",
    b"\xff", b"\xef\xbb\xbf", b"0,5", b"99999999999999999999", b"2024-03-01T10:00:00", b"12:00:00",
    b"\xc2\xb5s", b"  ", b"acc_x", b"left_", b"=1+1", b"sep=;", b"1_000", b"0x1F", b"True", b"//",
    b"%", b"\x1a",
)  # fmt: skip


def mutated(text: bytes, rng: np.random.Generator) -> bytes:
    """Return the text with 1 to 8 random changes: bytes, snippets, lines, columns, halves."""
    for _ in range(int(rng.integers(1, 9))):
        at, to = sorted(int(i) for i in rng.integers(0, len(text) + 1, 2))
        kind = int(rng.integers(0, 10))
        if kind == 0:
            text = text[:at] + bytes([int(rng.integers(0, 256))]) + text[at + 1 :]
        elif kind == 1:
            text = text[:at] + SNIPPETS[int(rng.integers(len(SNIPPETS)))] + text[at:]
        elif kind == 2:
            text = text[:at] + text[min(to, at + 200) :]
        elif kind == 3:
            text = text[:at] + text[at:to] + text[at:to][:2000] + text[to:]
        elif kind == 4:
            text = text[: max(1, to)]
        elif kind == 5:
            old, new = (SNIPPETS[int(rng.integers(len(SNIPPETS)))] for _ in range(2))
            text = text.replace(old, new) if len(text) < 2_000_000 else text
        elif kind == 6:
            lines = text.split(b"\n")
            i, j = (int(rng.integers(len(lines))) for _ in range(2))
            lines[i], lines[j] = lines[j], lines[i]
            text = b"\n".join(lines)
        elif kind == 7:
            lines = text.split(b"\n")
            column, snippet = int(rng.integers(8)), SNIPPETS[int(rng.integers(len(SNIPPETS)))]
            for i in range(0, len(lines), int(rng.integers(1, 50))):
                cells = lines[i].split(b",")
                if column < len(cells):
                    cells[column] = snippet
                    lines[i] = b",".join(cells)
            text = b"\n".join(lines)
        elif kind == 8:
            text = text[at:] + text[:at]
        else:
            text = text[: len(text) // 2].decode("latin-1").encode("utf-16") if rng.random() < 0.2 else text
        text = text or b"0"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    originals = [(path.name, path.read_bytes()[:200_000]) for path in arguments.files]
    counts: collections.Counter[str] = collections.Counter()
    slowest = (0.0, -1)
    end, seed = time.monotonic() + 60 * arguments.minutes, arguments.seed
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            rng = np.random.default_rng(seed)
            name, content = originals[int(rng.integers(len(originals)))]
            path = Path(folder) / name
            path.write_bytes(mutated(content, rng))
            began = time.monotonic()
            rate_hz = 100.0 if rng.random() < 0.5 else None
            try:
                read_recordings([path], ReadingOptions(foot="right", rate_hz=rate_hz))
                counts["read"] += 1
            except TinyStrideError:
                counts["refused"] += 1
            except Exception:
                counts["traceback"] += 1
                print(f"seed {seed}, {name}:\n{traceback.format_exc()}")
            slowest = max(slowest, (time.monotonic() - began, seed))
            seed += 1
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{dict(counts)}, peak {peak_mb:.0f} MB, slowest {slowest[0]:.1f} s (seed {slowest[1]})")


if __name__ == "__main__":
    main()
