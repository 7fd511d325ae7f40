import asyncio


async def work():
    await asyncio.gather(*(asyncio.sleep(0.01) for _ in range(20)))
    return await asyncio.to_thread(sum, [1, 2])


def main():
    assert asyncio.run(work()) == 3
