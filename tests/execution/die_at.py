"""Runs jobs, each in a process that is killed at a stage of the order path: `python -m tests.execution.die_at` reads lines
of [stage, job] and answers each with the exit code.

A process of its own, because nothing but a real SIGKILL shows what is left behind.
"""

import json
import os
import signal
import sys

import django


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def after_first(function, count=1):
    left = [count]

    def wrapped(*args, **kwargs):
        result = function(*args, **kwargs)
        left[0] -= 1
        if left[0] == 0:
            die()
        return result

    return wrapped


def arrange(stage):
    from exchanges import venue
    from execution import attempts, pairing, place, timeline

    if stage == "before the order is sent":
        setattr(venue.Venue, "place", die)
    elif stage == "when the order has left":
        for kind in all_venues():
            setattr(kind, "read_placed", die)
    elif stage == "between stop and target":
        dying = after_first(attempts.placed)
        for module in (attempts, pairing):
            setattr(module, "placed", dying)
    elif stage == "before the answer":
        setattr(place, "finish", die)
    elif stage == "before history":
        setattr(place, "record", die)
    else:
        setattr(timeline.Timeline, "mark", dying_at(stage, timeline.Timeline.mark))


def all_venues():
    from exchanges.registry import venues

    return venues().values()


def dying_at(stage, mark):
    def marked(self, name):
        mark(self, name)
        if name == stage:
            die()

    return marked


def end_of(stage, job):
    """How a process ends that runs the job: a fork, for to start one takes a second."""
    child = os.fork()
    if child == 0:
        arrange(stage)
        run(job)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    django.setup()
    from execution.place import run

    all_venues()
    for line in sys.stdin:
        sys.stdout.write(f"{end_of(*json.loads(line))}\n")
        sys.stdout.flush()
