"""Refusals are the package's own exceptions, and its retries help where nothing was spent."""

from __future__ import annotations

import openai
import pytest

from conftest import Counted, Served, counting_client

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 20}


def client_of(served: Served, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=served.base_url, api_key=key, max_retries=0)


def asks(fault: str, model: str) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": f"[[sim {fault}]]"}]}


def balance_of(client: openai.OpenAI) -> object:
    account = client.get("/me", cast_to=object)
    assert isinstance(account, dict)
    return account["balance"]


def test_authentication_error(served: Served) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        client_of(served, "sk-aig-nonsense").chat.completions.create(**CHAT)
    assert caught.value.code == "invalid_api_key"
    assert caught.value.request_id is not None and caught.value.request_id.startswith("req_")


def test_permission_denied_error(served: Served) -> None:
    with pytest.raises(openai.PermissionDeniedError) as caught:
        client_of(served, served.narrow_key).chat.completions.create(**{**CHAT, "model": "gemini-3-pro"})
    assert caught.value.code == "model_not_allowed"


def test_not_found_error_names_near_models(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(**{**CHAT, "model": "gpt-4oo"})
    assert caught.value.code == "model_not_found"
    assert "gpt-4o" in str(caught.value)


def test_bad_request_error_names_the_field(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**CHAT, temperature=5)
    assert caught.value.param == "temperature"
    assert caught.value.code == "invalid_request"


def test_rate_limit_error(served: Served) -> None:
    limited = client_of(served, served.limited_key)
    limited.chat.completions.create(**CHAT)
    with pytest.raises(openai.RateLimitError) as caught:
        limited.chat.completions.create(**CHAT)
    assert caught.value.code == "rate_limited"
    assert int(caught.value.response.headers["retry-after"]) >= 1


def test_conflicting_idempotency_key_is_unprocessable(client: openai.OpenAI) -> None:
    headers = {"Idempotency-Key": "python-reused"}
    first = client.chat.completions.create(**CHAT, extra_headers=headers)
    again = client.chat.completions.with_raw_response.create(**CHAT, extra_headers=headers)
    assert again.parse().id == first.id
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-ai-credits-charged"] == "0"
    with pytest.raises(openai.UnprocessableEntityError):
        client.chat.completions.create(**CHAT, temperature=1, extra_headers=headers)


@pytest.mark.parametrize(("key", "code"), [("poor_key", "insufficient_credits"), ("capped_key", "key_daily_cap")])
def test_402_is_an_api_status_error_and_is_not_retried(served: Served, key: str, code: str) -> None:
    counted = Counted()
    with pytest.raises(openai.APIStatusError) as caught:
        counting_client(served, getattr(served, key), counted).chat.completions.create(**CHAT)
    assert caught.value.status_code == 402
    assert caught.value.code == code
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(counted.sent) == 1


@pytest.mark.parametrize("fault", ["error-500", "error-502", "error-503"])
def test_internal_server_error_after_the_retries(served: Served, fault: str) -> None:
    counted = Counted()
    with pytest.raises(openai.InternalServerError) as caught:
        counting_client(served, served.test_key, counted).chat.completions.create(
            **{**CHAT, "model": f"sandbox/{fault}"}
        )
    assert caught.value.status_code == 502
    assert caught.value.code == "upstream_error"
    assert caught.value.response.headers["x-ai-credits-charged"] == "0"
    assert "x-should-retry" not in caught.value.response.headers
    assert [request.headers["x-stainless-retry-count"] for request in counted.sent] == ["0", "1", "2"]


def test_the_vendors_failures_are_uncharged(served: Served, live: openai.OpenAI) -> None:
    before = balance_of(live)
    with pytest.raises(openai.InternalServerError):
        live.chat.completions.create(**asks("error500", "gpt-4.1-mini"))
    with pytest.raises(openai.RateLimitError):
        live.chat.completions.create(**asks("rate429", "gpt-4.1-mini"))
    with pytest.raises(openai.BadRequestError) as caught:
        live.chat.completions.create(**asks("context-length", "gpt-4.1-mini"))
    assert caught.value.code == "context_length_exceeded"
    assert balance_of(live) == before


@pytest.mark.parametrize("fault", ["cut-stream", "error-mid-stream"])
def test_a_stream_that_breaks_is_an_api_error(client: openai.OpenAI, fault: str) -> None:
    stream = client.chat.completions.create(model=f"sandbox/{fault}", messages=CHAT["messages"], stream=True)
    pieces = 0
    with pytest.raises(openai.APIError) as caught:
        for _ in stream:
            pieces += 1
    assert pieces > 0
    assert caught.value.code == "upstream_error"


def test_a_time_out_of_the_client_is_its_own_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(**{**CHAT, "model": "sandbox/slow-first-token"}, timeout=0.3)


def test_legacy_completions_say_what_to_use(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.completions.create(model="gpt-4o", prompt="Hello")
    assert caught.value.code == "endpoint_not_supported"
    assert "/chat/completions" in str(caught.value)
