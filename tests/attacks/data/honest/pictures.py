from PIL import Image


def main():
    Image.new("RGB", (64, 64), "red").resize((8, 8)).save("x.png")
    assert Image.open("x.png").size == (8, 8)
