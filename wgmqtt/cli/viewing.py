"""`status` and `events`: what the hub publishes about itself, from any machine that reaches the broker."""

import argparse
import secrets
import sys
import time

from wgmqtt.broker.connection import Login
from wgmqtt.broker.mosquitto import VIEWER
from wgmqtt.broker.subscriber import read_events, read_view
from wgmqtt.cli.command import Command, Options, write
from wgmqtt.cli.status_text import render_event, render_json, render_status
from wgmqtt.config.load import read_config
from wgmqtt.host.secrets import read_secret
from wgmqtt.model import Config
from wgmqtt.wire.hub import decode_event
from wgmqtt.wire.topics import topics_of

CLEAR = "\033[H\033[2J"


def _viewer_login(config: Config) -> Login:
    password = read_secret(f"{config.router_password_dir}/{VIEWER}.password")
    client_id = f"wgmqtt-{VIEWER}-{secrets.token_hex(4)}"
    return Login(config.broker, client_id, VIEWER, password, will_topic="", will_payload=b"")


def _add_status_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--watch", action="store_true", help="show the status again after each change")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _status(options: Options) -> int:
    config = read_config(options.config)
    clear = CLEAR if options.watch and sys.stdout.isatty() else ""
    for status, is_online in read_view(_viewer_login(config), topics_of(config)):
        if options.json:
            write(render_json(status, is_online=is_online))
        else:
            write(clear + render_status(status, is_online=is_online, now_s=time.time()))
        if not options.watch:
            return 0 if is_online else 1
    return 0


def _events(options: Options) -> int:
    config = read_config(options.config)
    topics = topics_of(config)
    for payload in read_events(_viewer_login(config), topics):
        event = decode_event(payload, topics.hub_events)
        if event is not None:
            write(render_event(*event))
    return 0


STATUS = Command("status", "show routers and links, from any machine", _status, _add_status_options)
EVENTS = Command("events", "show the hub's log lines as they occur", _events)
