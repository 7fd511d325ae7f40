def main():
    for epoch in range(2000):
        print(f"epoch {epoch}: loss {1 / (epoch + 1):.6f} " + "#" * 200)
