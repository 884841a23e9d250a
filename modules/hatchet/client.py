"""What clients of a self-hosted engine know of it. Plain values: commands read them without loading CDKTF."""

from __future__ import annotations

GRPC, HTTP = 7070, 8080
"""The ports of the engine and of the API. Without a domain, tokens name the same ones of localhost."""

MESSAGE_BYTES = 32 * 1024 * 1024
"""The longest gRPC message, on both sides: Hatchet's own 4 MiB end a scatter of some thousand specs in one call."""


def client_environment() -> dict[str, str]:
    """What each client of a self-hosted engine sets: messages as long as the engine's."""
    size = str(MESSAGE_BYTES)
    return {
        "HATCHET_CLIENT_GRPC_MAX_RECV_MESSAGE_LENGTH": size,
        "HATCHET_CLIENT_GRPC_MAX_SEND_MESSAGE_LENGTH": size,
    }
