"""What TLS adds to a router's script: the authority's import, the router's own certificate, a warning. Pure.

Without TLS every part is empty. How `/certificate/import` names what it imports is open (NAME or NAME_0), so ours are
known by the beginning of their names. Sources: MikroTik's manual, pages Certificates and MQTT.
"""

from collections.abc import Callable, Mapping

from wgmqtt.errors import Problem, RscError
from wgmqtt.model import Authority, Config, Router

OWN_CERTIFICATES = "wgmqtt-ca-"
UPLOADED = "wgmqtt-ca.pem"

_NOTE = f"""
# Needed beforehand: the hub's file @authorityPath@, uploaded to this router as {UPLOADED}.
# From it the certificates @authorityName@ are made in /certificate, and older ones of wgmqtt are removed."""
_WARNING = """
  [$warn "the broker speaks TLS: the authority that signed its certificate must be in /certificate, trusted"]"""
_CHECK = """
  :if ([:len [/certificate/find where name=@clientCertificate@]] != 1) do={
    :error ("wgmqtt: there is no certificate " . @clientCertificate@ . " in /certificate. Nothing was changed.")
  }
  :do {
    :local hasKey [:tostr [/certificate/get [/certificate/find where name=@clientCertificate@] private-key]]
    :if ($hasKey = "false" or $hasKey = "no") do={
      [$warn ("certificate " . @clientCertificate@ . " has no private key here: import that too")]
    }
  } on-error={}"""
_SET = """
  /iot/mqtt/brokers/set $brokerId certificate=@clientCertificate@"""
# The manual says that with an authority the certificates go that it has issued. If that holds for imported ones too,
# the router's own certificate would go with an older authority.
_REMOVE_OLDER = f"""
  # Others of ours, older ones above all, go only now that the present ones are in, and known to be by fingerprint.
  :if ([$countLacking $authorities] = 0) do={{
    :foreach certificateId in=[/certificate/find where name~"^{OWN_CERTIFICATES}"] do={{
      :do {{
        :local seen [:tostr [/certificate/get $certificateId fingerprint]]
        :if ([:typeof ($authorities->$seen)] = "nothing") do={{ /certificate/remove $certificateId }}
      }} on-error={{}}
    }}
  }}"""
_END = f"""
  :put "wgmqtt: the file {UPLOADED} was needed for this import; it holds no secret, and may stay or go." """.rstrip()


def authority_values(authority: Authority | None, quote: Callable[[str], str]) -> dict[str, str]:
    """Return the values for the placeholders of the parts; empty ones without an authority.

    Raises:
        RscError: the file's path cannot be written in a script.
    """
    if authority is None:
        return dict.fromkeys(("authorityName", "authorityPath", "authorityFile", "fingerprints"), "")
    lines = [f"  :set ($authorities->{quote(print_)}) {order}" for order, print_ in enumerate(authority.fingerprints)]
    return {
        "authorityName": f"{OWN_CERTIFICATES}{authority.id}",
        "authorityPath": quote(authority.path)[1:-1],
        "authorityFile": quote(authority.path),
        "fingerprints": "\n".join(lines),
    }


def tls_parts(config: Config, router: Router, authority: Authority | None, template: str) -> Mapping[str, str]:
    """Return the parts of the installer that stand there because of TLS, with placeholders; `template` imports.

    Raises:
        RscError: the configuration names a file with the authority, and it was not read.
    """
    tls = config.broker_for_routers.tls
    if tls is not None and tls.ca_file and authority is None:
        raise RscError(Problem(tls.ca_file, "the certificates of this file are needed for a script"))
    knows, shows = authority is not None, bool(router.client_certificate)
    return {
        "authorityNote": _NOTE if knows else "",
        "authorityWarning": _WARNING if tls is not None and not knows else "",
        "authorityImport": f"\n{template.rstrip()}" if knows else "",
        "authorityEnd": (("" if shows else _REMOVE_OLDER) + _END) if knows else "",
        "certificateCheck": _CHECK if shows else "",
        "certificateSet": _SET if shows else "",
    }
