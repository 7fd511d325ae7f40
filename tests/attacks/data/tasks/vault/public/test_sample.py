"""The one sample that a candidate has."""

import pytest

from grader.judge import require


@pytest.mark.check("sample", criterion="opens", points=1, title="sample", hint="code(0) is 49722033.")
def test_sample(candidate):
    require(candidate.call("code", 0).integer() == 49_722_033, "the code of the sample is wrong")
