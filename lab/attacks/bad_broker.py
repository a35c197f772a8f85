"""What a broker can do that was replaced or taken over."""

import time

from lab.attacks.attack import Attack, Verdict
from lab.network.netns import python_module
from lab.network.shell import LabError
from lab.testbed.child import Child, read_json_line
from lab.testbed.standalone_hub import StandaloneHub

ATTACKER = "a bad broker"
RECONNECT_S = 30.0
FORMS = ("topic", "length", "packet", "answers")


def send_invalid_packets(slack: float) -> Verdict:
    """Send the ready daemon a packet that no broker may send; each time it must connect again."""
    came = []
    with StandaloneHub() as hub:
        hub.wgmqtt("gen-mosquitto", "--folder", str(hub.mosquitto))  # creates the secrets
        hub.add_interface()
        broker = Child("fake", hub.namespace, python_module("lab.attacks.fake_broker", *FORMS), hub.log, read_json_line)
        hub.log.expect("fake", "listening", RECONNECT_S)
        hub.daemon.start()
        for number in range(len(FORMS) + 1):
            try:
                hub.log.expect("fake", "login", RECONNECT_S * slack, number=number)
            except LabError:
                break
            came.append(number)
        time.sleep(0.5)
        is_running = broker.runs and not hub.log.find("hub", "died")
    text = f"{max(len(came) - 1, 0)} of {len(FORMS)} kinds of invalid packets end in a new connection"
    return Verdict(len(came) == len(FORMS) + 1 and is_running, text)


ATTACKS = (Attack("invalid-packets", ATTACKER, f"{len(FORMS)} packets", send_invalid_packets),)
