"""Vectors as one matrix. numpy is imported when the first is needed, never at start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]


def stack(vectors: Sequence[bytes]) -> Matrix:
    """One row a vector, float32 in C order. All must have the same length."""
    import numpy as np

    return np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), -1)


def directions(matrix: Matrix) -> Matrix:
    """The rows at length one, so that a product of two is their cosine. A row of zeros stays: it is like nothing."""
    import numpy as np

    # In float64: the square of a large float32 is none.
    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
    lengths[lengths == 0] = 1
    return (matrix / lengths[:, None]).astype(np.float32)


def rounded(matrix: Matrix) -> tuple[tuple[float, ...], ...]:
    """The numbers as they are written: a float32 has seven digits."""
    return tuple(tuple(float(f"{value:.7g}") for value in row) for row in matrix.tolist())
