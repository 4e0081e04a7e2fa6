"""Run a Python program as if only the packages of requirements-core.lock were installed.

python core_alone.py PROGRAM [ARGUMENT…], the program being Python code.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def core_distributions() -> set[str]:
    """Names in requirements-core.lock, as the standard writes them."""
    lock = (ROOT / "requirements-core.lock").read_text()
    return {_standard(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)} | {"tinystride"}


def _standard(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class CoreOnly:
    """A finder before all others that finds nothing of another distribution."""

    def __init__(self) -> None:
        core = core_distributions()
        providers = importlib.metadata.packages_distributions()
        self.others = {
            package
            for package, distributions in providers.items()
            if package != "tinystride" and not core & {_standard(each) for each in distributions}
        }

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in self.others:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    program, sys.argv = sys.argv[1], ["tinystride", *sys.argv[2:]]
    sys.meta_path.insert(0, CoreOnly())
    exec(program)
