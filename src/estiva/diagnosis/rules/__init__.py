"""What can go wrong, one file each: a function `check` from the evidence to a finding, or None.

A rule speaks only when its evidence is there, and says with `certainty` how much that proves.
"""
