"""The dialects, one file per exchange: found by looking, never listed. See `exchanges/sandbox/dialect.py`."""
