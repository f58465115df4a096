"""What models exist here, who serves them, and which endpoint a request gets."""

from or_mcp.simulator.catalogue.catalogue import CATALOGUE, Catalogue
from or_mcp.simulator.catalogue.models import Model, RowError, read_rows

__all__ = ["CATALOGUE", "Catalogue", "Model", "RowError", "read_rows"]
