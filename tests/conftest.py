"""Settings for every test."""

import os

from hypothesis import settings

# A busy machine is no failure: what must be fast is measured in `benchmarks`, not by a deadline.
settings.register_profile("tamis", deadline=None, print_blob=True)
settings.load_profile("tamis")

# The width of whatever terminal the tests were started in is no part of them.
os.environ["COLUMNS"] = "120"
