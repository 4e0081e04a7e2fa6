"""Generate the example programs of the C library and the simulated walk that they read."""

import numpy as np

from tinystride.codegen.templates import render

TEMPLATES = {
    "examples/replay/replay.c": "replay.c.j2",
    "examples/replay/walk.csv": "walk.csv.j2",
    "examples/strides/strides.ino": "strides.ino.j2",
    "examples/bare_metal/main.c": "bare_metal.c.j2",
    "examples/bare_metal/start.c": "bare_metal_start.c.j2",
    "examples/bare_metal/link.ld": "bare_metal.ld.j2",
    "examples/bare_metal/walk.h": "walk.h.j2",
}
# templates/walk.csv.j2 was simulated: a right foot, 1.6 s of standing, six strides of 1.3 m.
WALK_RATE_HZ = 64
ACC_FULL_SCALE_MPS2, GYR_FULL_SCALE_RADPS = 16 * 9.80665, np.deg2rad(2000)


def example_files() -> dict[str, str]:
    """Return the example programs, {path in the library: text}."""
    values = {"walk": _counts(render("walk.csv.j2")), "walk_rate_hz": WALK_RATE_HZ}
    return {name: render(template, **values) for name, template in TEMPLATES.items()}


def _counts(csv: str) -> list[list[int]]:
    """Return the samples of a csv as 16-bit counts of a sensor."""
    samples = np.loadtxt(csv.splitlines(), delimiter=",", skiprows=1)
    full_scale = np.repeat([ACC_FULL_SCALE_MPS2, GYR_FULL_SCALE_RADPS], 3)
    return np.rint(samples / full_scale * 32768).astype(int).tolist()
