"""``hyperroute models``: what the table knows, at whose price."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hyperroute.cli.options import Json, Tables, place
from hyperroute.cli.say import answering, columns, emit, no

if TYPE_CHECKING:
    from hyperroute.catalog.card import Model, Offer
    from hyperroute.routing.table import RouteTable

MILLION = 1_000_000


def models(
    text: Annotated[
        str | None, typer.Argument(help="Part of a name, of any case.", show_default=False)
    ] = None,
    *,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="chat, image, video, audio, embed, gpu."),
    ] = None,
    does: Annotated[
        list[str] | None,
        typer.Option("--does", metavar="WORD", help="What it must be able to do; may be repeated."),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option("--provider", metavar="NAME", help="Only what this provider offers."),
    ] = None,
    tables: Tables = None,
    as_json: Json = False,
) -> None:
    """List models with their offers and prices (USD per million tokens, or per unit)."""
    with answering(as_json=as_json):
        from hyperroute.cli.loading import loaded

        table = loaded(place(tables, as_json=as_json)).table
        found = [
            service.model
            for service in table.services.values()
            if _wanted(service.model, text=text, kind=kind, does=does or [], provider=provider)
        ]
        if as_json:
            emit({"models": [_data(model, table) for model in found]})
        else:
            rows = [row for model in found for row in _rows(model, table)]
            for line in columns(
                [("MODEL", "KIND", "CONTEXT", "PROVIDER", "PRICE"), *rows] if rows else []
            ):
                print(line)
        if not found:
            if not as_json:
                print("hyperroute: no listed model is like that", file=sys.stderr)
            no()


def _wanted(
    model: Model, *, text: str | None, kind: str | None, does: list[str], provider: str | None
) -> bool:
    return (
        model.listed
        and (text is None or text.casefold() in model.name.casefold())
        and kind in (None, model.kind)
        and model.does.issuperset(does)
        and (provider is None or any(offer.provider == provider for offer in model.offers))
    )


def _rows(model: Model, table: RouteTable) -> list[tuple[str, ...]]:
    context = "-" if model.context is None else f"{model.context:,}"
    if not model.offers:
        return [(model.name, model.kind, context, "-", "not served")]
    rows: list[tuple[str, ...]] = []
    for number, offer in enumerate(model.offers):
        first = number == 0
        price = prices(offer, table)
        told = ", ".join(f"{meter} {amount}" for meter, amount in price.items()) or "unknown"
        at = offer.provider if offer.variant is None else f"{offer.provider}/{offer.variant}"
        rows.append(
            (
                model.name if first else "",
                model.kind if first else "",
                context if first else "",
                at,
                told,
            )
        )
    return rows


def _data(model: Model, table: RouteTable) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": model.kind,
        "vendor": model.vendor,
        "does": sorted(model.does),
        "endpoints": sorted(model.endpoints),
        "context": model.context,
        "input": model.input,
        "output": model.output,
        "quality": dict(model.quality),
        "offers": [
            {
                "id": offer.id,
                "provider": offer.provider,
                "sends": offer.sends,
                "price_usd": prices(offer, table),
            }
            for offer in model.offers
        ],
    }


def prices(offer: Offer, table: RouteTable) -> dict[str, Decimal]:
    """Return the latest rates by meter: of a million tokens, one image, one second and so on."""
    if not offer.price:
        return {}
    return {
        meter: _shown(meter, rate, table.scale) for meter, rate in offer.price[-1].rates.items()
    }


def _shown(meter: str, rate: int, scale: int) -> Decimal:
    from hyperroute.catalog.price import METERS

    unit = METERS[meter][0] if meter in METERS else "one"
    units = {"tok": MILLION, "second": 1000}.get(unit, 1)
    amount = Decimal(rate) * units / scale
    whole = amount == amount.to_integral()
    return amount.quantize(Decimal(1)) if whole else amount.normalize()
