"""The smallest app: a talk with everybody who connects."""

# tuihost demo --apps examples, then in another terminal: ssh -t -p 8022 localhost hello
from tuihost import Session, app


@app("hello")
async def hello(session: Session) -> None:
    """Says hello."""
    name = await session.ask("Your name? ")
    await session.say(f"Hello, {name}!")
