"""Pages of orders: the list, and one of them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.pages.access import members, whose
from execution import differences, history
from execution.models import OrderState
from execution.results import result_of

PAGE = 50


@require_safe
@members
def orders(request: HttpRequest) -> HttpResponse:
    asked = {name: request.GET.get(name, "") for name in ("status", "venue", "symbol", "before")}
    user = whose(request)
    page = history.page(user, asked, PAGE)
    context = {
        "rows": [(order, result_of(order)) for order in page.orders],
        "next": page.next,
        "chosen": asked,
        "statuses": list(OrderState),
        "venues": history.orders_of(user).order_by("venue").values_list("venue", flat=True).distinct(),
    }
    return render(request, "execution/orders.html", context)


@require_safe
@members
def order(request: HttpRequest, token: str) -> HttpResponse:
    found = get_object_or_404(history.orders_of(whose(request)), token=token)
    context = {
        "order": found,
        "result": result_of(found),
        "transitions": history.transitions_of(found),
        "differences": differences.of_order(found),
    }
    return render(request, "execution/order.html", context)
