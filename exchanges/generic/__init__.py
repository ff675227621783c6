"""Exchanges without a file in `exchanges/venues/`, opened through ccxt (the extra `generic`).

`catalog.json` holds what ccxt says that each of them can do, so that nothing here imports ccxt before a connection is
opened. `client.py` lets ccxt sign and read while our transport sends; `venue.py` is the venue above it.
"""
