"""Studies: comparisons outside of the pipeline, one script each, run by `dvc repro studies/dvc.yaml`."""

import stages  # noqa: F401  (TensorFlow's messages are silenced before anything imports it)
