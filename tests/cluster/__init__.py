"""A real Kubernetes on one machine, for tests: `scripts/cluster up`."""
