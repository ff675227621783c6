"""How often a user may ask the REST API, by every token and browser together: counted like webhooks are."""

from __future__ import annotations

import logging
from typing import Any

import redis
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from webhooks import throttle
from webhooks.refused import Refused
from webhooks.throttle import Limit

log = logging.getLogger(__name__)


class PerUser(BaseThrottle):
    """Django REST framework answers 429 with Retry-After where this says no."""

    def __init__(self) -> None:
        self._wait_seconds: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            throttle.admit_all([Limit(f"rate:api:{request.user.pk}", settings.API_RATE, "to the API")])
        except Refused as no:
            self._wait_seconds = float(no.headers["Retry-After"])
            return False
        except redis.RedisError as error:  # what cannot be counted harms nobody: history can still be read
            log.warning("requests to the API are not counted: %s", type(error).__name__)
        return True

    def wait(self) -> float | None:
        return self._wait_seconds
