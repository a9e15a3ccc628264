"""Stand-in for what score scripts use of the official server."""
