from flipr.database import database


def test_every_part_of_a_url_is_used():
    entry = database("postgresql://flipr:p%40ss@db.example:6432/trades?sslmode=require")
    assert (entry["NAME"], entry["USER"], entry["PASSWORD"]) == ("trades", "flipr", "p@ss")
    assert (entry["HOST"], entry["PORT"]) == ("db.example", "6432")
    assert entry["OPTIONS"]["sslmode"] == "require"


def test_a_socket_directory_goes_into_the_query():
    entry = database("postgresql:///trades?host=/run/postgresql")
    assert (entry["HOST"], entry["PORT"]) == ("/run/postgresql", "")
    assert "host" not in entry["OPTIONS"]


def test_a_database_that_does_not_answer_is_given_up_before_the_caller_gives_us_up():
    assert int(database("postgresql://localhost/trades")["OPTIONS"]["connect_timeout"]) == 3
    assert database("postgresql://localhost/trades?connect_timeout=9")["OPTIONS"]["connect_timeout"] == "9"


def test_connections_are_kept_and_checked():
    entry = database("postgresql://localhost/trades")
    assert entry["CONN_MAX_AGE"] is None
    assert entry["CONN_HEALTH_CHECKS"] is True
