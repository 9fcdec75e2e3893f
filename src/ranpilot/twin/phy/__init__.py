"""The physical layer: transport block sizes, effective SINR, block error rates, CQI and MCS."""

from ranpilot.twin.phy.bler import block_error_rate
from ranpilot.twin.phy.tables import PhyTables, load_phy_tables
from ranpilot.twin.phy.transport_block import transport_block_bits

__all__ = ["PhyTables", "block_error_rate", "load_phy_tables", "transport_block_bits"]
