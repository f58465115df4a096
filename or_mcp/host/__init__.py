"""What a host may be asked or shown beside the tools."""
