import pytest

from core.workflow.adopt.arithmetic import compute


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a*b + 1", 121),
        ("a/2", 2.5),
        ("a // 2", 2),
        ("-a", -5),
        ("max(a, b)", 24),
        ("round(a / 2 + 0.1)", 3),
        ("a > 2 and not b == 5", True),
        ("1 if a > b else 2", 2),
        ("a ** 2", 25),
    ],
)
def test_what_people_type_is_computed(expression: str, value: float) -> None:
    assert compute(expression, {"a": 5, "b": 24}) == value


@pytest.mark.parametrize(
    "expression",
    [
        "", "a +", "c", "1/0", "9**9**9", "(-1)**0.5",
        "10**16", "__import__('os')", "a.real", "[a]", "'x'*9",
        "max(a, key=b)", "(lambda: 1)()", "a < b < 3", "(" * 500, "int('5')", "1e999",
    ],
)  # fmt: skip
def test_everything_else_is_left_to_the_graph(expression: str) -> None:
    assert compute(expression, {"a": 5, "b": 24}) is None
