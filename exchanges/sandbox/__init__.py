"""The simulated exchanges: every native venue's wire dialect over one small matching engine, in memory.

`python -m exchanges.sandbox --port 8900 --control` serves them. Read from the bottom up: `model` (values), `ledger`
and `money` (whose they are), `admission` and `engine` (one desk), `meter`, `faults`, `prices`, `wire`,
`dialect` (how to add an exchange), `world` (one request), `control`, `server`.
"""
