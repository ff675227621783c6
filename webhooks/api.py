"""REST: deliveries, for reading. One of them shows its results as the webhook answered them."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint, check_status
from webhooks import history, present
from webhooks.models import Delivery, DeliveryStatus

PAGE = 100


class DeliveryAnswer(serializers.ModelSerializer[Delivery]):
    id = serializers.CharField(source="public_id")
    hook = serializers.CharField(source="hook.public_id", default=None)
    duplicate_of = serializers.CharField(source="duplicate_of.public_id", default=None)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "hook",
            "body",
            "status",
            "http_status",
            "error",
            "duplicate_of",
            "dry_run",
            "source",
            "timing_ms",
            "created_at",
            "answered_at",
        )


class Deliveries(Endpoint):
    """Newest first; `?hook=`, `?status=`; `next` of an answer is the `?before=` of the following page."""

    parameters = ("hook", "status", "before")

    def get(self, request: Request) -> Response:
        user, asked = self.whose(), request.query_params.dict()
        check_status(asked, DeliveryStatus)
        present.settle(user)
        page = history.page(user, asked, PAGE)
        shown = DeliveryAnswer(page.deliveries, many=True).data
        return Response({"results": shown, "next": page.next or None})


class OneDelivery(Endpoint):
    def get(self, request: Request, public_id: str) -> Response:
        rows = Delivery.objects.of(self.whose()).select_related("user", "hook", "duplicate_of__user")
        delivery = rows.filter(public_id=public_id).first()
        if delivery is None:
            raise Http404
        reply = present.reply_for(delivery, request.build_absolute_uri())
        present.settle_one(delivery, reply.body["status"])
        facts: dict[str, Any] = DeliveryAnswer(delivery).data
        return Response(facts | {"answer": reply.body})
