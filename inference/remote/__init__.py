"""Models that run elsewhere, asked through the Open Inference Protocol v2 over HTTP."""
