"""The parts of a plan, each made of names and shapes only."""
