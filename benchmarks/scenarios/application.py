"""What the scripts of this folder do, as an ASGI application; only where that needs no Lua."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TEXT, JSON = b"text/plain", b"application/json"


async def application(scope: Message, receive: Receive, send: Send) -> None:
    content_type, body = await ANSWERS[scope["path"]](scope, receive)
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def hello(scope: Message, receive: Receive) -> tuple[bytes, bytes]:
    return TEXT, b"hello\n"


async def args_headers(scope: Message, receive: Receive) -> tuple[bytes, bytes]:
    args = parse_qs(scope["query_string"])
    headers = dict(scope["headers"])
    return TEXT, b"%b %b %b %b %b\n" % (
        *(args[b"user"][0], args[b"page"][0], headers[b"accept-language"]),
        *(headers[b"x-forwarded-for"], headers[b"x-request-id"]),
    )


async def decode_and_encode(scope: Message, receive: Receive) -> tuple[bytes, bytes]:
    order = json.loads(await body_of(receive))
    lines = [
        {"sku": item["sku"], "title": item["title"], "sum": item["price"] * item["quantity"]}
        for item in order["items"]
    ]
    answer = {
        "id": order["id"],
        "customer": order["customer"],
        "tags": order["tags"],
        "lines": lines,
        "total": sum(line["sum"] for line in lines),
    }
    return JSON, json.dumps(answer).encode()


async def echo(scope: Message, receive: Receive) -> tuple[bytes, bytes]:
    return TEXT, await body_of(receive)


async def large(scope: Message, receive: Receive) -> tuple[bytes, bytes]:
    return TEXT, b"0123456789" * 10240


async def body_of(receive: Receive) -> bytes:
    message = await receive()
    if not message["more_body"]:
        return bytes(message["body"])
    parts = [message["body"]]
    while message["more_body"]:
        message = await receive()
        parts.append(message["body"])
    return b"".join(parts)


ANSWERS = {
    "/hello": hello,
    "/args_headers": args_headers,
    "/json": decode_and_encode,
    "/echo": echo,
    "/large": large,
}
