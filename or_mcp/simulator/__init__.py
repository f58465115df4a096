"""OpenRouter, imitated: for tests, the demo, and everyone who builds on it without paying."""

from or_mcp.simulator.catalogue import RowError
from or_mcp.simulator.delivery.faults import Fault, FaultError, load_faults
from or_mcp.simulator.simulator import Simulator
from or_mcp.simulator.state import AbortedRequest, ReceivedRequest

__all__ = ["AbortedRequest", "Fault", "FaultError", "ReceivedRequest", "RowError", "Simulator", "load_faults"]
