import os

from flipr.celery import app, give_way


def test_messages_are_json_and_nothing_else_is_accepted():
    assert app.conf.task_serializer == "json"
    assert set(app.conf.accept_content) == {"json"}


def test_a_task_is_acknowledged_before_it_runs_so_a_killed_worker_repeats_nothing():
    assert app.conf.task_acks_late is False
    assert app.conf.task_reject_on_worker_lost is not True


def test_nothing_is_kept_in_a_result_store():
    assert app.conf.task_ignore_result is True
    assert app.conf.result_backend is None


def test_the_tasks_of_every_app_are_found():
    app.loader.import_default_modules()
    assert [name for name in app.tasks if name.startswith("execution.tasks.")]


def test_a_nice_worker_makes_its_session_nice(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "nice", lambda change: 10 + change)
    give_way(tmp_path / "autogroup")
    assert (tmp_path / "autogroup").read_text() == "10"
    give_way(tmp_path / "no" / "such" / "file")  # a kernel without the feature


def test_a_worker_that_is_not_nice_leaves_its_session_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "nice", lambda change: change)
    give_way(tmp_path / "autogroup")
    assert not (tmp_path / "autogroup").exists()
