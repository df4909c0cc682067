from __future__ import annotations

import pytest

from archbuild.heads.base import Head


@pytest.mark.parametrize("taken", ["loss", "weight_decay", "occupied", "label_change"])
@pytest.mark.parametrize("declared", ["term_names", "monitored_names"])
def test_terms_named_like_columns_of_the_history_are_refused(declared: str, taken: str) -> None:
    with pytest.raises(TypeError, match=f"Clashing names .*: {taken}; rename"):
        type("Clashing", (Head,), {declared: ("reconstruction", taken)})
