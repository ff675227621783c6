"""JSON of the REST API, read so that whatever a program sends is either understood or refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class PlainJSONParser(JSONParser):
    """Raises ParseError, which is a 400, for what nests too deep to be read, and for halves of a pair of surrogates:
    such text is in no encoding, so that no answer could repeat it and no column keep it."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            found = super().parse(stream, media_type, parser_context)
            json.dumps(found, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError("JSON parse error - it is nested too deep.") from None
        except UnicodeEncodeError:
            raise ParseError("JSON parse error - a text holds half of a surrogate pair.") from None
        return found
