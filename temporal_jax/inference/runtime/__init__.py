"""A saved network as a compiled function of clips."""
