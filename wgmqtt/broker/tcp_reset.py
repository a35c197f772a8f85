"""Resets a router's TCP connections to a broker on this machine, through sock_diag(7).

Taking over the MQTT session with the router's client-id is no substitute: the broker closes the old connection, but the
kernel sends the FIN after the data that TCP retransmits at growing intervals, so the router notices no sooner: 13 s
after an outage of 15 s, measured, like TCP alone. SOCK_DESTROY sends a reset at once; the router reconnects and gets
its retained table. It needs CAP_NET_ADMIN and a kernel with CONFIG_INET_DIAG_DESTROY, which Debian's kernels have.
"""

import os
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

from wgmqtt.errors import EdgeError, Problem
from wgmqtt.model import AnyAddress

ANSWER_WITHIN_S = 1.0
_NETLINK_SOCK_DIAG = 4  # linux/netlink.h
_SOCK_DIAG_BY_FAMILY, _SOCK_DESTROY = 20, 21  # linux/sock_diag.h
_NLMSGHDR = struct.Struct("=IHHII")  # length, type, flags, sequence, port id
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_DUMP = 0x01, 0x04, 0x300
_REQUEST = struct.Struct("=BBBxI")  # inet_diag_req_v2 without its id: family, protocol, extensions, states
_SOCKID = struct.Struct("!HH16s16s")  # inet_diag_sockid without interface and cookie: ports and addresses
_SOCKID_BYTES, _SOCKID_AT = 48, 4
_ESTABLISHED = 1 << 1  # by the numbers of enum in net/tcp_states.h


def reset_connections(port: int, remote: str) -> int:
    """Reset the TCP connections between the local `port` and the address `remote`; return their number.

    Raises:
        EdgeError: the kernel does not permit it, does not support it, or does not answer.
    """
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as netlink:
            netlink.settimeout(ANSWER_WITHIN_S)
            families = (socket.AF_INET, socket.AF_INET6)
            found = [(family, each) for family in families for each in _connections(netlink, family, port)]
            ours = [(family, each) for family, each in found if _remote(family, each) == ip_address(remote)]
            for family, sockid in ours:
                request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _ESTABLISHED) + sockid
                list(_ask(netlink, _SOCK_DESTROY, _NLM_F_ACK, request))
    except OSError as error:
        raise EdgeError(Problem(f"connection of {remote} to port {port}", f"cannot be reset: {error}")) from error
    return len(ours)


def _connections(netlink: socket.socket, family: int, port: int) -> Iterator[bytes]:
    """Yield the inet_diag_sockid of each established connection to the local `port`."""
    sockid = _SOCKID.pack(port, 0, b"", b"").ljust(_SOCKID_BYTES, b"\0")
    request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _ESTABLISHED) + sockid
    for answer in _ask(netlink, _SOCK_DIAG_BY_FAMILY, _NLM_F_DUMP, request):
        yield answer[_SOCKID_AT : _SOCKID_AT + _SOCKID_BYTES]


def _remote(family: int, sockid: bytes) -> AnyAddress:
    _, _, _, remote = _SOCKID.unpack_from(sockid)
    if family == socket.AF_INET:
        return ip_address(remote[:4])
    address = IPv6Address(remote)
    return address.ipv4_mapped or address


def _ask(netlink: socket.socket, kind: int, flags: int, request: bytes) -> Iterator[bytes]:
    """Send one request and yield the payloads of its answers; raise OSError if the kernel reports an error."""
    size = _NLMSGHDR.size
    netlink.send(_NLMSGHDR.pack(size + len(request), kind, _NLM_F_REQUEST | flags, 1, 0) + request)
    while True:
        data = netlink.recv(1 << 16)
        while data:
            length, kind, _, _, _ = _NLMSGHDR.unpack_from(data)
            if kind == _NLMSG_ERROR:
                (code,) = struct.unpack_from("=i", data, size)
                if code:
                    raise OSError(-code, os.strerror(-code))
            if kind in (_NLMSG_ERROR, _NLMSG_DONE):
                return
            yield data[size:length]
            data = data[(length + 3) & ~3 :]
