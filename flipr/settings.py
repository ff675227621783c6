"""All settings, driven by environment variables; README.md lists them.

A wrong value stops the start with an error. A missing one is reported by `flipr.checks`, all at once,
so that what needs no server (`manage.py parse`) runs without any."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from flipr.database import database, redis_url
from flipr.env import env_bool, env_float, env_int, env_list, env_map, env_secret, env_str
from flipr.queues import queues
from flipr.regions import EXCHANGE_REGION, REGION_NAMES, exchange_regions, region, web_origin

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Who we are -------------------------------------------------------------------------------------------
DEBUG = env_bool("DEBUG", False)
SECRET_KEY = env_secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = list(env_list("SECRET_KEY_FALLBACKS"))
PUBLIC_URL = web_origin("PUBLIC_URL", env_str("PUBLIC_URL", "http://localhost:8000"))
_host = urlsplit(PUBLIC_URL).hostname or "localhost"
_https = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = list(dict.fromkeys([_host, *env_list("ALLOWED_HOSTS"), "localhost", "127.0.0.1", "[::1]"]))
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# --- Parts ------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "allauth",
    "allauth.account",
    "flipr",
    "accounts",
    "webhooks",
    "execution",
]
MIDDLEWARE = [
    "flipr.bare.BareViews",  # first: a webhook pays for nothing below
    "django.middleware.security.SecurityMiddleware",
    "accounts.headers.security_headers",
    "flipr.static.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "flipr.urls"
ASGI_APPLICATION = "flipr.asgi.application"
WSGI_APPLICATION = "flipr.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Stores -----------------------------------------------------------------------------------------------
DATABASES = {"default": database(env_secret("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = redis_url("REDIS_URL", env_secret("REDIS_URL"))
# Shared by all web processes, because the limits on log-in attempts are counted here.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
    }
}

# --- Regions ----------------------------------------------------------------------------------------------
REGIONS = REGION_NAMES
REGION = region("FLIPR_REGION", env_str("FLIPR_REGION"))
BROKER_URLS = {
    name: redis_url(f"BROKER_URL_{name.upper()}", env_secret(f"BROKER_URL_{name.upper()}")) or REDIS_URL
    for name in REGIONS
}
EXCHANGE_REGIONS = EXCHANGE_REGION | exchange_regions("EXCHANGE_REGIONS", env_map("EXCHANGE_REGIONS"))

# --- Exchanges --------------------------------------------------------------------------------------------
SANDBOX_URL = env_str("SANDBOX_URL").rstrip("/")
GENERIC_REGION = region("GENERIC_REGION", env_str("GENERIC_REGION", "eu"))  # of exchanges opened through ccxt
EXCHANGE_BASE_URLS = env_map("EXCHANGE_BASE_URLS")
EGRESS_ADDRESSES = {name: env_list(f"EGRESS_ADDRESSES_{name.upper()}") for name in REGIONS}

# --- Webhooks ---------------------------------------------------------------------------------------------
HOOK_WAIT_SECONDS = env_float("HOOK_WAIT_SECONDS", 2.5, least=0, most=30)
ORDER_FRESH_SECONDS = env_int("ORDER_FRESH_SECONDS", 10, least=1)
TRUSTED_PROXIES = env_int(
    "TRUSTED_PROXIES", 0, least=0
)  # how many of our own proxies a webhook passes on its way
HOOK_RATE = env_str("HOOK_RATE", "60/60")
SOURCE_RATE = env_str("SOURCE_RATE", "600/60")
API_RATE = env_str("API_RATE", "120/60")  # of a user
for _name, _rate in (("HOOK_RATE", HOOK_RATE), ("SOURCE_RATE", SOURCE_RATE), ("API_RATE", API_RATE)):
    if not all(part.isdecimal() and int(part) for part in _rate.split("/", 1)) or "/" not in _rate:
        raise ImproperlyConfigured(f"{_name} is {_rate!r}: write COUNT/SECONDS, as in 60/60.")

# --- Keys (formats: `accounts.vault`; `python -m flipr.keys` makes them) -----------------------------------
VAULT_PUBLIC_KEY = env_secret("VAULT_PUBLIC_KEY")
VAULT_PRIVATE_KEYS = env_secret("VAULT_PRIVATE_KEYS")  # region workers only, never the web tier
WEB_KEYS = env_secret("WEB_KEYS")
TOKEN_DIGEST_KEY = env_secret("TOKEN_DIGEST_KEY")

# --- Celery -----------------------------------------------------------------------------------------------
CELERY_BROKER_URL = BROKER_URLS[REGION] if REGION else REDIS_URL
WORKER_THREADS = env_int("WORKER_THREADS", 16, least=1)  # as the Procfile gives them to a worker
#: after this long without a trace an order never arrived: every exchange's own window for late arrival is far shorter
GIVE_UP_SECONDS = env_float("GIVE_UP_SECONDS", 60.0, least=10)
SUPERVISE_SECONDS = env_float("SUPERVISE_SECONDS", 1.0, least=0.1, most=60)
COMPARE_SECONDS = env_float("COMPARE_SECONDS", 60.0, least=1)
COMPARE_DAYS = env_int("COMPARE_DAYS", 14, least=1, most=3650)  # since the last order through flipr
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    f"{job}-{region}": {
        "task": f"execution.tasks.{job}_region",
        "schedule": seconds,
        "args": (region,),
        "options": {"queue": f"watch.{region}", "expires": seconds * 2},
    }
    for job, seconds in (
        ("supervise", SUPERVISE_SECONDS),
        ("reconcile", 1.0),
        ("probe", 2.0),
        ("alarm", 10.0),
    )
    for region in REGIONS
}
CELERY_BEAT_SCHEDULER = "flipr.beat:RegionalScheduler"
CELERY_TASK_QUEUES = queues(*([REGION] if REGION else REGIONS))
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 3,
    "socket_timeout": 10,
    "socket_keepalive": True,
    # To publish: try twice, then say so. A webhook's caller can still be told to send it again.
    "max_retries": 1,
    "interval_start": 0,
    "priority_steps": [0],  # one Redis list per queue
    "visibility_timeout": 120,  # what a killed worker had reserved comes back; claims and expiry make it harmless
}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = False  # at most once: what is lost here is found by reconcile
CELERY_TASK_IGNORE_RESULT = True  # outcomes travel through execution.outcome, not through Celery
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = True  # `celery inspect ping`, and a clean shutdown
CELERY_DB_REUSE_MAX = sys.maxsize  # connections stay; flipr.celery has each looked at before a task
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker as long as it takes
CELERY_TASK_CREATE_MISSING_QUEUES = False  # a misspelt queue is an error, not a queue nobody reads
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True

# --- Log-in -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES  # for its own limits per address
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # in the browser that signed up; another one asks for the password
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a changed password or address is told to its owner
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900  # how long after the password a secret may be shown
ACCOUNT_EMAIL_SUBJECT_PREFIX = "flipr: "
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _https else "http"
ACCOUNT_LOGOUT_ON_GET = False

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api_auth.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "accounts.api_json.PlainJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["webhooks.api_rate.PerUser"],
    "COERCE_DECIMAL_TO_STRING": True,
}

# --- Transport security -----------------------------------------------------------------------------------
_secure = _https and not DEBUG
SECURE_SSL_REDIRECT = _secure
SECURE_REDIRECT_EXEMPT = [
    r"^webhook/",
    r"^healthz$",
]  # a redirect may lose the POST; health is asked from inside
SECURE_HSTS_SECONDS = env_int("HSTS_SECONDS", 365 * 86_400, least=0) if _secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _secure and env_bool("HSTS_INCLUDE_SUBDOMAINS", True)
SECURE_HSTS_PRELOAD = _secure and env_bool("HSTS_PRELOAD", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
DEFAULT_EXCEPTION_REPORTER_FILTER = "accounts.reports.AlwaysFiltered"

# --- E-mail (console unless a server is named) ------------------------------------------------------------
EMAIL_HOST = env_str("EMAIL_HOST")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = env_int("EMAIL_PORT", 587, least=1, most=65_535)
EMAIL_HOST_USER = env_str("EMAIL_USER")
EMAIL_HOST_PASSWORD = env_secret("EMAIL_PASSWORD")
EMAIL_USE_TLS = env_bool("EMAIL_TLS", True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env_str("EMAIL_FROM", f"flipr <noreply@{_host}>")

# --- Language, time, static files -------------------------------------------------------------------------
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "flipr.formats"  # where no template says how times are written, as on the admin pages
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = (
    env_str("STATIC_ROOT") or None
)  # where `collectstatic` puts them; without it, sources are served
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = STATIC_ROOT is None

# --- Logging ----------------------------------------------------------------------------------------------
LOG_LEVEL = env_str("LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"mask": {"()": "flipr.logs.MaskTokens"}},
    "formatters": {"line": {"()": "flipr.logs.LineFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["mask"]}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "INFO"},
        "django.server": {"handlers": [], "propagate": True},
        "uvicorn": {"handlers": [], "propagate": True},
        "uvicorn.access": {"handlers": [], "propagate": True},
        "celery.worker.strategy": {"level": "WARNING"},  # a line per task received,
        "celery.app.trace": {"level": "WARNING"},  # per task done
        "celery.beat": {"level": "WARNING"},  # and per task due
        "httpx": {"level": "WARNING"},  # its INFO lines carry URLs with signatures
        "httpcore": {"level": "WARNING"},
    },
}
