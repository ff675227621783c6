"""Exchange clients in pure Python: no Django, Celery, Redis or database below this package."""
