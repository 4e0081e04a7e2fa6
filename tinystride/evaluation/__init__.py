"""Agreement with a reference: metrics, baselines, figures."""
