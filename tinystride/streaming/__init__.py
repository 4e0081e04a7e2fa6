"""Strides as the samples come: the algorithm of the C library, in Python and as that C on the host."""
