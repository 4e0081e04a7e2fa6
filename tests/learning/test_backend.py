"""Importing TensorFlow prints nothing."""

import subprocess
import sys

CODE = (
    "import sys; from tinystride.learning.backend import tf; x = tf.constant(1.0) + 1;"
    "sys.stderr.write('heard')"
)


def test_import_tensorflow_is_silent():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "heard")
