"""Add the network of the pipeline to the package, which pyproject.toml cannot do."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MODEL = Path("models/stride_int8.tflite")


class BuildWithModel(build_py):
    """Build the package with its network; an editable installation uses the network of the checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        if not MODEL.is_file():
            raise SystemExit(f"error: {MODEL} is missing; run: git checkout {MODEL}, or: make run")
        target = Path(self.build_lib) / "tinystride" / MODEL
        self.mkpath(str(target.parent))
        self.copy_file(str(MODEL), str(target))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        built = [] if self.editable_mode else [str(Path(self.build_lib) / "tinystride" / MODEL)]
        return super().get_outputs(include_bytecode) + built


setup(cmdclass={"build_py": BuildWithModel})
