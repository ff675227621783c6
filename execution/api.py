"""REST: orders, for reading, in the shape of a webhook's results."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from execution import history
from execution.models import Order
from execution.results import result_of

PAGE = 100


def _shown(order: Order) -> dict[str, Any]:
    own = {
        "id": order.token,
        "delivery": order.delivery,
        "environment": order.environment,
        "tag": order.tag or None,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "timing_ms": order.timing_ms,
    }
    return own | result_of(order)


class Orders(Endpoint):
    """Newest first; `?status=`, `?venue=`, `?symbol=`; `next` is the `?before=` of the following page."""

    def get(self, request: Request) -> Response:
        page = history.page(self.whose(), request.query_params.dict(), PAGE)
        return Response({"results": [_shown(order) for order in page.orders], "next": page.next or None})


class OneOrder(Endpoint):
    def get(self, request: Request, token: str) -> Response:
        return Response(_shown(get_object_or_404(history.orders_of(self.whose()), token=token)))
