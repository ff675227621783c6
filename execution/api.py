"""REST: orders, for reading, in the shape of a webhook's results; and where the exchange differed."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint, check_status
from execution import differences, history
from execution.models import Difference, Order, OrderState
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

    parameters = ("status", "venue", "symbol", "before")

    def get(self, request: Request) -> Response:
        asked = request.query_params.dict()
        check_status(asked, OrderState)
        if (before := asked.get("before")) and not history.known(self.whose(), before):
            raise ValidationError(
                {"before": ["There is no such order."]}
            )  # from the start again, it would never end
        page = history.page(self.whose(), asked, PAGE)
        return Response({"results": [_shown(order) for order in page.orders], "next": page.next or None})


class OneOrder(Endpoint):
    def get(self, request: Request, token: str) -> Response:
        found = get_object_or_404(history.orders_of(self.whose()), token=token)
        differed = [_differed(each) for each in differences.of_order(found)]
        return Response(_shown(found) | {"differences": differed})


def _differed(each: Difference) -> dict[str, Any]:
    return {
        "account": each.account.public_id if each.account else None,
        "venue": each.venue,
        "instrument": each.instrument,
        "kind": each.kind,
        "believed": each.believed_shown,
        "found": each.found_shown,
        "why": each.why,
        "order": each.order.token if each.order else None,
        "bracket": each.bracket.public_id if each.bracket else None,
        "at": each.at,
    }


class Differences(Endpoint):
    """The latest, newest first; `?account=` for those of one."""

    parameters = ("account",)

    def get(self, request: Request) -> Response:
        asked = request.query_params.get("account", "").replace("\0", "")
        return Response({"results": [_differed(each) for each in differences.of_user(self.whose(), asked)]})
