"""Vectors as one matrix. numpy is imported when the first is needed, never at start."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]


def stack(vectors: Iterable[bytes]) -> Matrix:
    """One row a vector, float32 in C order. All must have the same length."""
    import numpy as np

    rows = list(vectors)
    # A bytearray, so that the matrix can be changed without a copy.
    return np.frombuffer(bytearray().join(rows), dtype="<f4").reshape(len(rows), -1)


def directions(matrix: Matrix) -> Matrix:
    """The same matrix, its rows now at length one, so that a product of two is their cosine.

    A row of zeros stays: it is like nothing.
    """
    import numpy as np

    # In float64: the square of a large float32 is none.
    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
    lengths[lengths == 0] = 1
    return np.divide(matrix, lengths[:, None], out=matrix, casting="unsafe")


def rounded(matrix: Matrix) -> tuple[tuple[float, ...], ...]:
    """The numbers as they are written: a float32 has seven digits."""
    return tuple(tuple(float(f"{value:.7g}") for value in row) for row in matrix.tolist())
