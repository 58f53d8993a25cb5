"""What a network is: its modules, parameters and cost."""
