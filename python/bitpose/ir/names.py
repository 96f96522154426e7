# SPDX-License-Identifier: Apache-2.0
"""Names of tensors that passes add.

"x@table" is the table that gives x, "x@0231" the transpose of x by (0, 2, 3, 1). Names from outside
never contain "@" while passes run, so a derived name belongs to nothing else.
"""

from __future__ import annotations

import re

_SEPARATOR = "@"
#: Stands for the separator in names from outside: a character that has no meaning.
_ESCAPED = "\ue000"
_TRANSPOSED = re.compile(r"@[0-9x]+(?=(@table)?\+*$)")


def derived(name: str, what: str) -> str:
    """The name of something that belongs to a tensor."""
    return f"{name}{_SEPARATOR}{what}"


def without_layout(name: str) -> str:
    """The name of the tensor that another is a transpose of, or belongs to."""
    return _TRANSPOSED.sub("", name)


def escape(name: str) -> str:
    """A name from outside, without the separator."""
    return name.replace(_SEPARATOR, _ESCAPED)


def unescape(name: str) -> str:
    """A name as it was before `escape`."""
    return name.replace(_ESCAPED, _SEPARATOR)
