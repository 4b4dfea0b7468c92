"""Everything a client of the official package does on a good day."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from functools import partial
from typing import Literal

import jsonschema
import openai
import pytest
from pydantic import BaseModel

from conftest import Served
from strict_schemas import strict_schema

HAIKU = [{"role": "user", "content": "Write a haiku about APIs."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
ASK_WEATHER = [{"role": "user", "content": "What is the weather in Paris?"}]
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_three_changed_lines_answer_a_chat(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="claude-sonnet-4-5", messages=HAIKU)
    assert completion.object == "chat.completion"
    assert completion.model == "claude-sonnet-4-5"
    assert completion.choices[0].message.role == "assistant"
    assert completion.choices[0].message.content
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert completion._request_id is not None and completion._request_id.startswith("req_")


def test_a_seed_repeats_n_counts_and_limits_cut(client: openai.OpenAI) -> None:
    ask = partial(client.chat.completions.create, model="sandbox/chat", messages=HAIKU, seed=7)
    assert ask().choices[0].message.content == ask().choices[0].message.content
    assert [choice.index for choice in ask(n=2).choices] == [0, 1]
    cut = ask(max_tokens=4)
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage is not None and cut.usage.completion_tokens <= 4


def test_the_iterator_delivers_what_the_plain_answer_holds(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="sandbox/chat", messages=HAIKU, seed=3)
    chunks = list(client.chat.completions.create(model="sandbox/chat", messages=HAIKU, seed=3, stream=True))
    assert all(chunk.choices for chunk in chunks)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_the_last_usage_chunk_has_the_charge_of_the_receipt(client: openai.OpenAI, served: Served) -> None:
    answer = client.chat.completions.with_raw_response.create(
        model="gpt-5", messages=HAIKU, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(answer.parse())
    assert chunks[-1].choices == []
    assert [chunk for chunk in chunks[:-1] if chunk.usage is not None] == []
    usage = chunks[-1].usage
    assert usage is not None
    receipt = client.get(f"/receipts/{answer.headers['x-request-id']}", cast_to=object)
    assert isinstance(receipt, dict)
    assert usage.model_extra is not None
    assert usage.model_extra["credits_charged"] == receipt["charged"]["credits"] > 0


def test_the_stream_helper_accumulates(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="gpt-4o", messages=HAIKU) as stream:
        heard = "".join(event.delta for event in stream if event.type == "content.delta")
        completion = stream.get_final_completion()
    assert heard
    assert completion.choices[0].message.content == heard


def test_raw_responses_show_charge_and_balance(client: openai.OpenAI) -> None:
    answer = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=HAIKU)
    me = client.get("/me", cast_to=object)
    assert isinstance(me, dict)
    assert Decimal(answer.headers["x-ai-credits-charged"]) > 0
    assert Decimal(answer.headers["x-ai-credits-balance"]) == Decimal(str(me["available"]))
    assert answer.headers["x-ai-served-by"].startswith("sandbox/")
    assert answer.parse().choices


def test_a_tool_round_trip(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="claude-sonnet-4-5", messages=ASK_WEATHER, tools=[WEATHER])
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls is not None and message.tool_calls[0].type == "function"
    call = message.tool_calls[0]
    assert call.function.name == "get_weather"
    jsonschema.validate(json.loads(call.function.arguments), WEATHER["function"]["parameters"])
    result = {"role": "tool", "tool_call_id": call.id, "content": '{"celsius": 21}'}
    second = client.chat.completions.create(
        model="claude-sonnet-4-5", messages=[*ASK_WEATHER, message, result], tools=[WEATHER]
    )
    assert second.choices[0].finish_reason == "stop"
    assert second.choices[0].message.content


def test_streamed_tool_calls_add_up(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="gpt-4o", messages=ASK_WEATHER, tools=[WEATHER], tool_choice="required", stream=True
    )
    names, arguments, reason = [], "", None
    for chunk in stream:
        for call in chunk.choices[0].delta.tool_calls or []:
            assert call.index == 0 and call.function is not None
            names += [call.function.name] if call.function.name else []
            arguments += call.function.arguments or ""
        reason = chunk.choices[0].finish_reason or reason
    assert names == ["get_weather"]
    assert reason == "tool_calls"
    jsonschema.validate(json.loads(arguments), WEATHER["function"]["parameters"])


def test_the_stream_helper_parses_tool_calls(client: openai.OpenAI) -> None:
    tool = openai.pydantic_function_tool(Weather, name="get_weather")
    with client.chat.completions.stream(
        model="gpt-4o", messages=ASK_WEATHER, tools=[tool], tool_choice="required"
    ) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
    assert len(done) == 1
    assert isinstance(done[0].parsed_arguments, Weather)


class Weather(BaseModel):
    city: str
    unit: Literal["celsius", "fahrenheit"]


class Guest(BaseModel):
    name: str
    age: int | None


class Plan(BaseModel):
    title: str
    guests: list[Guest]
    weather: Literal["sun", "rain"]
    budget: float


@pytest.mark.parametrize("url", ["https://example.com/fox.jpg", PIXEL])
def test_vision(client: openai.OpenAI, url: str) -> None:
    content = [
        {"type": "text", "text": "What is in this picture?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    completion = client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": content}])
    assert completion.choices[0].message.content


def test_json_mode(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model="gemini-3-pro", messages=HAIKU, response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(completion.choices[0].message.content or ""), dict)


@pytest.mark.parametrize("model", ["gpt-5", "claude-sonnet-4-5"])
def test_parse_reads_the_answer_by_a_pydantic_model(client: openai.OpenAI, model: str) -> None:
    completion = client.chat.completions.parse(model=model, messages=HAIKU, response_format=Plan)
    assert isinstance(completion.choices[0].message.parsed, Plan)


def test_the_stream_helper_parses_by_the_same_model(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="gpt-5", messages=HAIKU, response_format=Plan) as stream:
        completion = stream.get_final_completion()
    assert isinstance(completion.choices[0].message.parsed, Plan)


def test_a_cut_answer_is_the_error_of_the_package_for_it(client: openai.OpenAI) -> None:
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(model="gpt-4o", messages=HAIKU, response_format=Plan, max_tokens=3)


@pytest.mark.parametrize("seed", range(60))
def test_answers_by_random_schemas_are_valid(client: openai.OpenAI, seed: int) -> None:
    schema = strict_schema(random.Random(seed))
    completion = client.chat.completions.create(
        model="sandbox/chat",
        messages=HAIKU,
        response_format={"type": "json_schema", "json_schema": {"name": "random", "schema": schema, "strict": True}},
    )
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    value = json.loads(completion.choices[0].message.content or "")
    jsonschema.validate(value, schema, jsonschema.Draft202012Validator, format_checker=checker)


def test_embeddings_by_default_are_the_floats(client: openai.OpenAI) -> None:
    ask = partial(client.embeddings.create, model="text-embedding-3-large", input=["a red fox", "tax"])
    by_default, floats = ask(), ask(encoding_format="float")
    assert [len(item.embedding) for item in by_default.data] == [3072, 3072]
    for one, two in zip(by_default.data, floats.data, strict=True):
        assert one.embedding == pytest.approx(two.embedding, abs=1e-7)
        assert sum(value * value for value in one.embedding) == pytest.approx(1, abs=1e-5)
    assert len(ask(dimensions=64).data[0].embedding) == 64
    tokens = client.embeddings.create(model="text-embedding-3-small", input=[[1, 2, 3], [4]])
    assert tokens.usage.prompt_tokens == 4


def test_models_are_listed_and_retrieved_by_names_with_a_slash(client: openai.OpenAI) -> None:
    ids = {model.id for model in client.models.list()}
    assert {"gpt-4o", "claude-sonnet-4-5", "text-embedding-3-large"} <= ids
    assert client.models.retrieve("openai/gpt-4o").id == "openai/gpt-4o"


def test_a_live_key_reaches_the_vendor_without_loss(live: openai.OpenAI) -> None:
    messages = [{"role": "user", "content": "Tell me. [[sim tokens=24]]"}]
    whole = live.chat.completions.create(
        model="gpt-4.1", messages=messages, extra_body={"a_field_of_tomorrow": [1, {"deep": None}]}
    )
    assert whole.model_extra is not None and whole.model_extra["vendor_extra"] == {"kept": True}
    with live.chat.completions.stream(
        model="gpt-4.1", messages=messages, stream_options={"include_usage": True}
    ) as stream:
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content == whole.choices[0].message.content
    assert completion.usage is not None and completion.usage.completion_tokens == 24
