"""What no client should send, and what each protocol says to it: the table of `test_malformed`.

Bytes that no WebSocket, and no server of HTTP, would let through are told from messages that are
whole and wrong. The codec's own table is Tests/WireTests/MalformedCases.swift; here the bytes go
through a socket, where they may also be late, torn or never end.
"""

import math
import struct
from dataclasses import dataclass

from support import opening
from wire import (
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    chunked,
    event,
    form,
    frame,
    part,
    post,
    request,
    upgrade,
    wav_file,
)


@dataclass(frozen=True)
class Refused:
    """The protocol's own error. Vosk, WeNet and sherpa-onnx have none of the codes."""

    code: str
    says: str = ""


@dataclass(frozen=True)
class Closed:
    """A close frame of this code; after the protocol's own error, unless all is well."""

    code: int


@dataclass(frozen=True)
class Status:
    """An answer of HTTP without a word of OpenAI's."""

    code: int


@dataclass(frozen=True)
class Taken:
    """No error at all: a last message that says this, or none where nothing is to be said."""

    says: str = ""


@dataclass(frozen=True)
class Case:
    name: str
    service: str
    sent: bytes
    expected: Refused | Closed | Status | Taken
    # What is sent before all and answered: the request that opens a WebSocket.
    first: bytes = b""
    # Whether the client says that nothing follows; else the server must end the connection.
    half_close: bool = True


SILENCE = bytes(3200)
NAN, INFINITY, HUGE = (struct.pack("<f", value) for value in (math.nan, -math.inf, 3e38))
# Nothing of the model's spells it.
UNSPELLABLE = "na\u00efve7"


def native() -> list[Case]:
    def case(name: str, sent: bytes, code: str, says: str = "") -> Case:
        return Case(f"native, {name}", "native", sent, Refused(code, says))

    def option(name: str, code: str, says: str = "", **options) -> Case:
        return case(name, opening(**options), code, says or next(iter(options)))

    def framed(name: str, sent: bytes, code: str) -> Case:
        return case(f"portions, {name}", opening(framing="length") + sent, code)

    def line(text: str) -> bytes:
        return b'{"protocol":"starling",' + text.encode() + b"}\n"

    return [
        case("nothing", b"", "truncated"),
        case("half a line", b'{"protocol":', "truncated"),
        case("an empty line", b"\n", "malformed"),
        case("no JSON", b"{\n", "malformed"),
        case("a list", b"[]\n", "invalid_value"),
        case("null", b"null\n", "invalid_value"),
        case("not UTF-8", b"\xff\xfe\n", "malformed"),
        case("zeros", bytes(20) + b"\n", "malformed"),
        case("HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "malformed"),
        case("TLS", bytes.fromhex("16030102000100 01fc0303") + bytes(range(99)), "malformed"),
        case("no protocol", b"{}\n", "missing_field", "protocol"),
        case("another protocol", b'{"protocol":"vosk"}\n', "invalid_value", "protocol"),
        case("nested without end", b"[" * 100_000 + b"\n", "malformed"),
        case("a line without end", b" " * 300_000, "too_large"),
        option("another version", "unsupported", version=2),
        option("an unknown field", "unknown_field", colour="red"),
        option("a path for a model", "unknown_field", model="../../../etc/passwd"),
        option("no latency", "invalid_value", latency="soon"),
        option("a latency of nothing", "invalid_value", latency="0/0"),
        option("a latency of years", "invalid_value", latency="99999999/99999999"),
        option("a long latency", "too_large", latency="1" * 99),
        option("no final pass", "invalid_value", final_pass="magic"),
        option("a low rate", "invalid_value", sample_rate=1),
        option("a rate as text", "invalid_value", sample_rate="16000"),
        case("a rate without bounds", line('"sample_rate":1e300'), "invalid_value", "sample_rate"),
        option("no channel", "invalid_value", channels=0),
        option("many channels", "invalid_value", channels=65),
        option("no encoding", "invalid_value", encoding="mp3"),
        option("many texts", "invalid_value", n_best=101),
        option("time backwards", "invalid_value", partial_interval_ms=-1),
        option("a number for a token", "invalid_value", token=1),
        option("no language model", "unsupported", lm_weight=1),
        option("to resume", "not_found", resume="yesterday", next_utterance=0),
        option("to resume anywhere", "missing_field", "next_utterance", resume="yesterday"),
        option("an empty phrase", "invalid_value", hot_words=[{"phrase": ""}]),
        option("no word", "invalid_value", hot_words=[{"phrase": UNSPELLABLE}]),
        option("many phrases", "too_large", hot_words=[{"phrase": "a"}] * 1001),
        option("a boost", "invalid_value", hot_words=[{"phrase": "a", "boost": 99}]),
        case("NaN", line('"hot_words":[{"phrase":"a","boost":NaN}]'), "malformed"),
        option("no pause", "invalid_value", endpoint={"silence": 0}),
        framed("a long one", b"\xff\xff\xff\xff", "too_large"),
        framed("half a length", b"\1\0", "truncated"),
        framed("half of one", b"\4\0\0\0\0", "truncated"),
        framed("no end", b"\2\0\0\0\0\0", "truncated"),
        framed("more behind the end", bytes(4) + b"more", "unexpected_message"),
        Case("native, WAV", "native", opening() + wav_file(), Taken("end")),
        case("a file of FLAC", opening() + b"fLaC" + bytes(10), "malformed", "FLAC"),
        case("samples that are none", opening(encoding="f32le") + NAN * 1600, "malformed"),
        case("samples without bounds", opening(encoding="f32le") + HUGE * 1600, "malformed"),
        Case(
            "native, half a sample at the end", "native", opening() + bytes(3201), Taken("end")
        ),
        Case(
            "native, the server ends it", "native", b"{\n", Refused("malformed"), half_close=False
        ),
    ]


def messages() -> list[Case]:
    """Whole messages over WebSockets that their protocols have no use for."""

    def case(service: str, name: str, says: str, *sent: bytes | str) -> Case:
        bytes_sent = b"".join(map(frame, sent))
        expected = Refused("", says)
        return Case(f"{service}, {name}", service, bytes_sent, expected, upgrade(), False)

    start = '{"signal":"start"}'
    return [
        case("vosk", "no JSON", "not JSON", "{"),
        case("vosk", "a list", "list", "[]"),
        case("vosk", "nothing", "config", "{}"),
        case("vosk", "nested without end", "nested", "[" * 100_000),
        case("vosk", "a number for a config", "config", '{"config":7}'),
        case("vosk", "a high rate", "sample_rate", '{"config":{"sample_rate":1e9}}'),
        case("vosk", "an end as text", "eof", '{"eof":"1"}'),
        case("vosk", "texts below none", "max_alt", '{"config":{"max_alternatives":-1}}'),
        case("vosk", "numbers for phrases", "phrase", '{"config":{"phrase_list":[1]}}'),
        case(
            "vosk", "no word", "spelled",
            '{"config":{"phrase_list":["%s"]}}' % UNSPELLABLE, SILENCE,
        ),
        case("vosk", "a late config", "config", SILENCE, '{"config":{"sample_rate":16000}}'),
        case("vosk", "half a sample", "16-bit", b"odd"),
        case("vosk", "a long message", "at most", bytes(3 << 19)),
        case("wenet", "no JSON", "not JSON", "{"),
        case("wenet", "audio first", "before", SILENCE),
        case("wenet", "an end first", "before", '{"signal":"end"}'),
        case("wenet", "no signal", "stop", '{"signal":"stop"}'),
        case("wenet", "texts below none", "nbest", '{"signal":"start","nbest":-1}'),
        case("wenet", "a number as text", "nbest", '{"signal":"start","nbest":"1"}'),
        case("wenet", "two starts", "second", start, start),
        case("wenet", "half a sample", "16-bit", start, b"odd"),
        case("wenet", "a long message", "at most", start, bytes(3 << 20)),
        case("sherpa", "another word", "Done", "done"),
        case("sherpa", "half a sample", "32-bit", b"odd"),
        case("sherpa", "not a number", "finite", NAN),
        case("sherpa", "no end", "finite", INFINITY),
        case("sherpa", "samples without bounds", "finite", HUGE * 1600),
        case("sherpa", "a long message", "at most", bytes(3 << 20)),
        case("vosk", "a file of FLAC", "FLAC", b"fLaC" + bytes(8000)),
        case("wenet", "a file of Ogg", "Ogg", start, b"OggS" + bytes(8000)),
        case("sherpa-python", "JSON", "Done", "{}"),
        case("sherpa-python", "half a sample", "32-bit", b"odd"),
    ]  # fmt: skip


def frames() -> list[Case]:
    """What is no WebSocket: RFC 6455 says how each is closed."""

    def case(
        name: str, sent: bytes, code: int = 1002, half_close: bool = False
    ) -> Case:
        return Case(f"frames, {name}", "vosk", sent, Closed(code), upgrade(), half_close)

    def closing(name: str, reason: bytes) -> Case:
        return case(f"a close {name}", frame(reason, opcode=CLOSE), 1000)

    return [
        case("without a mask", frame("{}", masked=False)),
        case("an opcode that is reserved", frame(b"x", opcode=3)),
        case("a control that is reserved", frame(b"x", opcode=11)),
        case("bits that are reserved", frame(b"xx", reserved=4)),
        Case(
            "frames, text that is not UTF-8", "vosk", frame(b"\xff\xfe", opcode=TEXT),
            Refused("", "UTF-8"), upgrade(), half_close=False,
        ),
        case("a long ping", frame(bytes(126), opcode=PING)),
        case("a ping in pieces", frame(b"x", opcode=PING, last=False)),
        case("the second before the first", frame(b"xx", opcode=CONTINUATION)),
        case("two at a time", frame(SILENCE, last=False) + frame(SILENCE)),
        case("no end of pieces", frame(last=False) + frame(b"", CONTINUATION, False) * 5000, 1009),
        case(
            "long in pieces",
            frame(bytes(1 << 20), last=False) + frame(bytes(1 << 20), CONTINUATION, False) * 5,
            1009,
        ),
        case("too long", frame(bytes(5 << 20)), 1009),
        case("a length of years", frame(length=1 << 40), 1009),
        case("a length below none", bytes([0x82, 0xFF]) + b"\xff" * 8 + bytes(4), 1009),
        case("noise", bytes(range(256)) * 20),
        case("HTTP again", upgrade()),
        # Whoever closes badly is let go all the same.
        closing("of half a code", b"x"),
        closing("of no code", struct.pack("!H", 999)),
        closing("that is not UTF-8", struct.pack("!H", 1000) + b"\xff"),
        case("more behind a close", frame(struct.pack("!H", 1000), CLOSE) + frame("{"), 1000),
        # A connection that ends within a frame was lost; nobody is there to be told more.
        case("half of one", frame(SILENCE)[:1000], 1000, half_close=True),
        case("half of a config", frame('{"config":{}}')[:9], 1000, half_close=True),
    ]  # fmt: skip


def handshakes() -> list[Case]:
    """Requests that open no WebSocket."""

    def case(name: str, sent: bytes, status: int, half_close: bool = True) -> Case:
        return Case(f"handshake, {name}", "vosk", sent, Status(status), half_close=half_close)

    def refused(name: str, sent: bytes, code: str = "malformed", says: str = "handshake") -> Case:
        return Case(f"handshake, {name}", "vosk", sent, Refused(code, says))

    def page(name: str, service: str, path: str, sent: bytes) -> Case:
        return Case(f"handshake, {name}", service, sent, Refused("not_found", path))

    many = {f"X-{index}": "y" for index in range(5000)}
    http2 = upgrade(Upgrade="h2c", Connection="Upgrade, HTTP2-Settings", HTTP2_Settings="AAMAAA")
    return [
        refused(
            "from a page elsewhere", upgrade(Origin="https://evil.example"), "forbidden", "pages"
        ),
        refused("with a short key", upgrade(Sec_WebSocket_Key="short")),
        refused("of an old version", upgrade(Sec_WebSocket_Version="7")),
        refused("of no version", upgrade(Sec_WebSocket_Version=None)),
        refused("by POST", upgrade().replace(b"GET", b"POST")),
        refused("without a host", upgrade(Host=None)),
        refused("of HTTP/2", http2),
        # The server must not wait for more of what is no HTTP.
        case("of a long line", upgrade(X="x" * 200_000), 400, half_close=False),
        case("of many lines", request("GET", "/", **many), 400, half_close=False),
        case("noise", b"\x16\x03\x01" + bytes(range(200)), 400, half_close=False),
        case("half of one", upgrade()[:40], 400),
        Case("handshake, none", "vosk", b"", Taken()),
        page("none at all", "vosk", "/", request("GET", "/", Host="localhost")),
        # To what it does not know a server says what it would say without the Upgrade.
        page("without a key", "vosk", "/", upgrade(Sec_WebSocket_Key=None)),
        page("on the port of HTTP", "http", "/nowhere", upgrade("/nowhere")),
    ]


def wyoming() -> list[Case]:
    def case(name: str, sent: bytes, code: str, says: str = "") -> Case:
        return Case(f"wyoming, {name}", "wyoming", sent, Refused(code, says))

    def fine(name: str, sent: bytes, says: str = "") -> Case:
        return Case(f"wyoming, {name}", "wyoming", sent, Taken(says))

    def head(text: str) -> bytes:
        return b'{"type":"a",' + text.encode() + b"}\n"

    def audio(rate: int = 16000, width: int = 2, channels: int = 1) -> dict:
        return {"rate": rate, "width": width, "channels": channels}

    names = event("transcribe", {"transcript_names": [UNSPELLABLE]})
    return [
        case("no JSON", b"nonsense\n", "malformed"),
        case("an empty line", b"\n", "malformed"),
        case("HTTP", request("GET", "/", Host="localhost"), "malformed"),
        case("not UTF-8", b'{"type":"\xff"}\n', "malformed"),
        case("no type", b"{}\n", "missing_field", "type"),
        case("a number for a type", b'{"type":1}\n', "invalid_value", "type"),
        case("half a line", b'{"type":"describe"}', "truncated"),
        case("a line without end", b"x" * 200_000, "too_large"),
        case("a list of data", head('"data":[]'), "invalid_value", "data"),
        case("data below none", head('"data_length":-1'), "invalid_value", "data_length"),
        case("data without bounds", head('"data_length":1e18'), "invalid_value", "data_length"),
        case("long data", head('"data_length":999999'), "too_large", "data_length"),
        case("data that is no JSON", head('"data_length":2') + b"{x", "malformed"),
        case("a long payload", head('"payload_length":99999999'), "too_large", "payload_length"),
        case("half a payload", head('"payload_length":2') + b"x", "truncated"),
        case("audio of no rate", event("audio-start"), "missing_field", "rate"),
        case("a rate of 0", event("audio-start", audio(rate=0)), "invalid_value", "rate"),
        case("24 bits", event("audio-start", audio(width=3)), "invalid_value", "width"),
        case("no channel", event("audio-start", audio(channels=0)), "invalid_value", "channels"),
        case("half a sample", event("audio-chunk", audio(), b"odd"), "malformed"),
        case(
            "a change of rate",
            event("audio-start", audio()) + event("audio-chunk", audio(8000), b"12"),
            "invalid_value", "changed",
        ),
        case("a number for context", event("transcribe", {"context": 1}), "invalid_value"),
        case("no word", names + event("audio-start", audio()), "invalid_value", "spelled"),
        fine("a stop first", event("audio-stop")),
        fine("an unknown event", event("synthesize") + event("describe"), "info"),
        fine(
            "a path for a model",
            event("transcribe", {"name": "../../../etc/passwd"}) + event("describe"), "info",
        ),
        fine("no stop", event("audio-chunk", audio(), SILENCE), "transcript-stop"),
    ]  # fmt: skip


TRANSCRIPTIONS = "/v1/audio/transcriptions"


def http() -> list[Case]:
    """Requests; what is no HTTP gets no more than a status."""

    def status(name: str, sent: bytes, code: int = 400) -> Case:
        return Case(f"http, {name}", "http", sent, Status(code))

    def case(name: str, sent: bytes, code: str, says: str = "") -> Case:
        return Case(f"http, {name}", "http", sent, Refused(code, says))

    def fine(name: str, sent: bytes, says: str) -> Case:
        return Case(f"http, {name}", "http", sent, Taken(says))

    def head(*lines: str) -> bytes:
        return "\r\n".join(("GET /healthz HTTP/1.1", *lines, "", "")).encode("latin-1")

    def body(length: str, content: bytes = b"hello") -> bytes:
        """A form whose headers say in other ways how long it is."""
        kind = "Content-Type: multipart/form-data; boundary=edge"
        lines = [f"POST {TRANSCRIPTIONS} HTTP/1.1", "Host: localhost", kind, "Connection: close"]
        return "\r\n".join((*lines, length, "", "")).encode() + content

    whole = form(wav_file())
    smuggled = b"0\r\n\r\n" + request("GET", "/metrics", Host="localhost")
    chunks = "Transfer-Encoding: chunked"
    many = {f"X-{index}": "y" for index in range(20_000)}
    return [
        case("no page", request("GET", "/nowhere", Host="a"), "not_found", "/nowhere"),
        case("a path upwards", request("GET", "/../../etc/passwd", Host="a"), "not_found"),
        case("a model upwards", request("GET", "/v1/models/..%2f..%2fx", Host="a"), "not_found"),
        case("a page to write", request("POST", "/healthz", Content_Length="0"), "unsupported"),
        case("no transcription to read", request("GET", TRANSCRIPTIONS, Host="a"), "unsupported"),
        case("another server", request("CONNECT", "evil.example:443", Host="a"), "unsupported"),
        status("noise", b"\x16\x03\x01" + bytes(range(200))),
        status("another version", b"GET /healthz HTTP/9.9\r\n\r\n"),
        status("a line without a colon", head("Host a")),
        status("a space before a colon", head("Host : a")),
        status("a line that goes on", head("Host: a", "A: b", " c")),
        status("a zero in a line", head("Host: a", "A: b\0c")),
        status("a long line", request("GET", "/healthz", X="x" * 1_000_000)),
        status("many lines", request("GET", "/healthz", **many)),
        status("a long path", request("GET", "/" + "x" * 200_000, Host="a")),
        status("a length below none", body("Content-Length: -1")),
        status("a length of letters", body("Content-Length: five")),
        status("a length with a sign", body("Content-Length: +5")),
        status("a length without bounds", body("Content-Length: 99999999999999999999")),
        status("a list of lengths", body("Content-Length: 5, 5")),
        status("two lengths", body("Content-Length: 5\r\nContent-Length: 6")),
        status("a length and chunks", body(f"Content-Length: 4\r\n{chunks}", smuggled)),
        status("chunks of chunks", body(f"{chunks}\r\nTransfer-Encoding: identity", smuggled)),
        status("chunks by another name", body("Transfer-Encoding: xchunked", smuggled)),
        status("a body cut off", body("Content-Length: 99999", whole)),
        status("a chunk of letters", body(chunks, b"zz\r\n")),
        status("a chunk below none", body(chunks, b"-1\r\n")),
        status("a chunk without bounds", body(chunks, b"f" * 20 + b"\r\n")),
        status("a chunk cut off", body(chunks, chunked(whole)[:500])),
        status("chunks without an end", body(chunks, chunked(whole))),
        fine("chunks", body(chunks, chunked(whole[:99], whole[99:]) + b"0\r\n\r\n"), "usage"),
        fine("five at once", request("GET", "/healthz", Host="a") * 5, "ok"),
        case("no body", body("A: b", b""), "truncated"),
    ]


def uploads() -> list[Case]:
    def case(name: str, sent: bytes, code: str, says: str = "", kind: str = "") -> Case:
        request = post(sent, kind) if kind else post(sent)
        return Case(f"upload, {name}", "http", request, Refused(code, says))

    def field(name: str, code: str, **fields: str | None) -> Case:
        return case(name, form(wav_file(), **fields), code, next(iter(fields)))

    def file(name: str, content: bytes, says: str, called: str = "a.wav", **fields: str) -> Case:
        return case(name, form(content, called, **fields), "invalid_value", says)

    kind = "multipart/form-data"
    whole = form(wav_file())
    unknown = "not a known audio format"
    return [
        case("JSON", b"{}", "unsupported", kind="application/json"),
        case("no boundary", whole, "malformed", "boundary", kind),
        case("an empty boundary", whole, "malformed", "boundary", f'{kind}; boundary=""'),
        case("a long boundary", whole, "malformed", "boundary", f"{kind}; boundary={'x' * 300}"),
        case("another boundary", whole, "truncated", kind=f"{kind}; boundary=other"),
        case("cut off", whole[:-20], "truncated"),
        case("a long head", b"--edge\r\nA: " + b"x" * 100_000 + b"\r\n\r\n", "too_large"),
        case("many parts", part('name="x"', b"") * 3000 + b"--edge--\r\n", "too_large"),
        case("a part without a name", part("x=1", b"") + whole, "malformed"),
        case("not UTF-8", whole.replace(b"\r\nm\r\n", b"\r\n\xff\r\n"), "malformed", "model"),
        case("no file", form(None), "missing_field", "file"),
        case("an empty file", form(b""), "invalid_value", "file"),
        case("two files", part('name="file"', b"x") + whole, "invalid_value", "twice"),
        field("no model", "missing_field", model=None),
        field("a long prompt", "too_large", prompt="x" * 200_000),
        field("no temperature", "invalid_value", temperature="nan"),
        field("no format", "invalid_value", response_format="xml"),
        field("subtitles as they come", "unsupported", stream="true", response_format="srt"),
        field("no word", "invalid_value", keywords=UNSPELLABLE),
        file("a name upwards", b"no audio", unknown, "../../../../tmp/starling-evil.wav"),
        file("a picture", b"\x89PNG\r\n\x1a\n" + bytes(1000), unknown),
        file("an archive", b"PK\3\4" + bytes(1000), unknown),
        file("nearly mp3", b"\xff\xfb\x90\0" + b"noise" * 1000, unknown, "a.mp3"),
        file("nearly Ogg", b"OggS" + b"noise" * 1000, unknown, "a.ogg"),
        file("as they come", b"no audio", unknown, stream="true"),
        file("WAV, no sample", wav_file(b""), "without any samples"),
        file("WAV, half a head", wav_file()[:20], "header"),
        file("WAV, cut off", wav_file(count=1 << 30), "truncated"),
        file("WAV of 0 Hz", wav_file(rate=0), "0 Hz"),
        file("WAV of 4 GHz", wav_file(rate=4_000_000_000), "4000000000 Hz"),
        file("WAV of no channel", wav_file(channels=0), "0 channels"),
        file("WAV of 65535 channels", wav_file(channels=65535), "65535"),
        file("WAV that is not a number", wav_file(NAN * 800, 3, bits=32), "finite"),
        Case(
            "upload, WAV of no stated end", "http", post(form(wav_file(count=0xFFFFFFFF))),
            Taken("usage"),
        ),
    ]  # fmt: skip


# The Realtime WebSocket at /v1/realtime of the listener for HTTP wants cases of its own here.
ALL = native() + messages() + frames() + handshakes() + wyoming() + http() + uploads()
