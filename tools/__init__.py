"""Tools of the repository: documents from results, releases, set-up, checks."""
