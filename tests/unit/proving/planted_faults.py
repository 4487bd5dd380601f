"""One hundred tables with one planted fault each, and the same tables mended.

``«bad|good»`` is the fault and its mending. ``P`` is a price, ``M`` a plain model at one host. A
provider is written out where a table uses it.
"""

PROVIDERS = {
    "us": "{plugin: openai, keys: [env:US_KEY], region: us, retain: 30d, trains: false}",
    "us2": "{plugin: openai, keys: [env:US2_KEY], region: us-east, retain: 30d, trains: false}",
    "eu": "{plugin: openai, keys: [env:EU_KEY], region: eu, retain: 0d, trains: false}",
    "cn": "{plugin: openai, keys: [env:CN_KEY], region: cn, retain: 60d, trains: true}",
    "dark": "{plugin: openai, url: https://dark.example/v1, keys: [env:DARK_KEY]}",
    "duo": "{plugin: openai, keys: [env:DUO_1, env:DUO_2, env:DUO_3], region: us, retain: 30d, trains: false}",
}
PRICE = "price: {per: 1M tok, in: 1, out: 2}"
CHEAP = "price: {per: 1M tok, in: 0.1, out: 0.2}"
DEAR = "price: {per: 1M tok, in: 9, out: 18}"


def model(does="[tools]", more=""):
    return f"{{kind: chat, does: {does}, context: 100k, output: 8k{more}, offers: [{{at: us, P}}]}}"


M = model()
TWO = f"models: {{a: {M}, b: {M}}}\n"
ONE = f"models: {{a: {M}}}\n"

ARMS = [
    TWO
    + "intents: {i: {kind: chat, use: {match: [{when: {«req.kind: image|req.stream: true»}, use: b}, {use: a}]}}}",
    TWO
    + "intents: {i: {kind: chat, use: {match: [{when: {req.stream: true}, use: b}, «{when: {req.stream: false}, use: a}, |»{use: a}]}}}",
    TWO
    + 'intents: {i: {kind: chat, use: {match: [{when: {req.tokens: "> 9k"}, use: b}, «{when: {req.tokens: "<= 9k"}, use: a}, |»{use: a}]}}}',
    TWO
    + 'intents: {i: {kind: chat, use: {match: [{when: {req.tokens: "> 9k"}, use: b}, {when: {req.tokens: "«< 10k|< 8k»"}, use: a}, {when: {req.stream: true}, use: b}, {use: a}]}}}',
    "facts: {org.plan: {one_of: [free, pro], default: free}}\n"
    + TWO
    + "intents: {i: {kind: chat, use: {match: [{when: {org.plan: free}, use: b}, «{when: {org.plan: pro}, use: a}, |»{use: a}]}}}",
    TWO
    + "intents: {i: {kind: chat, use: {match: [{when: {org.region: eu}, use: {match: [{when: {org.region: «us|eu, req.stream: true»}, use: a}, {use: b}]}}, {use: b}]}}}\n"
    + "policies: {r: {for: {org.region: eu}, require: {region: us}}}",
    TWO + "intents: {i: {kind: chat, use: {first: [a, «a|b»]}}}",
    TWO + "chains: {c: {first: [a, b]}}\nintents: {i: {kind: chat, use: {first: [c«, b|»]}}}",
    TWO
    + "intents: {i: {kind: chat, use: {first: [{split: {by: user, arms: {a: 50%, b: 50%}, rest: true}}«, a|»]}}}",
]

DEAD = [
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: «cn|us2», P}]}}\npolicies: {p: {require: {region: us}}}",
    "models: {a: {kind: chat, offers: [{at: eu, P}, {at: «us|eu, variant: v», P}]}}\npolicies: {p: {require: {retain: 0d}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: «cn|us2», P}]}}\npolicies: {p: {require: {trains: false}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2«|, P»}]}}\npolicies: {p: {cap: {cost: 1 usd}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: «dark|eu», P}]}}\npolicies: {p: {for: {req.kind: chat}, require: {region: given}}}",
    "models: {a: {kind: chat, tags: [ok], offers: [{at: us, P}, {at: us2, «tags: [new], |»P}]}}\npolicies: {p: {require: {tags: ok}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2, P}], use: {first: [a@us«|, a@us2»]}}}",
    "models: {a: {kind: chat, context: 200k, offers: [{at: us, P}, {at: us2, P«, context: 8k|»}]}}\npolicies: {p: {require: {context: 100k}}}",
]

ALIASES = [
    'models: {"v/*": {kind: chat, offers: [{at: us, P}]}, a: {kind: chat, offers: [{at: us, P}]}}\naliases: {«v/x|w/x»: a}',
    'models: {"v/*": {kind: chat, offers: [{at: us, P}]}, "w/*": {kind: chat, offers: [{at: us, P}]}}\naliases: {v/x: «w/x|v/y»}',
    TWO + "intents: {i: {kind: chat, use: b}}\naliases: {«I|j»: a}",
    TWO + "aliases: {«B|bee»: a}",
    TWO + "intents: {smart: {kind: chat, use: b}}\naliases: {«Smart|clever»: a}",
    TWO + "aliases: {fast: a, «Fast|quick»: b}",
    'models: {"*-latest": {kind: chat, offers: [{at: us, P}]}, a: {kind: chat, offers: [{at: us, P}]}}\naliases: {«a-latest|a-newest»: a}',
    'models: {"v/*": {kind: chat, offers: [{at: us, P}]}, a: {kind: chat, offers: [{at: us, P}]}}\nintents: {i: {kind: chat, use: a}}\naliases: {«v/best|best»: i}',
]

LACKS = [
    f"models: {{a: {{kind: chat, does: [tools, vision], offers: [{{at: us, P}}], instead: [b]}}, b: {model('«[tools]|[tools, vision]»')}}}",
    "models: {a: {kind: chat, does: [tools], offers: [{at: us, P}, {at: us2, P«, does: []|»}]}}",
    f"models: {{a: {{kind: chat, does: [json_schema], offers: [{{at: us, P}}], instead: [b, c]}}, b: {model('[tools]')}, c: {model('«[vision]|[json_schema]»')}}}",
    f"models: {{a: {model('[tools, vision]')}, b: {model('«[tools]|[tools, vision]»')}}}\nintents: {{i: {{kind: chat, use: {{first: [a, b]}}}}}}",
    f"models: {{a: {model('[thinking]')}, b: {model('«[]|[thinking]»')}}}\nchains: {{c: {{first: [a, b]}}}}\nintents: {{i: {{kind: chat, use: c}}}}",
    "models: {a: {kind: chat, endpoints: [messages, chat], offers: [{at: us, P}], instead: [b]}, b: {kind: chat, endpoints: [chat«|, messages»], offers: [{at: us, P}]}}",
    "models: {a: {kind: chat, context: 100k, offers: [{at: us, P}], instead: [{model: b, after: [context_length]}]}, b: {kind: chat, context: «100k|200k», offers: [{at: us, P}]}}",
    "models: {a: {kind: chat, context: 100k, offers: [{at: us, P}, {at: us2, P, context: 150k}], instead: [{model: b, after: [context_length]}]}, b: {kind: chat, context: «120k|200k», offers: [{at: us, P}]}}",
    f"models: {{a: {model('[tools, pdf]')}, b: {model('[tools]')}, c: {model('«[tools]|[tools, pdf]»')}}}\nintents: {{i: {{kind: chat, use: {{match: [{{when: {{req.stream: true}}, use: {{first: [a, b, c]}}}}, {{use: c}}]}}}}}}",
]

INVERSIONS = [
    "models: {a: {kind: chat, offers: [{at: us, P}], instead: [b]}, b: {kind: chat, offers: [{at: us, «DEAR|CHEAP»}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], instead: [b]}, b: {kind: chat, offers: [{at: us«|, P»}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2, CHEAP}], instead: [b]}, b: {kind: chat, offers: [{at: us, «DEAR|P»}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], instead: [b]}, b: {kind: chat, offers: [{at: us, P}], sell: «cost + 15%|cost»}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], sell: {per: 1M tok, in: 0.5, out: 1}, instead: [b]}, b: {kind: chat, offers: [{at: us, P}]«|, sell: {per: 1M tok, in: 0.5, out: 1}»}}",
    "models: {a: {kind: chat, offers: [{at: us, price: {per: 1M tok, in: 1, in.cached: «2|0.1», out: 2}}]}}",
    "prices: {p: {per: 1M tok, in: 1, in.cached: «1.5|0.5», out: 2}}\nmodels: {a: {kind: chat, offers: [{at: us, price: p}]}}",
    "prices: {p: [{from: 2026-01-01, per: 1M tok, in: 1, out: 2}, {from: 2026-05-01, per: 1M tok, in: 1, in.cached: «3|0.3», out: 2}]}\nmodels: {a: {kind: chat, offers: [{at: us, price: p}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], sell: {per: 1M tok, in: 1, in.cached: «4|1», out: 2}}}",
    "models: {a: {kind: chat, offers: [{at: us«|, P»}], instead: [b]}, b: {kind: chat, offers: [{at: us, P}]}}",
]

UNKNOWN = [
    "models: {a: {kind: chat, offers: [{at: us, P}]}, b: {kind: chat, offers: [{at: us«|, P»}]}}\nintents: {i: {kind: chat, rank: [cost]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2«|, P»}]}}\nintents: {i: {kind: chat, rank: [cost ~10%, ttft.p90]}}",
    "models: {a: {kind: chat, quality: {chat: 50}, offers: [{at: us, P}, {at: us2«|, P»}]}}\nintents: {i: {kind: chat, rank: [quality.chat, cost]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2«|, P»}]}}\nchains: {c: {from: {}, rank: [cost]}}\nintents: {i: {kind: chat, use: c}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2«|, P»}], «|sell: {per: 1M tok, in: 1, out: 1}»}}\nintents: {i: {kind: chat, rank: [sell]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}]}, b: {kind: chat, offers: [{at: us«|, P»}]}}\nintents: {i: {kind: chat, use: {first: [a, b], rank: [cost]}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}]}, b: {kind: chat, offers: [{at: us«|, P»}]}}\nintents: {i: {kind: chat, use: {split: {by: req, arms: {a: 50%, b: 50%}, rest: true}, rank: [cost]}}}",
    "models: {a: {kind: chat, vendor: x, offers: [{at: us, P}]}, b: {kind: chat, vendor: «x|y», offers: [{at: us}]}}\nintents: {i: {kind: chat, from: {vendor: x}, rank: [cost]}}",
]

STARVED = [
    "models: {a: {kind: chat, offers: [{at: duo, P}, {at: us, P}]}}\npolicies: {p: {cap: {attempts: «3|6»}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2, P}]}}\npolicies: {p: {cap: {attempts: «2|3»}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2, P}]}}\npolicies: {p: {cap: {attempts: 3}, retry: {per_offer: «2|1»}}}",
    "models: {a: {kind: chat, offers: [{at: duo, P}, {at: us, P}]}}\npolicies: {p: {cap: {attempts: 4}, retry: {rotate: «2|1»}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2, P}]}}\npolicies: {p: {cap: {attempts: 4}, errors: {server_error: retry «3|2»}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2, P}]}}\npolicies: {p: {for: {org.plan: free}, cap: {attempts: «1|3»}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], instead: [b]}, b: {kind: chat, offers: [{at: us2, P}]}}\npolicies: {p: {cap: {attempts: «2|6»}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}]}, b: {kind: chat, offers: [{at: us2, P}]}}\nintents: {i: {kind: chat, use: {first: [a, b]}}}\npolicies: {p: {for: {req.kind: chat}, cap: {attempts: «2|4»}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2, P}]}}\npolicies: {p: {cap: {attempts: 2}, retry: {per_offer: «1|0»}}}",
]

REGIONS = [
    "models: {a: {kind: chat, offers: [{at: eu, P}], instead: [b]}, b: {kind: chat, offers: [{at: «us|eu», retain: 0d, P}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], instead: [b]}, b: {kind: chat, offers: [{at: «us, region: cn|us2», P}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}]}, b: {kind: chat, offers: [{at: us, P«, region: eu|»}]}}\nintents: {i: {kind: chat, use: {first: [a, b]}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us, variant: v, P}], instead: [b]}, b: {kind: chat, offers: [{at: us, P«, region: cn|»}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], instead: [b]}, b: {kind: chat, offers: [{at: us, P, region: eu}]}}\n«|policies: {p: {for: {req.kind: chat}, require: {region: [us, eu]}}}»",
    "models: {a: {kind: chat, offers: [{at: eu, P}]}, b: {kind: chat, offers: [{at: «us|eu», P, retain: 0d}]}}\nintents: {i: {kind: chat, use: {match: [{when: {org.region: eu}, use: b}, {use: a}]}}}",
    "models: {a: {kind: chat, offers: [{at: eu, P}]}, b: {kind: chat, offers: [{at: us, P}]}}\nintents: {i: {kind: chat, use: {match: [{when: {org.region: eu}, use: b}, {use: a}]}}}\npolicies: {p: {for: {org.region: «us|eu»}, require: {region: «us|eu»}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}]}, b: {kind: chat, offers: [{at: us, P, region: cn}]}}\nchains: {c: {first: [a, «b|{first: [b], require: {region: us}}»]}}\nintents: {i: {kind: chat, use: c}}",
]

RETENTION = [
    "models: {a: {kind: chat, offers: [{at: eu, P}], instead: [b]}, b: {kind: chat, offers: [{at: eu, P«, retain: 30d|»}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], instead: [b]}, b: {kind: chat, offers: [{at: us, P«, retain: 90d|, retain: 1d»}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], instead: [b]}, b: {kind: chat, offers: [{at: us, P«, trains: true|»}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}]}, b: {kind: chat, offers: [{at: us, P«, retain: 31d|»}]}}\nintents: {i: {kind: chat, use: {first: [a, b]}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}]}, b: {kind: chat, offers: [{at: us, P«, trains: true|»}]}}\nchains: {c: {first: [a, b]}}\nintents: {i: {kind: chat, use: c}}",
    "models: {a: {kind: chat, offers: [{at: dark, P, trains: false}], instead: [b]}, b: {kind: chat, offers: [{at: dark, P«|, trains: false»}]}}",
    "models: {a: {kind: chat, offers: [{at: dark, P, retain: 5d}], instead: [b]}, b: {kind: chat, offers: [{at: dark, P«|, retain: 5d»}]}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], instead: [b]}, b: {kind: chat, offers: [{at: us, P, retain: 90d}]}}\n«|policies: {p: {for: {req.kind: chat}, require: {retain: 100d}}}»",
]

PROMISES = [
    "models: {a: {kind: chat, offers: [{at: us, P}«|, {at: us2, P}»], promise: {survives: 1 provider}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: «us, variant: v|us2», P}], promise: {survives: 1 provider}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2, P}], promise: {survives: «2|1» offer}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}], promise: {attempts: «1|2»}}}",
    "models: {a: {kind: chat, context: 100k, output: 8k, offers: [{at: us«|, P»}], promise: {cost: 1 usd}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2, P}], promise: {never: {region: «us|cn»}}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}, {at: us2, P}], promise: {survives: 1 provider, for: {org.region: eu}}}}\npolicies: {p: {for: {org.region: «eu|us»}, require: {region: «us-east|us»}}}",
    "models: {a: {kind: chat, offers: [{at: us, P}]}, b: {kind: chat, offers: [{at: «us|eu», P}]}}\nintents: {i: {kind: chat, rank: [cost], promise: {survives: 1 region}}}",
    TWO
    + "chains: {c: {first: [a, b], promise: {attempts: «1|4»}}}\nintents: {i: {kind: chat, use: c}}",
]

UNUSED = [
    "providers: {spare: {plugin: openai}}\nmodels: {a: {kind: chat, offers: [{at: us, P}«|, {at: spare, P}»]}}",
    "prices: {p: {per: 1M tok, in: 1, out: 2}}\nmodels: {a: {kind: chat, offers: [{at: us, price: «{per: 1M tok, in: 1, out: 2}|p»}]}}",
    "shapes: {s: {n: 1..4}}\nmodels: {a: {kind: chat, «|takes: s, »offers: [{at: us, P}]}}",
    ONE + "chains: {c: a}\nintents: {i: {kind: chat, use: «a|c»}}",
    ONE
    + "facts: {org.tier: {one_of: [x, y]}}\npolicies: {p: {for: {«org.plan|org.tier»: x}, cap: {time: 60s}}}",
    ONE + "policies: {p: {for: {req.kind: «image|chat»}, cap: {time: 60s}}}",
    ONE + "limits: {l: {per: user, for: {req.kind: «video|chat»}, rate: 5 req / min}}",
    ONE + "policies: {p: {for: {req.kind: «[image, video]|[image, chat]»}, timeout: {idle: 60s}}}",
]

EMPTY = [
    ONE + "intents: {i: {kind: chat, from: {does: [«vision|tools»]}}}",
    ONE + "intents: {i: {kind: chat, from: {context: «500k|50k»}, rank: [cost]}}",
    ONE + "intents: {i: {kind: «image|chat», rank: [cost], take: 2}}",
    f"models: {{a: {model(more=', vendor: x')}}}\nintents: {{i: {{kind: chat, from: {{vendor: «y|x»}}}}}}",
    f"models: {{a: {model(more=', quality: {chat: 50}')}}}\nintents: {{i: {{kind: chat, from: {{quality.chat: «60|40»}}}}}}",
    f"models: {{a: {model(more=', listed: «false|true»')}}}\nintents: {{i: {{kind: chat}}}}",
    f"models: {{a: {model(more=', tags: [t]')}}}\nintents: {{i: {{kind: chat, from: {{tags: [«u|t»]}}, take: 1}}}}",
]

STALE = [
    "models: {a: {kind: chat, offers: [{at: us, price: {from: «2024|2026»-03-01, per: 1M tok, in: 1, out: 2}}]}}",
    "prices: {p: {from: «2025-01-01|2026-01-01», per: 1M tok, in: 1, out: 2}}\nmodels: {a: {kind: chat, offers: [{at: us, price: p}]}}",
    "prices: {p: [{from: 2023-01-01, per: 1M tok, in: 1, out: 2}, {from: «2024-06-01|2026-06-01», per: 1M tok, in: 2, out: 3}]}\nmodels: {a: {kind: chat, offers: [{at: us, price: p}]}}",
    'prices: {p: {from: 2023-01-01, per: 1M tok, in: 1, out: 2, source: "list, «2024|2026»-05-01"}}\nmodels: {a: {kind: chat, offers: [{at: us, price: p}]}}',
    "models: {a: {kind: chat, offers: [{at: us, price: {from: «2027-03-01|2026-03-01», per: 1M tok, in: 1, out: 2}}]}}",
    "prices: {p: [{from: «2028-01-01|2026-01-01», per: 1M tok, in: 1, out: 2}, {from: 2029-01-01, per: 1M tok, in: 2, out: 3}]}\nmodels: {a: {kind: chat, offers: [{at: us, price: p}]}}",
    'prices: {p: {from: 2023-01-01, per: 1M tok, in: 1, out: 2, source: "read in «2024|2026»"}}\nmodels: {a: {kind: chat, offers: [{at: us, price: p}]}}',
]

FAULTS = {
    "unreachable-arm": ARMS,
    "dead-offer": DEAD,
    "shadowed-alias": ALIASES,
    "fallback-lacks": LACKS,
    "price-inversion": INVERSIONS,
    "cheapest-unknown": UNKNOWN,
    "starved-fallback": STARVED,
    "region-leak": REGIONS,
    "retention-leak": RETENTION,
    "impossible-promise": PROMISES,
    "unused-name": UNUSED,
    "empty-intent": EMPTY,
    "stale-price": STALE,
}
