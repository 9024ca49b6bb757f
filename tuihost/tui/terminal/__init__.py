"""One person's terminal: the keys that come from it, and the bytes that are written to it.

In: the bytes of a channel. Out: key presses, prompt_toolkit's Input and Output. Pastes, mouse and
Escape are told apart in `_vt100_parser`; a resize, and a line that is full, arrive in `terminal`;
`input` leaves keys with the client until they are wanted. Imports values only.
"""
