"""What each key of the language means, for editors and for the reference: one entry, one place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_RESTRICT = {
    "first": "Terms, joined from left to right; later duplicates are dropped.",
    "split": "A choice of one term by a hash of who asks.",
    "match": "The first arm whose conditions all hold.",
    "from": "All listed models whose facts satisfy these conditions; resolved at load.",
    "require": "What every offer of the term must satisfy.",
    "rank": "Order, by `key` or `key ~10%`. Low first: cost sell latency.pNN ttft.pNN load; high first: speed.pNN quality.NAME. Unknown comes last.",
    "take": "How many offers are kept, after require and rank.",
}
_REPLACE = {"replace": "Stands in the place of the same name in an included table."}
_TIMEOUT = "Limits of one attempt; merged with the policy's, the smaller counts."
_PROMISE = "Bounds, proved whenever the table is loaded."

MEANINGS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Provider": _REPLACE
        | {
            "plugin": "Name of an installed provider plugin.",
            "url": "Base URL, or a reference to it. Default: the plugin's own.",
            "keys": "References to credentials; several are rotated. `[]` = none is needed; absent = the plugin's own reference.",
            "region": "Where requests are processed. `eu-central` lies in `eu`.",
            "retain": "How long requests are kept. Unknown when absent.",
            "trains": "Whether requests are used for training. Unknown when absent.",
            "speaks": "Upstream endpoints that this account answers, best first. Default: the plugin's own.",
            "timeout": _TIMEOUT,
            "breaker": "In the place of the policy's; `{cool: 0s}` turns it off.",
            "limits": "Limits of this account: beyond them its offers are skipped.",
            "hidden": "Callers see a digest in place of its name.",
            "headers": "Added to every request; a value may be a reference.",
            "options": "The plugin's own switches, checked against what it declares.",
        },
        "Key": {
            "key": "Reference to a credential.",
            "limits": "Limits of this key alone: beyond them another is tried.",
        },
        "AccountLimits": {
            "rate": "Requests, polls, tokens, images or seconds per s, min, h, day or month.",
            "at_once": "Attempts under way at one time.",
            "budget": "What attempts may cost us per day or month (calendar, UTC): each holds its worst case until its cost is known, and one without a bound has no room.",
        },
        "Timeout": {
            "connect": "Until the connection stands.",
            "first_byte": "Until status and headers.",
            "first_content": "Of a stream: until the first word, thought or tool call.",
            "idle": "Between two events with data; comments do not count.",
            "total": "Of the whole attempt.",
        },
        "Breaker": {
            "open": "Lines such as `5 in a row` or `50% of 20 in 30s`; any one opens.",
            "cool": "How long the offer is left alone at first.",
            "cool_max": "How long at most, as failures go on.",
        },
        "Model": _REPLACE
        | {
            "kind": "What is asked for and answered.",
            "offers": "Who serves it, in the order of fallback; `[]` = known, not served.",
            "vendor": "Whose weights these are.",
            "tags": "Words of your own, for conditions.",
            "quality": "Scores from 0 to 100 by name, for conditions and ranks.",
            "listed": "Whether it is shown and chosen by intents.",
            "does": "What it can do. Chat: tools parallel_tools vision pdf audio_in json_object json_schema thinking effort prompt_cache web_search logprobs. What is not said does not hold.",
            "context": "Tokens of input and output together. Unknown when absent.",
            "input": "Tokens of the input alone.",
            "output": "Tokens of the output alone.",
            "endpoints": "Where a request may enter; others get a 400 that names these. Default: all of its kind.",
            "takes": "Shape of its requests, or a name in `shapes`. Default: anything passes.",
            "use": "A term over its own offers: their order.",
            "instead": "Declared equivalents, tried after its own offers and never dearer for the caller.",
            "sell": "What the caller pays: a sheet, a name in `prices`, `cost`, or `cost + 15%`.",
            "wait": "How long a connection is held before a job is answered with 202. Loaded; jobs are not served yet.",
            "max_run": "Longest execution, for meters by running time.",
            "fps": "Frames a second, for video tokens.",
            "clients": "Names of the clients that may use it; others get 403.",
            "promise": _PROMISE,
        },
        "Offer": {
            "at": "The provider.",
            "variant": "Tells two offers at one provider apart.",
            "sends": "The provider's own id of the model; `*` stands for what a pattern matched. Default: the model's name.",
            "price": "A sheet or a name in `prices`. Absent = unknown, which never passes a cap.",
            "does": "What it does at this host, in the model's place.",
            "context": "At this host.",
            "input": "At this host.",
            "output": "At this host.",
            "region": "At this host, in the provider's place.",
            "retain": "At this host, in the provider's place.",
            "trains": "At this host, in the provider's place.",
            "tags": "At this host.",
            "takes": "Narrows the model's shape; what does not fit drops the offer.",
            "batch": "Results that one call makes, of a larger n several calls.",
            "fields": "Parameter to the host's own name of it.",
            "adds": "Members put into every request body.",
            "job": "How a job at this host is followed; absent = inline. Loaded; jobs are not served yet.",
            "limits": "Limits of this offer: beyond them it is skipped.",
            "timeout": _TIMEOUT,
        },
        "Shape": _REPLACE | {"rules": "What depends on other parameters."},
        "Parameter": {
            "one_of": "The values that are taken.",
            "range": "From … to, both included; an end may be left out.",
            "max": "Characters of a text.",
            "count": "Length of a list: a range, or the lengths that are taken.",
            "source": "How references come: https, data, or both.",
            "bytes": "Size of each reference.",
            "length": "Length of a clip.",
            "pixels": "Word to size in pixels; the words are the values that are taken.",
            "area": "Range of width by height.",
            "default": "Filled in and sent when absent.",
            "required": "A request without it is refused.",
            "else": "What happens to other values: refuse, clamp (from above only), or default.",
        },
        "Rule": {
            "when": "Conditions on parameters.",
            "then": "What others may be then.",
            "sum": "Parameters whose counts are added.",
            "max": "What the sum may be.",
        },
        "Sheet": _REPLACE
        | {
            "from": "First day; the latest row that has begun counts. Absent = always.",
            "per": "What the rates are for: `1M tok`, `60 second`. Only meters of that unit are scaled.",
            "currency": "100 credit = 1 usd.",
            "tiers": "The first whose conditions hold replaces the rates it names, for the whole request.",
            "step": "Quantities are rounded up to multiples of this.",
            "source": "Where the price was read, and when.",
            "charged": "What of a failed answer is paid: its usage, nothing, or every attempt.",
        },
        "Tier": {"when": "Conditions on parameters and on `in`, all input tokens."},
        "Job": {
            "poll": "Time between two looks.",
            "within": "Time until it counts as failed.",
            "cancel": "Whether the host can cancel.",
            "notify": "Whether the host calls back.",
        },
        "Instead": {
            "model": "The equivalent.",
            "after": "Failure classes after which it is tried.",
        },
        "Alias": _REPLACE | {"to": "Model or intent.", "listed": "Whether it is shown."},
        "Intent": _REPLACE
        | {key: _RESTRICT[key] for key in ("from", "require", "rank", "take")}
        | {
            "kind": "What is asked for and answered.",
            "listed": "Whether it is shown.",
            "default": "Parameters that are filled in when absent.",
            "use": "A term, in the place of from, rank and take.",
            "promise": _PROMISE,
        },
        "Chain": _REPLACE | _RESTRICT | {"promise": _PROMISE},
        "Term": _RESTRICT,
        "Split": {
            "by": "Who is hashed.",
            "arms": "Name to share; 100% in all.",
            "salt": "Changes who falls where.",
            "rest": "Whether the other arms follow behind, so that an outage spreads.",
        },
        "MatchArm": {"when": "Conditions; absent in the last arm.", "use": "The term."},
        "Policy": _REPLACE
        | {
            "for": "Conditions on request and caller; absent = always.",
            "require": "What every offer must satisfy.",
            "cap": "What one request may cause.",
            "timeout": "Limits of one attempt; the smaller counts.",
            "retry": "What is repeated.",
            "errors": "Failure class to reaction; the stricter counts.",
            "breaker": "When an offer is left alone.",
            "stream": "When a stream is committed.",
            "lossy": "Whether a translation that loses something is reported or refused.",
        },
        "Cap": {
            "attempts": "Conversations with providers, 1 to 8.",
            "time": "From the first to the last byte, over all attempts.",
            "cost": "Of an offer's price for this request.",
            "in": "Input tokens.",
            "out": "Output tokens: more are refused, and a request without a limit is sent with it.",
        },
        "Retry": {
            "per_offer": "Repetitions at the same offer.",
            "rotate": "Further keys that are tried at one offer.",
            "base": "First wait; each is drawn from 0 to its bound.",
            "factor": "Growth of the bound.",
            "max": "Largest bound.",
            "jitter": "`full` draws the wait, `none` waits the bound.",
            "budget": "Share of first attempts that may be repeated, and a floor.",
        },
        "Stream": {
            "commit": "From when on there is no failover: first content, or first byte.",
            "hold": "Bytes that are held back at most until then.",
        },
        "Limit": _REPLACE
        | {
            "per": "Whose counter it is. Per user, key, org and model requests count, as the gateway lets them in; per provider, offer and credential attempts, wherever they are made.",
            "for": "Conditions; absent = always.",
            "rate": "Quantity per time. It flows evenly, and a month is thirty days; `burst` may come at once, by default the whole amount.",
            "at_once": "Requests under way at one time; per provider, offer and credential attempts.",
            "floor": "Balance that is needed to enter; per user or per org, whose wallet it is.",
            "budget": "Money, or a fact, per day or month (calendar, UTC). The worst case is held from the beginning, so that it is never exceeded.",
            "hold": "Beside floor, what is set aside in the wallet: `none` asks for the floor and charges in full, else the worst case.",
            "warn": "Shares at which somebody is told.",
            "over": "What happens beyond it. `stop`: refused; `wait TIME`: held so long for a rate or a slot; `next`: others are tried, per model, provider, offer or credential, of which the last three do so anyhow; `disable`: refused, and the key is inactive; `observe`: counted only.",
        },
        "Fact": _REPLACE
        | {
            "one_of": "Its values.",
            "type": "text, count or money.",
            "default": "When the caller tells nothing; absent = unknown.",
        },
        "Promise": {
            "attempts": "Attempts at most.",
            "cost": "Cost at most.",
            "time": "Time at most.",
            "survives": "An outage of so many providers, offers or regions.",
            "never": "Conditions that no offer it uses satisfies.",
            "for": "Conditions under which it is promised.",
        },
        "Test": {
            "name": "A sentence.",
            "given": "The request and its world; further keys are parameters and facts.",
            "expect": "What must come out; what is not said is not looked at.",
        },
        "Given": {
            "model": "The model asked for, or",
            "intent": "the intent.",
            "in": "Input, `2k tok`.",
            "out": "Output that the caller allows, and that an answer has.",
            "needs": "Capabilities that the request needs.",
            "down": "Providers and offers that are known to be down.",
            "at": "The day, for dated prices. Absent = the newest rows.",
            "script": "Offer to what its attempts do: `ok`, a failure class, `cut after 20 tok`, `slow 5s`; the last stays.",
            "fallback": "`false` forbids equivalents.",
            "providers": "Only these, or not these.",
            "max_cost": "What the caller would pay at most.",
            "deadline": "The caller's own time.",
            "cache": "Whether a cache mark may be added.",
        },
        "Providers": {"only": "No other providers.", "avoid": "Not these providers."},
        "Expect": {
            "served": "Offer whose answer was delivered whole.",
            "attempts": "How many were made.",
            "order": "The plan's candidates, all of them, in order.",
            "never": "Conditions that no attempted offer satisfies.",
            "cost": "What all attempts cost together, at most.",
            "ends": "served, exhausted, interrupted or refused.",
            "error": "Failure class, or code of a refusal, that the caller is told of.",
            "status": "HTTP status that the caller gets.",
            "rejected": "Offer to the requirement that it fails.",
        },
    }
)
"""Kind of map to key to meaning."""

__all__ = ["MEANINGS"]
