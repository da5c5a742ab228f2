"""The leanest FastAPI: a plain body, a model a process, nothing stored."""

from __future__ import annotations

import scoring
from fastapi import FastAPI, Request

app = FastAPI()
score = scoring.load()


@app.post("/score")
async def predict(request: Request) -> dict[str, float]:
    """Score the photo in the body."""
    return score(await request.body())
