"""What `scripts/bench server` and `scripts/bench soak` are made of."""
