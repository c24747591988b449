from arcuate.bench.inference import measure_stages


def test_bench_of_inference_times_each_stage_and_both_searches() -> None:
    figures = measure_stages(repeats=1)

    assert list(figures.stages_ms) == ["grey values", "borders", "quality"]
    assert figures.scan_ms == sum(figures.stages_ms.values())
    assert min(*figures.stages_ms.values(), figures.search_ms, figures.plain_search_ms) > 0
