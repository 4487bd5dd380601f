"""The shipped table holds what the reference lists: every id, its doors, its price and its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyperroute.catalog.card import Model
from hyperroute.routing.table import RouteTable
from hyperroute.tables.load import load

ROUTES = Path(__file__).parent.parent.parent / "routes"

CHAT = """gpt-5.5 gpt-5.5-instant gpt-5.5-pro gpt-5.4 gpt-5.4-mini deepseek-v4-pro deepseek-v4-flash
deepseek-v3.2 kimi-k2.6 kimi-k2.5 glm-5.1 glm-5 qwen3-max qwen3.5-plus qwen3.5-flash MiniMax-M2.5"""
MESSAGES = """claude-opus-4-7 claude-opus-4-6 claude-sonnet-4-6 claude-haiku-4-5
managed-claude-opus-4-7-max managed-claude-opus-4-6-max managed-claude-opus-4-5-max
managed-claude-sonnet-4-6-max managed-claude-sonnet-4-5-max managed-claude-haiku-4-5-max"""
RESPONSES = "gpt-5.3-codex gpt-5.3-codex-spark gpt-5.1-codex"
GEMINI = """gemini-3.5-thinking gemini-3.5-fast gemini-3.1-pro-preview gemini-3-pro-preview
gemini-3-flash-preview"""
IMAGES = """gpt-image-2 gpt-4o-image nano_banana nano_banana_2 gemini-3.1-flash-image-preview
gemini-2.5-flash-image-preview flux-kontext-pro flux-2-pro doubao-seedream-4-0 doubao-seedream-4-5
doubao-seedream-5-0 gemini-3.1-flash-image-preview-official flux-kontext-max
gemini-2.5-flash-image-official nano_banana_pro gemini-3-pro-image-preview flux-2-flex
gemini-3-pro-image-preview-official gemini-3-pro-image-preview-4K gemini-3.1-fast-imagen
gemini-3.1-thinking-imagen gemini-3-1-flash-t2i nano-banana-t2i"""
VIDEOS = """happyhorse-1.0 gemini_omni_flash wan2.6-flash kling-2-6 MiniMax-Hailuo-02
doubao-seedance-1-0-pro-fast MiniMax-Hailuo-2.3 wan2.6 kling-video-o1 kling-v3-omni kling-v3
kling-v3-video doubao-seedance-1-0-pro-quality doubao-seedance-2-0 doubao-seedance-2-0-fast
doubao-seedance-1-5-pro Veo3.1-fast-official Veo3.1-quality-official veo3.1-fast veo3.1-quality
vidu-q3-pro grok-video-3 seedance-2-0-turbo-t2v seedance-2-0-t2v seedance-2-0"""
AUDIO = "audio-tts audio-clone audio-asr"
GPU = "sdxl wan-video"
LEGACY = "claude-sonnet-4-5-20250929 claude-3-5-sonnet-20241022 claude-3-5-haiku-20241022"

DOORS = {
    "chat": (CHAT, "chat"),
    "messages": (f"{MESSAGES} {LEGACY} gpt-5.5", "chat"),
    "responses": (f"{RESPONSES} {CHAT}", "chat"),
    "gemini": (GEMINI, "chat"),
    "images": (IMAGES, "image"),
    "videos": (VIDEOS, "video"),
    "audio": (AUDIO, "audio"),
    "gpu": (GPU, "gpu"),
}
UNPRICED = {"gemini-3.5-thinking", "gemini-3.5-fast"}


@pytest.fixture(scope="module")
def table() -> RouteTable:
    return load(ROUTES).table


def resolved(table: RouteTable, name: str) -> Model:
    alias = table.aliases.get(name)
    return table.services[alias.to if alias else name].model


@pytest.mark.parametrize("door", DOORS)
def test_every_id_of_the_reference_is_known_and_enters_where_it_should(
    door: str, table: RouteTable
) -> None:
    names, kind = DOORS[door]
    for name in names.split():
        model = resolved(table, name)
        assert model.kind == kind, name
        assert door in model.endpoints, name


def test_claude_ids_enter_on_messages_alone(table: RouteTable) -> None:
    for name in f"{MESSAGES} {LEGACY}".split():
        assert resolved(table, name).endpoints == {"messages"}, name


def test_codex_ids_enter_on_responses_alone(table: RouteTable) -> None:
    for name in RESPONSES.split():
        assert resolved(table, name).endpoints == {"responses"}, name


def test_managed_ids_are_for_one_client(table: RouteTable) -> None:
    for name in MESSAGES.split():
        managed = name.startswith("managed-")
        clients = resolved(table, name).clients
        assert clients == (frozenset({"claude-code"}) if managed else None), name


def test_every_language_model_is_served_at_a_known_price(table: RouteTable) -> None:
    for name in f"{CHAT} {MESSAGES} {RESPONSES} {GEMINI}".split():
        model = resolved(table, name)
        if name in UNPRICED:
            assert model.offers == (), name
            continue
        assert model.offers, name
        assert model.context is not None, name
        assert model.output is not None, name
        for offer in model.offers:
            assert offer.price, offer.id
            assert {"in", "out"} <= set(offer.price[-1].rates), offer.id


def test_every_price_says_where_it_was_read(table: RouteTable) -> None:
    for service in table.services.values():
        sheets = [sheet for offer in service.model.offers for sheet in offer.price]
        sheets += service.model.sell.price or ()
        for sheet in sheets:
            assert sheet.source, service.model.name


def test_every_credential_is_a_reference_and_every_address_is_https(table: RouteTable) -> None:
    for entry in table.providers.values():
        for key in entry.keys or ():
            assert key.secret.startswith("env:"), entry.name
        assert entry.url is None or entry.url.startswith(("https://", "env:")), entry.name


def test_most_language_models_have_a_second_host(table: RouteTable) -> None:
    served = [resolved(table, name) for name in f"{CHAT} {RESPONSES} {GEMINI}".split()]
    alone = {model.name for model in served if model.offers and len(model.offers) < 2}
    assert alone == {"gpt-5.5-instant", "gpt-5.3-codex-spark", "gemini-3-pro-preview"}
