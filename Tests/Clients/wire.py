"""The protocols byte by byte, for messages that no library would send."""

import base64
import json
import os
import socket
import struct
from dataclasses import dataclass, field

from support import Server

# How long a server may take to end a connection that it should end.
PATIENCE = 20

CONTINUATION, TEXT, BINARY, CLOSE, PING = 0, 1, 2, 8, 9


def frame(
    payload: bytes | str = b"",
    opcode: int = BINARY,
    last: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """A WebSocket frame. `length`: what it says of its length, if that is not true."""
    if isinstance(payload, str):
        payload, opcode = payload.encode(), TEXT if opcode == BINARY else opcode
    count = len(payload) if length is None else length
    head = bytes([last << 7 | reserved << 4 | opcode])
    mask = masked << 7
    if count < 126:
        head += bytes([mask | count])
    elif count < 1 << 16:
        head += struct.pack("!BH", mask | 126, count)
    else:
        head += struct.pack("!BQ", mask | 127, count)
    if not masked:
        return head + payload
    # A mask of zeros changes nothing, and is a mask.
    return head + bytes(4) + payload


def upgrade(path: str = "/", **headers: str | None) -> bytes:
    """The request that opens a WebSocket; a header of None is left out."""
    wanted = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return request("GET", path, **wanted)


def request(method: str, path: str, body: bytes = b"", **headers: str | None) -> bytes:
    """An HTTP request, with no more headers than are given."""
    lines = [f"{method} {path} HTTP/1.1"]
    for name, value in headers.items():
        if value is not None:
            lines.append(f"{name.replace('_', '-')}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def post(body: bytes, kind: str = "multipart/form-data; boundary=edge") -> bytes:
    """A whole request for a transcription."""
    return request(
        "POST",
        "/v1/audio/transcriptions",
        body,
        Host="localhost",
        Connection="close",
        Content_Type=kind,
        Content_Length=str(len(body)),
    )


def form(file: bytes | None = b"", name: str = "a.wav", **fields: str | None) -> bytes:
    """The body of a form, which names a model and has a file unless they are None."""
    parts = [
        part(f'name="{key}"', value.encode())
        for key, value in ({"model": "m"} | fields).items()
        if value is not None
    ]
    if file is not None:
        parts.append(part(f'name="file"; filename="{name}"', file))
    return b"".join(parts) + b"--edge--\r\n"


def part(disposition: str, content: bytes) -> bytes:
    head = f"--edge\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def wav_file(
    samples: bytes = bytes(3200),
    encoding: int = 1,
    channels: int = 1,
    rate: int = 16000,
    bits: int = 16,
    count: int | None = None,
) -> bytes:
    """A WAV file that may say of itself what is not so. `count`: bytes of samples, as it says."""
    count = len(samples) if count is None else count
    frame = channels * bits // 8
    layout = struct.pack("<HHIIHH", encoding, channels, rate, 0, frame & 0xFFFF, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data"
    return b"RIFF" + struct.pack("<I", (36 + count) & 0xFFFFFFFF) + body + (
        struct.pack("<I", count) + samples
    )


def chunked(*chunks: bytes) -> bytes:
    """A body of HTTP's chunks, without the empty one that ends it."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def event(kind: str, data: dict | None = None, payload: bytes = b"") -> bytes:
    """An event of the Wyoming protocol."""
    head: dict = {"type": kind}
    if data:
        head["data"] = data
    if payload:
        head["payload_length"] = len(payload)
    return json.dumps(head).encode() + b"\n" + payload


def reset(client: socket.socket):
    """Closes a connection in the rudest way."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@dataclass
class Reply:
    """What a server said on one connection."""

    # Of HTTP, and of the request that opens a WebSocket; every answer has one.
    statuses: list[int] = field(default_factory=list)
    # Messages of the protocol: JSON where it is, else {"text": …}.
    messages: list[dict] = field(default_factory=list)
    # Why the WebSocket was closed.
    close: int | None = None
    # Whether the server ended the connection.
    ended: bool = False


def exchange(
    server: Server,
    service: str,
    sent: bytes,
    first: bytes = b"",
    half_close: bool = True,
    patience: float = PATIENCE,
) -> Reply:
    """Sends bytes and takes the answers to their end.

    `first`: what is sent before all and waits for an answer. `half_close`: whether the client says
    that nothing follows; else the server must know.
    """
    with server.connect(service, patience) as client:
        client.sendall(first)
        got = client.recv(65536) if first else b""
        try:
            client.sendall(sent)
            if half_close:
                client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # What it said before it closed is still there.
        rest, ended = receive(client)
        return understand(service, got + rest, ended)


def receive(client: socket.socket) -> tuple[bytes, bool]:
    """What comes up to the end, and whether there was an end."""
    got = bytearray()
    try:
        while some := client.recv(65536):
            got += some
        return bytes(got), True
    except TimeoutError:
        return bytes(got), False
    except ConnectionResetError:
        return bytes(got), True


def understand(service: str, got: bytes, ended: bool) -> Reply:
    reply = Reply(ended=ended)
    if service == "native":
        reply.messages = [json.loads(line) for line in got.splitlines()]
    elif service == "wyoming":
        reply.messages = _wyoming_events(got)
    else:
        while got.startswith(b"HTTP/1"):
            got = _answer(got, reply)
        if service != "http":
            _frames(got, reply)
    return reply


def _wyoming_events(got: bytes) -> list[dict]:
    events = []
    while got:
        line, _, got = got.partition(b"\n")
        head = json.loads(line)
        count = head.get("data_length", 0)
        data = json.loads(got[:count]) if count else {}
        events.append({"type": head["type"]} | data)
        got = got[count + head.get("payload_length", 0) :]
    return events


def _answer(got: bytes, reply: Reply) -> bytes:
    """Takes one answer of HTTP; what is behind it is given back."""
    head, _, rest = got.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    reply.statuses.append(int(status.split(" ")[1]))
    if headers.get("transfer-encoding") == "chunked":
        body, rest = _dechunked(rest)
    else:
        count = int(headers.get("content-length", 0))
        body, rest = rest[:count], rest[count:]
    for text in body.decode().split("\n\n") if b"data: " in body else [body.decode()]:
        text = text.removeprefix("data: ")
        is_json = text.startswith("{")
        if text:
            reply.messages.append(json.loads(text) if is_json else {"text": text})
    return rest


def _dechunked(rest: bytes) -> tuple[bytes, bytes]:
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        count = int(size, 16)
        body += rest[:count]
        rest = rest[count + 2 :]
        if count == 0:
            break
    return body, rest


def _frames(got: bytes, reply: Reply):
    while len(got) >= 2:
        opcode, count, start = got[0] & 15, got[1], 2
        if count == 126:
            count, start = int.from_bytes(got[2:4]), 4
        elif count == 127:
            count, start = int.from_bytes(got[2:10]), 10
        payload, got = got[start : start + count], got[start + count :]
        if opcode == CLOSE:
            reply.close = int.from_bytes(payload[:2])
        elif opcode == TEXT:
            is_json = payload.startswith(b"{")
            text = payload.decode()
            reply.messages.append(json.loads(text) if is_json else {"text": text})
