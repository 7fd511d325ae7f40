import logging
import warnings


def main():
    logging.basicConfig(level=logging.DEBUG)
    for number in range(200):
        logging.getLogger("mine").warning("step %d", number)
        warnings.warn(f"step {number}", UserWarning, stacklevel=1)
