"""Images: a plan of layers (Dockerfiles with build contexts), and the builder that executes it."""
