"""The way from a table in any format to numbers: the roles of its columns, and their contents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archbuild.data.columns import IDENTIFIER, IGNORE, number_in
from archbuild.data.formats.tables.counters import without_counters
from archbuild.data.formats.tables.encoding import read_features
from archbuild.data.formats.tables.label_column import judge_labels, say_of_other_labels
from archbuild.data.formats.tables.left_out import BLANK_LINES, COMMENTS
from archbuild.data.formats.tables.marked import with_marks
from archbuild.data.formats.tables.roles import (
    LABEL,
    Roles,
    Unused,
    assign_roles,
    chosen_roles,
    ids_place,
)
from archbuild.data.formats.tables.source import TableSource
from archbuild.data.guess import Guess, column_key, listed
from archbuild.data.request import Arrays, Known, ReadRequest
from archbuild.data.table_form import TableForm
from archbuild.errors import DataError

_NO_ROWS = (COMMENTS, BLANK_LINES)
_NO_LABEL = "nan"  # beside blank cells: as pandas writes them


def read_table(source: TableSource, request: ReadRequest) -> Arrays:
    """Return the features, the labels and the rows' names of a table.

    Raises:
        DataError: a column that is wanted is missing, most cells of a column are numbers and some
            are not, or there are no rows.
    """
    roles = _roles(source, request)
    source = with_marks(source, request.options.missing, roles.ids)
    roles, n_rows, texts, said = _settled(source, roles)
    said = _with_kind_of_names([*source.guesses, *said], source, roles, texts)
    features, encoding, said_of_columns = read_features(source, request, roles, n_rows)
    return Arrays(
        values=features,
        labels=None if roles.label is None else texts[roles.label],
        ids=None if roles.ids is None else texts[roles.ids],
        columns=encoding.features if source.has_header else (),
        guesses=(*said, *said_of_columns),
        encoding=None if encoding.is_plain else encoding,
        gaps=encoding.masks_gaps,
        form=TableForm(
            source.has_header,
            tuple(source.columns),
            tuple(column.name for column in encoding.used),
            source.decimal,
            identifiers=tuple(source.columns[index] for index in roles.identifiers),
        ),
    )


def _settled(
    source: TableSource, roles: Roles
) -> tuple[Roles, int, dict[int, list[str]], list[Guess]]:
    """Return the roles once the labels are known to be classes, and as ``_read_texts``."""
    n_rows, texts = _read_texts(source, roles)
    guesses = list(roles.guesses)
    while roles.label is not None:
        judged = judge_labels(source, roles, texts[roles.label])
        roles = judged.roles
        guesses += judged.guesses
        if judged.holds_classes or not roles.label_like:
            break
        roles = roles.with_next_label()
        n_rows, texts = _read_texts(source, roles)
    return roles, n_rows, texts, [*guesses, *say_of_other_labels(source, roles)]


def _with_kind_of_names(
    guesses: Sequence[Guess], source: TableSource, roles: Roles, texts: Mapping[int, Sequence[str]]
) -> list[Guess]:
    """Return guesses in which row names that are words can be read as a category."""
    if roles.ids is None or all(
        number_in(text, source.decimal) is not None for text in texts[roles.ids]
    ):
        return list(guesses)
    name = source.columns[roles.ids]
    number, category = column_key(name, "number"), column_key(name, "category")
    return [
        guess._replace(overrule=category) if guess.overrule == number else guess
        for guess in guesses
    ]


def _roles(source: TableSource, request: ReadRequest) -> Roles:
    known = request.known
    if known is not None and known.used_columns:
        names, label = _known_names(source, known), _known_label(source, request)
        unused = _unused(request, known)
        return chosen_roles(names, known.used_columns, source.path, label, unused)
    roles = assign_roles(source.columns, request.options, source.path, has_header=source.has_header)
    if known is None:
        return without_counters(source, roles, [*request.options.columns])
    return Roles(roles.label if request.wants_labels else None, roles.ids, roles.features)


def _unused(request: ReadRequest, known: Known) -> Unused:
    """Return the columns that a model's table has beside its features."""
    told, form = request.options.columns, known.form
    identifiers = [name for name, kind in told.items() if kind == IDENTIFIER]
    identifiers += [name for name in form.identifiers if name not in identifiers] if form else []
    ignored = [name for name, kind in told.items() if kind in (IGNORE, LABEL)]
    others = [name for name in form.columns if name not in form.used] if form else []
    return Unused(identifiers, ignored, others)


def _known_names(source: TableSource, known: Known) -> Sequence[str]:
    """Return the names of a table's columns as a model knows them: its own, or those of places.

    Raises:
        DataError: the columns go by their places, and there are more of them, or fewer.
    """
    if source.has_header and known.has_names:
        return source.columns
    count, used = len(source.columns), known.used_columns
    has_index = source.has_header and ids_place(source.columns) == 0
    for index in ((), source.columns[:1]) if has_index else ((),):
        for names in (known.form.columns if known.form else used, used):
            if count == len(index) + len(names):
                return (*index, *names)
    if known.form is None and not known.has_names:
        return [str(number) for number in range(1, count + 1)]
    whose = "the model's table" if source.has_header else "it"
    raise DataError(
        f"{source.path} has {count} columns, and the model was trained on {len(used)}: "
        f"{listed(used)}. They go by their places, since {whose} has no header; give it just "
        "these, in this order"
    )


def _known_label(source: TableSource, request: ReadRequest) -> int | None:
    """Return the label column of rows that training left unseen; of new rows there is none."""
    if not request.wants_labels:
        return None
    names, has_header = source.columns, source.has_header
    return assign_roles(names, request.options, source.path, has_header=has_header).label


def _read_texts(source: TableSource, roles: Roles) -> tuple[int, dict[int, list[str]]]:
    """Return the number of rows, and the cells of the columns of labels and names.

    Cells of rows without a label are blank.
    """
    wanted = [index for index in (roles.label, roles.ids) if index is not None]
    texts: dict[int, list[str]] = {index: [] for index in wanted}
    n_rows = 0
    for batch in source.batches(wanted):
        n_rows += len(batch.places)
        for index, cells in zip(wanted, batch.columns, strict=True):
            stripped = [cell.strip() for cell in cells]
            if index == roles.label:
                stripped = ["" if cell.casefold() == _NO_LABEL else cell for cell in stripped]
            texts[index] += stripped
    if not n_rows:
        found = [guess.found for guess in source.guesses if guess.subject in _NO_ROWS]
        left_out = f" ({'; '.join(found)})" if found else ""
        raise DataError(
            f"{source.path} has a header and no rows{left_out}; expected one line for each row"
        )
    return n_rows, texts
