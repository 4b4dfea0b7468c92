"""The same package, asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import openai
import pytest
from pydantic import BaseModel

from conftest import Served

MESSAGES = [{"role": "user", "content": "Write a haiku about APIs."}]
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}

Result = TypeVar("Result")


def run(client: openai.AsyncOpenAI, work: Callable[[], Awaitable[Result]]) -> Result:
    async def then_close() -> Result:
        async with client:
            return await work()

    return asyncio.run(then_close())


class Answer(BaseModel):
    title: str
    lines: list[str]


def test_plain(async_client: openai.AsyncOpenAI) -> None:
    ask = partial(async_client.chat.completions.create, model="claude-sonnet-4-5", messages=MESSAGES)
    assert run(async_client, ask).choices[0].message.content


def test_twenty_at_once(async_client: openai.AsyncOpenAI) -> None:
    async def work() -> list[str | None]:
        asked = [
            async_client.chat.completions.create(model="gpt-4o", messages=MESSAGES, seed=seed % 2)
            for seed in range(20)
        ]
        return [completion.choices[0].message.content for completion in await asyncio.gather(*asked)]

    assert len(set(run(async_client, work))) == 2


def test_stream(async_client: openai.AsyncOpenAI) -> None:
    async def work() -> tuple[str, str | None]:
        body = {"model": "sandbox/chat", "messages": MESSAGES, "seed": 9}
        whole = await async_client.chat.completions.create(**body)
        text = ""
        async for chunk in await async_client.chat.completions.create(**body, stream=True):
            text += chunk.choices[0].delta.content or ""
        return text, whole.choices[0].message.content

    streamed, whole = run(async_client, work)
    assert streamed == whole


def test_stream_helper_and_parse(async_client: openai.AsyncOpenAI) -> None:
    async def work() -> tuple[object, object]:
        async with async_client.chat.completions.stream(
            model="gpt-5", messages=MESSAGES, response_format=Answer
        ) as stream:
            streamed = (await stream.get_final_completion()).choices[0].message.parsed
        whole = await async_client.chat.completions.parse(model="gpt-5", messages=MESSAGES, response_format=Answer)
        return streamed, whole.choices[0].message.parsed

    for parsed in run(async_client, work):
        assert isinstance(parsed, Answer)


def test_streamed_tools(async_client: openai.AsyncOpenAI) -> None:
    async def work() -> list[str]:
        stream = await async_client.chat.completions.create(
            model="gpt-4o", messages=MESSAGES, tools=[TOOL], tool_choice="required", stream=True
        )
        return [
            call.function.name
            async for chunk in stream
            for call in chunk.choices[0].delta.tool_calls or []
            if call.function and call.function.name
        ]

    assert run(async_client, work) == ["get_weather"]


def test_embeddings_and_models(async_client: openai.AsyncOpenAI) -> None:
    async def work() -> tuple[int, list[str]]:
        embedding = await async_client.embeddings.create(model="text-embedding-3-small", input="x")
        return len(embedding.data[0].embedding), [model.id async for model in async_client.models.list()]

    dimensions, ids = run(async_client, work)
    assert dimensions == 1536
    assert "gpt-4o" in ids


def test_leaving_a_stream_early_frees_what_was_held(async_client: openai.AsyncOpenAI) -> None:
    async def work() -> dict[str, object]:
        stream = await async_client.chat.completions.create(
            model="sandbox/slow", messages=MESSAGES, stream=True
        )
        async for _ in stream:
            break
        await stream.close()
        for _ in range(100):
            me = await async_client.get("/me", cast_to=object)
            assert isinstance(me, dict)
            if me["held"] == 0:
                return me
            await asyncio.sleep(0.05)
        raise AssertionError("the hold is still open")

    assert run(async_client, work)["held"] == 0


def test_errors(served: Served) -> None:
    wrong = openai.AsyncOpenAI(base_url=served.base_url, api_key="sk-aig-nonsense", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        run(wrong, lambda: wrong.chat.completions.create(model="gpt-4o", messages=MESSAGES))
