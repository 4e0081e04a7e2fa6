"""Evaluate estimates of stride length against a reference: metrics, baselines, tables, plots."""
