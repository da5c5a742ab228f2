"""Reading problem details in tests."""

from __future__ import annotations

from typing import Any


def problem(response: Any, status: int, code: str, *words: str) -> dict[str, Any]:
    """Check that the response is a problem of this kind whose detail holds the words; return its body."""
    assert response.status_code == status, (response.status_code, response.content)
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert set(body) == {"type", "title", "status", "code", "detail"}
    assert (body["status"], body["code"]) == (status, code), body
    assert body["type"] == f"/api/docs/problems#{code}"
    assert body["title"]
    for word in words:
        assert word in body["detail"], body["detail"]
    return body
