"""The present result of a delivery: from history, and from the regions where history is a moment behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from accounts.models import User
from execution import outcome
from execution.models import OPEN_STATES, Order, OrderState
from execution.results import result_of
from webhooks import replies
from webhooks.models import Delivery, DeliveryStatus
from webhooks.refused import Refused
from webhooks.replies import Reply

Json = dict[str, Any]


def result_url(user_id: str, token: str, delivery: str) -> str:
    return f"{settings.PUBLIC_URL}/webhook/{user_id}/{token}/{delivery}"


def reply_for(delivery: Delivery, url: str) -> Reply:
    """What its POST would be answered now. A duplicate shows its first; `url` is where the result will be."""
    if delivery.duplicate_of:
        return replies.as_duplicate(reply_for(delivery.duplicate_of, url))
    if delivery.error is not None:
        return replies.refusal(Refused(delivery.http_status or 400, delivery.error), delivery)
    results, timings = results_of(orders_of(delivery))
    if any(each["status"] == OrderState.NOT_SENT for each in results) and _tried_again(delivery):
        return reply_for(delivery, url)
    return replies.outcome(delivery, results, replies.merged_timing(delivery.timing_ms, timings), url)


def _tried_again(delivery: Delivery) -> bool:
    """Whether its rows were of a try that could not be queued, and that nobody is to be told as its end: a resend
    carries it out."""
    before = delivery.attempts, delivery.status
    delivery.refresh_from_db()
    return before != (delivery.attempts, delivery.status)


def orders_of(delivery: Delivery) -> list[Order]:
    rows = Order.objects.filter(user_id=delivery.user_id, delivery=delivery.public_id)
    return list(rows.select_related("account", "bracket").order_by("position"))


def results_of(orders: Iterable[Order]) -> tuple[list[Json], list[dict[str, float]]]:
    """The results in the order of the message, and the timings of the jobs they belong to."""
    orders = list(orders)
    news = _news(orders)
    told = {part["position"]: part["result"] for job in news.values() for part in job["results"]}
    results = [told.get(order.position) or result_of(order) for order in orders]
    timings = {order.job: order.timing_ms for order in orders}
    return results, list((timings | {job: each["timing_ms"] for job, each in news.items()}).values())


def _news(orders: list[Order]) -> dict[str, Json]:
    """Outcomes of the last minute, of jobs that history still believes at work."""
    waited_for = {order.job: order.region for order in orders if order.status in OPEN_STATES}
    found = {job: outcome.recent(region, job) for job, region in waited_for.items()}
    return {job: news for job, news in found.items() if news}


def settle(user: User) -> None:
    """Bring the status of the user's working deliveries up to date: after the answer, nobody else does."""
    working = list(
        Delivery.objects.of(user).filter(status=DeliveryStatus.WORKING).order_by("-public_id")[:200]
    )
    if not working:
        return
    results: dict[str, list[Mapping[str, Any]]] = {each.public_id: [] for each in working}
    for row in Order.objects.filter(user=user, delivery__in=results).values("delivery", "status", "error"):
        results[row["delivery"]].append(row)
    for each in working:
        settle_one(each, replies.status_of(results[each.public_id]))


def settle_one(delivery: Delivery, status: str) -> None:
    if delivery.status == DeliveryStatus.WORKING and status != DeliveryStatus.WORKING:
        Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.WORKING).update(status=status)
        delivery.status = status
