"""What Prometheus reads of metrics that are served: the text of a scrape, parsed."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from engine.metrics.server import Families


def served(families: Families) -> Mapping[str, float]:
    """Every sample by its name and labels, as in `up{queue="a",state="b"}`."""
    registry = CollectorRegistry()
    registry.register(_Of(families))
    return samples_in(generate_latest(registry).decode())


def samples_in(text: str) -> Mapping[str, float]:
    """The samples of a scrape's text."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            name = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert name not in found, name
            found[name] = sample.value
    return found


class _Of(Collector):
    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families.families()
