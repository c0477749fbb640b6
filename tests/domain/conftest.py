"""Settings that make property tests draw the same examples in every run."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, max_examples=300)
if settings.get_current_profile_name() != "quick":
    settings.load_profile("repeatable")
