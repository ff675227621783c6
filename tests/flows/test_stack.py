
from django.conf import settings


def test_every_process_answers(stack):
    assert stack.http.get(f"{stack.web}/healthz").json()["ok"]
    assert stack.workers() == set(settings.REGIONS)
    assert stack.processes.ended() == {}
