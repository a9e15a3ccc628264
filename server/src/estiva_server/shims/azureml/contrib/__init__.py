"""Stand-in for a package of Azure ML SDK v1."""
