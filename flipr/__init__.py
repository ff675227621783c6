"""The project: settings, wiring, start-up. Nobody below imports it, except that Django and Celery load it."""

from flipr.celery import app as celery_app

__all__ = ["celery_app"]
