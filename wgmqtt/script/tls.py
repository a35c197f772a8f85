"""Render what TLS adds to a router's script: the authority's import, the router's own certificate, a warning.

Without TLS every part is empty. RouterOS may call what it imports NAME, NAME_0 or NAME_1, so certificates of wgmqtt are
recognized by the beginning of their names. Sources: MikroTik's manual, pages Certificates and MQTT.
"""

from collections.abc import Callable, Mapping

from wgmqtt.errors import Problem, RscError
from wgmqtt.model import Authority, Config, Router

OWN_CERTIFICATES = "wgmqtt-ca-"
UPLOADED = "wgmqtt-ca.pem"

_NOTE = f"""
# Needed first: the hub's file @authorityPath@, uploaded to this router as {UPLOADED}.
# It is imported into /certificate as @authorityName@, and older certificates of wgmqtt are removed."""
_WARNING = '\n  $warn "the broker uses TLS: the authority that signed its certificate must be in /certificate, trusted"'
_CHECK = """
  :if ([:len [/certificate/find where name=@clientCertificate@]] != 1) do={
    :error ("wgmqtt: there is no certificate " . @clientCertificate@ . " in /certificate. Nothing was changed.")
  }
  :do {
    :local hasKey [:tostr [/certificate/get [/certificate/find where name=@clientCertificate@] private-key]]
    :if ($hasKey = "false" or $hasKey = "no") do={
      $warn ("certificate " . @clientCertificate@ . " has no private key here: import that too")
    }
  } on-error={}"""
_SET = """
  /iot/mqtt/brokers/set $brokerId certificate=@clientCertificate@"""
# The manual says that RouterOS removes the certificates that an authority issued together with the authority. If that
# is true for imported ones, too, an older authority would take the router's own certificate with it.
_REMOVE_OLDER = f"""
  # Remove other certificates of wgmqtt only now that the current ones are there, which their fingerprints show.
  :if ([$countMissing $authorities] = 0) do={{
    :foreach certificateId in=[/certificate/find where name~"^{OWN_CERTIFICATES}"] do={{
      :do {{
        :local found [:tostr [/certificate/get $certificateId fingerprint]]
        :if ([:typeof ($authorities->$found)] = "nothing") do={{ /certificate/remove $certificateId }}
      }} on-error={{}}
    }}
  }}"""
_END = f"""
  :put "wgmqtt: the file {UPLOADED} was needed for this import only. It holds no secret." """.rstrip()


def authority_values(authority: Authority | None, quote: Callable[[str], str]) -> dict[str, str]:
    """Return the values for the placeholders in the parts; they are empty without an authority.

    Raises:
        RscError: the path of the file cannot be quoted.
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
    """Return the parts of the installer that TLS needs, with placeholders; `template` is the authority's import.

    Raises:
        RscError: the configuration names the file of an authority, and it was not read.
    """
    tls = config.broker_for_routers.tls
    if tls is not None and tls.ca_file and authority is None:
        raise RscError(Problem(tls.ca_file, "the certificates of this file are needed for a script"))
    has_authority, has_own = authority is not None, bool(router.client_certificate)
    return {
        "authorityNote": _NOTE if has_authority else "",
        "authorityWarning": _WARNING if tls is not None and not has_authority else "",
        "authorityImport": f"\n{template.rstrip()}" if has_authority else "",
        "authorityEnd": (("" if has_own else _REMOVE_OLDER) + _END) if has_authority else "",
        "certificateCheck": _CHECK if has_own else "",
        "certificateSet": _SET if has_own else "",
    }
