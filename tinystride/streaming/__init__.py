"""The streaming estimator on the host: the compiled C library and its Python twin."""
