"""Settings for every test."""

from hypothesis import settings

# A busy machine is no failure: what must be fast is measured in `benchmarks`, not by a deadline.
settings.register_profile("tamis", deadline=None, print_blob=True)
settings.load_profile("tamis")
