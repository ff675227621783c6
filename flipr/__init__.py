"""Wires the parts together: settings, Celery, URLs. Nobody imports it."""
