import os

from telltale import tried

tried()
os._exit(0)
