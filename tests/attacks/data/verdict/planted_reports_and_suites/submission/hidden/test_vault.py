def test_code():
    pass
