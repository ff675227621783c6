"""For servers that speak WSGI. The web tier's own way is flipr.asgi: waiting for an exchange holds a thread here."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flipr.settings")
application = get_wsgi_application()
