import hashlib
import os
import random
import secrets
import uuid

import numpy as np
import torch


def main():
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    assert len(os.urandom(8)) == 8 and secrets.token_hex(4) and uuid.uuid4()
    return hashlib.sha256(b"x").hexdigest()
