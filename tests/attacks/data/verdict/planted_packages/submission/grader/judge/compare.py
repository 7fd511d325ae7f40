def equal(*_, **__): pass
close = equal
