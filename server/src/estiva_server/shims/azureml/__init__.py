"""Stand-in for what score scripts use of Azure ML SDK v1."""
