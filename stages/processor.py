"""The same arithmetic on every x86-64 processor with AVX2, however new and with however many cores."""

import os
from pathlib import Path

# Each library picks its kernels by the processor, and these add up in orders of their own.
SAME_ARITHMETIC = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    "TF_NUM_INTRAOP_THREADS": "2",
}


def settle_arithmetic() -> None:
    """To be called before numpy or TensorFlow is imported. What the user has set stays."""
    try:
        has_avx2 = " avx2 " in Path("/proc/cpuinfo").read_text()
    except OSError:
        has_avx2 = False
    if has_avx2:
        for name, value in SAME_ARITHMETIC.items():
            os.environ.setdefault(name, value)
