from hypothesis import settings

# Two busy cores: no example is ever too slow.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
