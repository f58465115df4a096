"""The Tasks extension (`io.modelcontextprotocol/tasks`, SEP-2663): a paid call that goes on after its request.

`wire` is how the protocol writes it, `declared` who has it, `ongoing` a call in this process, `kept` a run of the store
as a task, and `extension` what a host talks to.
"""
