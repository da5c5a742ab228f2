"""A whole Sluice in processes of its own, the people and cameras around it, and the ways in which it is hurt."""
