"""Parts of a conversion plan, each made of names and shapes only."""
