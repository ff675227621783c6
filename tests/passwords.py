"""The hash of passwords in tests: the one that is used everywhere, once instead of a million times over. A process of the
running service reads it like any other."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class OneRound(PBKDF2PasswordHasher):
    iterations = 1
