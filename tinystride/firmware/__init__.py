"""The C of the streaming estimator, one concern a file; `source` puts the parts together."""
