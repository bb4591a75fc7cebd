from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from scoreboard.observe.joined import joined
from scoreboard.observe.metrics import Metrics


def numbers(requests: int) -> bytes:
    """Those of a worker that answered so many."""
    metrics = Metrics()
    for _ in range(requests):
        metrics.request("GET", "/api/{x} y", 200, 0.1)
    metrics.scored(requests)
    return metrics.render()


def test_each_sample_says_whose_it_is_and_each_name_stands_once() -> None:
    """As Prometheus reads it: sums over workers are as right as those of one process."""
    families = list(text_string_to_metric_families(joined({1: numbers(2), 2: numbers(3)}).decode()))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    samples = [sample for family in families for sample in family.samples]
    assert {"1", "2"} == {sample.labels["worker"] for sample in samples}
    scored = {sample.labels["worker"]: sample.value for sample in samples if sample.name == "score_increments_total"}
    assert {"1": 2.0, "2": 3.0} == scored
    [one] = [sample for sample in samples if sample.name == "http_requests_total" and sample.labels["worker"] == "1"]
    assert ({"worker": "1", "method": "GET", "route": "/api/{x} y", "status_code": "200"}, 2.0) == (
        one.labels,
        one.value,
    )


def test_nothing_of_a_worker_is_lost() -> None:
    """As many samples as each has told, and one for each that says whether it did."""
    alone = numbers(1).decode().splitlines()
    samples = [line for line in alone if not line.startswith("#")]
    told = joined({1: numbers(1), 2: None}).decode().splitlines()
    assert len(samples) + 2 == len([line for line in told if not line.startswith("#")])
    assert {'worker_up{worker="1"} 1.0', 'worker_up{worker="2"} 0.0'} <= set(told)
