"""Write a table of any size, as YAML: what loading is measured with.

``python -m benchmarks.generate_table 5000 10000 > big.yaml``
"""

import sys

PROVIDERS = 40


def tables_big(models: int, offers: int) -> str:
    """Give a table of so many models that share so many offers evenly; each price is its own."""
    lines = ["hyperroute: 1", "providers:"]
    lines += [
        f"  host-{i}: {{plugin: openai, url: https://host-{i}.example/v1, keys: [env:KEY_{i}], "
        f"region: {('us', 'eu-central', 'cn')[i % 3]}, retain: {i % 31}d, trains: false}}"
        for i in range(PROVIDERS)
    ]
    lines.append("models:")
    for i in range(models):
        lines += [
            f"  vendor-{i % 50}/model-{i}:",
            "    kind: chat",
            f"    vendor: vendor-{i % 50}",
            "    does: [tools, vision, json_schema, prompt_cache]",
            f"    context: {(8, 128, 200, 1000)[i % 4]}k",
            "    output: 8k",
            f"    quality: {{chat: {i % 101}}}",
            "    offers:",
        ]
        for j in range(i * offers // models, (i + 1) * offers // models):
            price = (
                f"{{per: 1M tok, in: {j % 977}.{j % 7}5, in.cached: 0.{j % 89:02}, out: {j}.50}}"
            )
            sends = f", sends: m-{j}" if j % 2 else ""
            lines.append(f"      - {{at: host-{j % PROVIDERS}{sends}, price: {price}}}")
    lines += [
        "aliases:",
        *(f"  model-{i}-latest: vendor-{i % 50}/model-{i}" for i in range(0, models, 10)),
        "intents:",
        '  cheap: {kind: chat, from: {quality.chat: ">= 50"}, rank: [cost ~10%], take: 3}',
        "policies:",
        "  base: {cap: {attempts: 6, time: 600s}}",
        "  eu: {for: {org.region: eu}, require: {region: eu, retain: 0d}}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(tables_big(int(sys.argv[1]), int(sys.argv[2])))
