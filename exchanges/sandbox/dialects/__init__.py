"""The dialects, one file or several per exchange: found by looking, never listed. See `exchanges/sandbox/dialect.py`."""
