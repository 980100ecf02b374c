import pytest

from golden import InputError, formats
from sim.accuracy.configuration import Encoding, Mode, default_encodings, parse_encoding


def test_every_format_is_compared():
    assert {encoding.format for encoding in default_encodings()} == set(formats.names())


def test_mxfp4_is_compared_with_two_rules():
    labels = [encoding.label for encoding in default_encodings()]
    assert {"m2xfp", "mxfp4 floor", "mxfp4 ceil", "nvfp4", "smx4"} <= set(labels)
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nvfp4:search+calibrated", Encoding("nvfp4", "search", True)),
        ("m2xfp_sg+calibrated", Encoding("m2xfp_sg", "floor", True)),
        ("m2xfp", Encoding("m2xfp", "floor")),
        ("m2xfp:rtn1", Encoding("m2xfp", "rtn1")),
        ("mxfp4:ceil", Encoding("mxfp4", "ceil")),
    ],
)
def test_encodings_are_read(text, expected):
    assert parse_encoding(text) == expected


def test_labels_tell_encodings_apart():
    labels = [encoding.label for encoding in default_encodings()]
    assert {"nvfp4 four_six", "nvfp4 search calibrated", "m2xfp_sg", "m2xfp_sg calibrated"} <= set(
        labels
    )


def test_uncalibrated():
    assert Encoding("nvfp4", "search", True).uncalibrated == Encoding("nvfp4", "search")


def test_an_unusual_rule_is_named():
    assert parse_encoding("m2xfp:rtn1").label == "m2xfp rtn1"
    assert parse_encoding("m2xfp:floor").label == "m2xfp"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fp8", "Format must be one of .*, not 'fp8'"),
        ("nvfp4:ceil", "Scale rule of nvfp4 must be one of floor, four_six, search, not 'ceil'"),
        ("m2xfp_sg+tuned", "After [+] must come calibrated, not 'tuned'"),
        ("m2xfp+calibrated", "Format m2xfp takes no importance"),
        ("nvfp4+calibrated", "Importance for nvfp4 needs the scale rule .*, not floor"),
    ],
)
def test_bad_encodings_are_refused(text, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        parse_encoding(text)


def test_modes_quantize_what_they_say():
    assert [(mode.weights, mode.activations) for mode in Mode] == [
        (True, True),
        (True, False),
        (False, True),
    ]
