"""What holds for every test."""

from hypothesis import settings

# The same examples each time, and however long one takes: a test that fails today and not
# tomorrow, or only on a slow machine, says nothing. `--hypothesis-profile=explore` looks further.
settings.register_profile("aigen", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("aigen")
