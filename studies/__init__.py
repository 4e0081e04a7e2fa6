"""What each part of the method brings: one script per study, run by `dvc repro studies/dvc.yaml`."""

import stages  # noqa: F401  (TensorFlow's messages are silenced before anything imports it)
