from __future__ import annotations

import json
from collections.abc import Callable

import jsonschema

from tests.cli.calling import SPEC, Ended


def test_it_is_a_draft_07_schema_that_takes_a_spec(archbuild: Callable[..., Ended]) -> None:
    schema = json.loads(archbuild("schema").out)
    assert "draft-07" in schema["$schema"]
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(SPEC, schema)
